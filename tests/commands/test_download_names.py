"""`nostra download`: no two items of one run share a file, and no item spoils SHA256SUMS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.running import Runner
from tests.sandbox.calling import faulty

A = "[invocation.a]\nresults = 2\nbytes = 300\n"
EXISTING: list[list[str]] = [[], ["--overwrite"], ["--skip-existing"]]


@pytest.fixture(scope="module")
def twins() -> Iterator[tuple[Sandbox, str]]:
    """Start a sandbox where `a-x.csv` is a result of `a` and the primary result of `a-x`."""
    with faulty(A) as sandbox:
        other = sandbox_results(sandbox)
    both = f'{A}[invocation."a-{other}"]\nresults = 1\nbytes = 900\n'
    with faulty(both) as sandbox:
        yield sandbox, other


def sandbox_results(sandbox: Sandbox) -> str:
    """Return the id of the accessory result of `a`."""
    import requests

    headers = {"Authorization": f"Token {sandbox.token}"}
    found = requests.get(f"{sandbox.base_url}/api/invocation/a", headers=headers, timeout=9).json()
    results = found["invocationResults"]
    [other] = [id_ for id_, result in results.items() if not result["primaryResult"]]
    return str(other)


@pytest.mark.parametrize("jobs", ["1", "8"])
@pytest.mark.parametrize("existing", EXISTING)
def test_two_invocations_never_share_a_file(
    twins: tuple[Sandbox, str], home: Path, tmp_path: Path, existing: list[str], jobs: str
) -> None:
    sandbox, other = twins
    nostra = runner_for(sandbox, home, tmp_path)
    args = ["--all-results", "-f", "csv", "-j", jobs, *existing]
    ended = nostra("download", "a", f"a-{other}", *args)
    assert (ended.code, ended.out) == (8, f"a.csv\na-{other}.csv\n")
    assert f"error: a-{other}.csv is already the file of another result of this run" in ended.err
    assert len((tmp_path / f"a-{other}.csv").read_bytes()) < 700
    assert nostra.files() == sorted([f"a-{other}.csv", "a.csv"])


@pytest.mark.parametrize("existing", EXISTING)
def test_one_name_for_several_formats_is_that_of_the_first(
    nostra: Runner, existing: list[str]
) -> None:
    args = ["-f", "all", "--name", "x", *existing]
    ended = nostra("download", "demo-dedup", *args)
    assert (ended.code, ended.out, nostra.files()) == (8, "x\n", ["x"])
    assert ended.err.count("error: ") == 2
    assert "--name" in ended.err
    assert (nostra.cwd / "x").read_bytes().startswith(b"[")


def test_one_name_for_several_invocations_is_that_of_the_first(nostra: Runner) -> None:
    ended = nostra("download", "demo-dedup", "demo-demand", "-f", "csv", "--name", "x.csv")
    assert (ended.code, ended.out, nostra.files()) == (8, "x.csv\n", ["x.csv"])
    assert (nostra.cwd / "x.csv").read_text().startswith("ID,Group")


def test_another_run_may_overwrite_it(nostra: Runner) -> None:
    for invocation in ("demo-dedup", "demo-demand"):
        args = ["-f", "csv", "--name", "x.csv", "--overwrite"]
        assert nostra("download", invocation, *args).code == 0


@pytest.mark.parametrize(
    "where",
    [
        ["-o", "SHA256SUMS"],
        ["-o", "out/SHA256SUMS"],
        ["--name", "SHA256SUMS"],
        ["--name", "sha256sums"],
        ["-d", "new", "--name", "SHA256SUMS"],
    ],
)
def test_sha256sums_is_not_a_valid_name_for_a_result(
    nostra: Runner, sandbox: Sandbox, where: list[str]
) -> None:
    (nostra.cwd / "out").mkdir()
    sandbox.requests.clear()
    ended = nostra("download", "demo-dedup", "-f", "csv", "--checksums", "--overwrite", *where)
    assert (ended.code, len(sandbox.requests), nostra.files()) == (2, 0, ["out"])
    assert nostra("download", "demo-dedup", "-f", "csv", *where).code == 0


def test_a_result_with_the_name_of_the_hashes_is_refused_when_it_is_known(
    home: Path, tmp_path: Path
) -> None:
    with faulty("[invocation.SHA256SUMS]\nresults = 1\n") as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ["SHA256SUMS", "-f", "csv", "--checksums", "--name", "{invocation}"]
        assert (nostra("download", *args).code, nostra.files()) == (2, [])


def test_a_directory_is_made_when_the_first_file_is_written(nostra: Runner) -> None:
    folder = Path("a", "b")
    ended = nostra("download", "nope", "demo-dedup", "-f", "csv", "-d", str(folder), "--checksums")
    assert (ended.code, ended.out) == (4, f"{folder / 'demo-dedup.csv'}\n")
    content = (nostra.cwd / folder / "demo-dedup.csv").read_bytes()
    sums = (nostra.cwd / folder / "SHA256SUMS").read_text()
    assert sums == f"{hashlib.sha256(content).hexdigest()}  demo-dedup.csv\n"


@pytest.mark.parametrize(
    ("args", "code"), [(["nope"], 4), (["demo-dedup", "-r", "none"], 4), (["demo-stuck"], 9)]
)
def test_a_directory_is_not_made_when_nothing_is_written(
    nostra: Runner, args: list[str], code: int
) -> None:
    assert nostra("download", *args, "-d", "a/b", "--checksums").code == code
    assert nostra.files() == []


def test_a_directory_is_not_made_for_a_body_that_never_comes(home: Path, tmp_path: Path) -> None:
    with faulty('[[fault]]\npath = "*/csv"\nstatus = 400\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        assert nostra("download", "demo-dedup", "-f", "csv", "-d", "a/b").code == 6
        assert nostra.files() == []


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.csv.gz"])
def test_a_suffix_that_is_not_a_format_causes_a_warning(nostra: Runner, name: str) -> None:
    suffix = Path(name).suffix
    ended = nostra("download", "demo-dedup", "-o", name)
    assert (ended.code, ended.out) == (0, f"{name}\n")
    assert ended.err == (
        f"warning: {suffix} is not a result format; -o {name} will contain the first format "
        "available\n"
    )


@pytest.mark.parametrize("args", [["-o", "a.csv"], ["-o", "a"], ["-o", "a.pdf", "-f", "csv"]])
def test_other_names_are_not_warned_of(nostra: Runner, args: list[str]) -> None:
    assert nostra("download", "demo-dedup", *args).err == ""
