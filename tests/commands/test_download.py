"""`nostra download`, as a script sees it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import LARGE_BYTES, runner_for
from tests.running import Runner


def ids(nostra: Runner, invocation: str) -> list[str]:
    return [line.split("\t")[0] for line in nostra("results", invocation).out.splitlines()]


def test_default_is_the_primary_result_in_the_first_format(nostra: Runner) -> None:
    ended = nostra("download", "demo-dedup")
    assert (ended.code, ended.out, ended.err) == (0, "demo-dedup.json\n", "")
    assert nostra.files() == ["demo-dedup.json"]
    rows = json.loads((nostra.cwd / "demo-dedup.json").read_text())
    assert rows[0] == {"ID": "C00001", "Group": 1}


def test_formats_in_the_order_asked_for(nostra: Runner) -> None:
    ended = nostra("download", "demo-dedup", "-f", "xlsx", "-f", "csv", "-f", "xlsx")
    assert ended.out == "demo-dedup.xlsx\ndemo-dedup.csv\n"


def test_all_formats_of_all_results(nostra: Runner) -> None:
    nostra("wait", "demo")
    primary, *others = ids(nostra, "demo")
    ended = nostra("download", "demo", "-f", "all", "--all-results")
    stems = ["demo", *(f"demo-{other}" for other in others)]
    assert primary not in ended.out
    assert ended.out.split() == [f"{stem}.{f}" for stem in stems for f in ("json", "csv", "xlsx")]
    assert sorted(ended.out.split()) == nostra.files()


def test_each_file_stands_for_itself(nostra: Runner) -> None:
    primary, *_ = ids(nostra, "demo-partial")
    ended = nostra("download", "demo-partial", "--all-results", "-f", "xlsx", "-f", "json")
    assert primary not in ended.out
    assert ended.code == 5  # the first failure: the result in error stands before the one without
    assert len(nostra.files()) == 3
    assert "not available as xlsx" in ended.err


def test_format_from_the_name_of_the_file(nostra: Runner) -> None:
    assert nostra("download", "demo-dedup", "-o", "x.CSV").out == "x.CSV\n"
    assert (nostra.cwd / "x.CSV").read_text().startswith("ID,Group\n")
    assert nostra("download", "demo-dedup", "-o", "x.txt", "-f", "csv").out == "x.txt\n"
    assert (nostra.cwd / "x.txt").read_text() == (nostra.cwd / "x.CSV").read_text()


def test_format_from_the_settings(nostra: Runner, home: Path) -> None:
    file = home / "c.toml"
    file.write_text('[profiles.default]\nformat = "xlsx"\ndir = "made"\n')
    file.chmod(0o600)
    env = {"NOSTRA_CONFIG": str(file)}
    assert nostra("download", "demo-dedup", env=env).out == "made/demo-dedup.xlsx\n"
    assert nostra("download", "demo-dedup", "-d", ".", env=env).out == "demo-dedup.xlsx\n"
    assert nostra("download", "demo-dedup", "-o", "x.json", env=env).out == "x.json\n"


def test_to_stdout(nostra: Runner) -> None:
    ended = nostra("download", "demo-dedup", "-f", "csv", "-o", "-")
    rows = list(csv.reader(io.StringIO(ended.out)))
    assert (ended.code, rows[0], ended.err) == (0, ["ID", "Group"], "")
    assert nostra.files() == []


def test_stdout_is_not_for_two_things(nostra: Runner) -> None:
    assert nostra("download", "demo-dedup", "-o", "-", "--json").code == 2


def test_json_describes_each_file(nostra: Runner) -> None:
    [entry] = nostra("download", "demo-dedup", "-f", "csv", "--json").json()
    content = (nostra.cwd / "demo-dedup.csv").read_bytes()
    assert entry.pop("seconds") >= 0
    assert entry == {
        "invocation": "demo-dedup",
        "result": ids(nostra, "demo-dedup")[0],
        "format": "csv",
        "path": "demo-dedup.csv",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "resumed": False,
        "status": "downloaded",
    }


def test_an_existing_file_is_an_error_and_stays(nostra: Runner) -> None:
    file = nostra.cwd / "demo-dedup.csv"
    file.write_text("mine")
    ended = nostra("download", "demo-dedup", "-f", "csv", "-f", "json")
    assert (ended.code, ended.out) == (8, "demo-dedup.json\n")
    assert file.read_text() == "mine"


def test_overwrite_replaces_and_keeps_the_mode(nostra: Runner) -> None:
    file = nostra.cwd / "demo-dedup.csv"
    file.write_text("old")
    file.chmod(0o640)
    assert nostra("download", "demo-dedup", "-f", "csv", "--overwrite").code == 0
    assert file.read_text().startswith("ID,Group\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert nostra.files() == ["demo-dedup.csv"]


def test_skip_existing_leaves_it_and_counts_it_as_done(nostra: Runner) -> None:
    file = nostra.cwd / "demo-dedup.csv"
    file.write_text("mine")
    ended = nostra("download", "demo-dedup", "-f", "csv", "--skip-existing", "--json")
    [entry] = ended.json()
    assert (ended.code, entry["status"], entry["bytes"]) == (0, "skipped", 4)
    assert entry["sha256"] == hashlib.sha256(b"mine").hexdigest()
    assert file.read_text() == "mine"


def test_names_by_template_in_a_directory(nostra: Runner) -> None:
    (nostra.cwd / "out").mkdir()
    result = ids(nostra, "demo-dedup")[0]
    name = "{format}-{result}-{invocation}.data"
    ended = nostra("download", "demo-dedup", "-d", "out", "--name", name)
    assert ended.out == f"out/json-{result}-demo-dedup.data\n"


def test_a_hostile_id_makes_a_name_inside_the_directory(home: Path, tmp_path: Path) -> None:
    from tests.sandbox.calling import faulty

    with faulty('[invocation."../../x/.."]\nresults = 1\nbytes = 300\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "../../x/..", "-f", "csv")
        assert ended.out == "%2E.%2F..%2Fx%2F...csv\n"
        assert nostra.files() == ["%2E.%2F..%2Fx%2F...csv"]


def test_several_ids_in_the_order_asked_for(nostra: Runner) -> None:
    ended = nostra("download", "demo-demand", "nope", "-", "-f", "csv", stdin="demo-dedup\n")
    assert (ended.code, ended.out) == (4, "demo-demand.csv\ndemo-dedup.csv\n")


def test_wait_first(home: Path, tmp_path: Path) -> None:
    with serving() as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        assert nostra("download", "demo", "-f", "csv").code == 9
        ended = nostra("download", "demo", "-f", "csv", "--wait", "--timeout", "30s")
    assert (ended.code, ended.out) == (0, "demo.csv\n")


def test_wait_gives_what_is_done_before_the_deadline(nostra: Runner) -> None:
    args = ["demo-stuck", "demo-dedup", "-f", "csv", "--wait", "--timeout", "1s"]
    ended = nostra("download", *args)
    assert (ended.code, ended.out) == (124, "demo-dedup.csv\n")


@pytest.mark.parametrize("level", ["auto", "full", "off"])
@pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])
def test_verify_passes_what_is_sound(nostra: Runner, level: str, format_: str) -> None:
    assert nostra("download", "demo-demand", "-f", format_, "--verify", level).code == 0


def test_a_large_result(nostra: Runner) -> None:
    ended = nostra("download", "demo-large", "-f", "csv", "-f", "json")
    assert ended.code == 0
    for name in nostra.files():
        assert (nostra.cwd / name).stat().st_size == LARGE_BYTES


def test_nothing_is_requested_twice(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    nostra("download", "demo-dedup", "-f", "all")
    asked = [request.path.rpartition("/")[2] for request in sandbox.requests]
    assert (asked[0], sorted(asked[1:])) == ("demo-dedup", ["csv", "json", "xlsx"])
