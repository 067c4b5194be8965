"""What the contract says of every command and of a download, and no room holds alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nostra_cli.cli.app import COMMANDS
from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.running import HURRIED, Runner
from tests.sandbox.calling import fault, faulty

# Each with its operands, and how it ends.
RUNS = {
    "status": (("demo-dedup",), 0),
    "wait": (("demo-dedup",), 0),
    "results": (("demo-dedup",), 0),
    "download": (("demo-dedup", "-f", "csv"), 0),
    "preview": (("demo-dedup",), 0),
    "login": ((), 0),
    "logout": ((), 0),
    "config": (("get", "base_url"), 0),
    "doctor": ((), 0),
    "api": (("api/collection",), 0),
    "completion": (("bash",), 0),
    "sandbox": (("exec",), 2),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_shared_options_come_behind_name_and_operands(
    bare: Runner, sandbox: Sandbox, name: str
) -> None:
    """Each of them, and stdout is JSON or nothing: as `--json` says."""
    operands, code = RUNS[name]
    config = Path(bare.env["NOSTRA_CONFIG"])
    config.parent.mkdir(mode=0o700)
    config.write_text(f'[profiles.mine]\ntoken = "{sandbox.token}"\n')
    config.chmod(0o600)
    shared = ["--profile", "mine", "--base-url", sandbox.base_url, "--json", "--quiet"]
    ended = bare(name, *operands, *shared, "--verbose", "--color", "never", stdin=sandbox.token)
    assert ended.code == code, ended.err
    assert sandbox.token not in ended.err
    for line in ended.out.splitlines():
        assert json.loads(line) is not None


def test_a_pipe_gets_everything_on_one_line_whatever_the_width(home: Path, tmp_path: Path) -> None:
    long = "very " * 400 + "long"
    with faulty(fault(f'body = \'{{"status": "{long}"}}\'', "*")) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        for args in (["status", "x"], ["wait", "x", "--timeout", "0.5s"]):
            ended = nostra(*args, env={"COLUMNS": "20"})
            said = ended.out if args[0] == "status" else ended.err
            assert long in said.splitlines()[0]
    assert nostra("config", "list", env={"COLUMNS": "20"}).out.count("\r") == 0


def test_names_do_not_come_from_the_server(home: Path, tmp_path: Path) -> None:
    header = "headers = { Content-Disposition = 'attachment; filename=\"../../evil.sh\"' }"
    with faulty(fault(header)) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        assert nostra("download", "demo-dedup", "-f", "csv").out == "demo-dedup.csv\n"
    assert nostra.files() == ["demo-dedup.csv"]
    assert not list(tmp_path.parent.glob("evil*"))


def test_off_looks_at_the_length_only_and_the_other_levels_at_the_format(
    home: Path, tmp_path: Path
) -> None:
    ragged, short = fault('body = "a,b\\n1,2,3\\n"\ntimes = 3'), fault("cut_after = 100")
    with faulty(ragged + short) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ("download", "demo-dedup", "-f", "csv", "--overwrite", "--verify")
        assert nostra(*args, "auto").code == 7
        assert nostra(*args, "full").code == 7
        assert nostra(*args, "off").code == 0
        assert (tmp_path / "demo-dedup.csv").read_text() == "a,b\n1,2,3\n"
        assert nostra(*args, "off", command=HURRIED).code == 7
    assert (tmp_path / "demo-dedup.csv").read_text() == "a,b\n1,2,3\n"


@pytest.mark.parametrize(
    "trouble", ["rate = 1000", "status = 503\nretry_after = 1"], ids=["transfer", "retries"]
)
def test_one_deadline_covers_waiting_retries_and_transfer(
    home: Path, tmp_path: Path, trouble: str
) -> None:
    job = '[invocation.job]\nstatuses = ["running", "completed"]\nresults = 1\nbytes = 100_000\n'
    with faulty(job + fault(trouble, "*/csv")) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra(
            "download", "job", "-f", "csv", "--wait", "--timeout", "2s", "--json", seconds=25
        )
    assert (ended.code, ended.out, ended.error["kind"]) == (124, "", "deadline")
    assert sandbox.requests[-1].path.endswith("/csv")  # the wait was over
    assert not (tmp_path / "job.csv").exists()


@pytest.mark.parametrize(("seconds", "when"), [(0, "now"), (7, "in 7 s")])
def test_a_retry_says_when_and_which_attempt_comes(
    home: Path, tmp_path: Path, seconds: int, when: str
) -> None:
    with faulty(fault(f"status = 503\nretry_after = {seconds}\ntimes = 1", "*")) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("status", "demo-dedup", command=HURRIED)
    assert (ended.code, ended.out) == (0, "demo-dedup\tcompleted\n")
    assert ended.err.endswith(f"; retrying {when} (attempt 2 of 5)\n")
    assert "503" in ended.err
