"""`nostra download -j`: many results at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

MANY = "[invocation.many]\nresults = 30\nbytes = 2000\n"


@pytest.mark.parametrize("jobs", ["1", "3", "64"])
def test_the_order_is_the_one_asked_for(home: Path, tmp_path: Path, jobs: str) -> None:
    slow_first = '[[fault]]\npath = "*/csv"\ntimes = 1\ndelay = 0.5\n'
    with faulty(MANY + slow_first) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        expected = [line.split("\t")[0] for line in nostra("results", "many").out.splitlines()]
        ended = nostra("download", "many", "--all-results", "-f", "csv", "-j", jobs, "--json")
    assert ended.code == 0
    assert [entry["result"] for entry in ended.json()] == expected
    assert len(nostra.files()) == 30


def test_a_failure_among_many_leaves_the_others(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/csv"\nafter = 3\ntimes = 2\nstatus = 400\n'
    with faulty(MANY + rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "many", "--all-results", "-f", "csv", "-j", "4")
    assert ended.code == 6
    assert len(ended.out.splitlines()) == len(nostra.files()) == 28
    assert ended.err.count("error: ") == 2


def test_a_refused_token_ends_all_of_it(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/csv"\nafter = 3\nstatus = 401\n'
    with faulty(MANY + rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "many", "--all-results", "-f", "csv", "-j", "4")
        assert ended.code == 3
        assert len(sandbox.requests) <= 1 + 3 + 4
    assert ended.err.count("error: ") == 1
    # Only of the three bodies that were sent; one that the end has cut may be resumed.
    assert len({name.removeprefix(".").partition(".csv")[0] for name in nostra.files()}) <= 3


def test_what_was_finished_before_a_refusal_is_reported(home: Path, tmp_path: Path) -> None:
    """Also what waits for its turn behind a slower transfer."""
    jobs = "".join(f"[invocation.{name}]\nbytes = 2000\n" for name in ("slow", "quick", "refused"))
    slow = '[[fault]]\npath = "*/slow/csv"\ndelay = 60\n'
    refused = '[[fault]]\npath = "*/refused/csv"\ndelay = 1\nstatus = 401\n'
    with faulty(jobs + slow + refused) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "slow", "quick", "refused", "-f", "csv", "--checksums")
    assert ended.code == 3
    written = [path.name for path in tmp_path.glob("[!.]*.csv")]  # none on a very slow machine
    assert ended.out.splitlines() == written
    if written:
        assert (tmp_path / "SHA256SUMS").read_text()[66:] == "quick.csv\n"


def test_many_transfers_share_one_retry_budget(home: Path, tmp_path: Path) -> None:
    """One budget of retries for all: 30 results and one status, and 20 retries."""
    with faulty(MANY + '[[fault]]\npath = "*/csv"\nstatus = 503\nretry_after = 0\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "many", "--all-results", "-f", "csv")
        assert (ended.code, nostra.files()) == (6, [])
        assert len(sandbox.requests) <= 1 + 30 + 20


def test_what_becomes_final_during_a_transfer_is_downloaded_beside_it(
    home: Path, tmp_path: Path
) -> None:
    jobs = "[invocation.slow]\nresults = 1\nbytes = 12_000\n[invocation.late]\nresults = 1\n"
    late = 'statuses = ["running", "running", "completed"]\nbytes = 300\n'
    slow = '[[fault]]\npath = "*/slow/csv"\nrate = 4000\n'
    with faulty(jobs + late + slow) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ["download", "slow", "late", "--wait", "--interval", "0.3", "-f", "csv"]
        ended = nostra(*args, "-d", "out", "--checksums")
    assert (ended.code, ended.out) == (0, "out/slow.csv\nout/late.csv\n")
    first, second = (tmp_path / "out" / name for name in ("late.csv", "slow.csv"))
    assert first.stat().st_mtime < second.stat().st_mtime - 1
    sums = (tmp_path / "out" / "SHA256SUMS").read_text()
    assert [line[66:] for line in sums.splitlines()] == ["slow.csv", "late.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_an_interrupt_keeps_what_each_has(home: Path, tmp_path: Path) -> None:
    many = "[invocation.many]\nresults = 5\nbytes = 2_000_000\n"
    slow = '[[fault]]\npath = "*/csv"\nrate = 500000\n'
    with faulty(many + slow) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = subprocess.Popen(
            [NOSTRA, "download", "many", "--all-results", "-f", "csv"],
            cwd=tmp_path,
            env=dict(nostra.env),
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + 20
        while len([p for p in tmp_path.glob(".*.part") if p.stat().st_size > 100_000]) < 5:
            assert time.monotonic() < end
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert time.monotonic() - began < 1.5
        assert b" of 5 files. Run the same command to resume:" in err
        assert len(list(tmp_path.glob(".*.part"))) == 5
        sandbox.requests.clear()
    assert b"Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize("option", ["", "--skip-existing", "--overwrite"])
def test_an_interrupt_says_how_to_leave_out_what_is_complete(
    home: Path, tmp_path: Path, option: str
) -> None:
    slow = '[[fault]]\npath = "*/demo-large/csv"\nrate = 100000\n'
    args = ["download", "demo-large", "demo-dedup", "-f", "csv", *filter(None, [option])]
    with faulty(slow) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = subprocess.Popen(
            [NOSTRA, *args], cwd=tmp_path, env=dict(nostra.env), stderr=subprocess.PIPE
        )
        part = tmp_path / ".demo-large.csv.part"
        end = time.monotonic() + 20
        while not (
            (tmp_path / "demo-dedup.csv").exists() and part.exists() and part.stat().st_size
        ):
            assert time.monotonic() < end
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    noted = b"Some files are there already: add --skip-existing to leave them out.\n" in err
    assert noted is (option == "")


@pytest.mark.parametrize("jobs", ["0", "-1", "65", "many"])
def test_a_number_out_of_range_is_refused(home: Path, tmp_path: Path, jobs: str) -> None:
    with faulty("") as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("download", "x", "-j", jobs)
    assert (ended.code, len(sandbox.requests)) == (2, 0)


LOADED_BY_THREADS = """
import sys, threading
def note(event, arguments):
    in_thread = threading.current_thread() is not threading.main_thread()
    if event == "import" and in_thread and arguments[0] not in sys.modules:
        sys.stderr.write(f"a thread loads {arguments[0]}\\n")
sys.addaudithook(note)
from nostra_cli.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("options", [(), ("--checksums",), ("--verify", "full", "--wait")])
def test_threads_load_no_modules(options: tuple[str, ...], nostra: Runner) -> None:
    """With few file descriptors, none may be left to load one."""
    command = (sys.executable, "-c", LOADED_BY_THREADS)
    ended = nostra("download", "demo-dedup", "-f", "all", *options, command=command)
    assert ended.code == 0
    assert [name for name in nostra.files() if "SUMS" not in name] == [
        "demo-dedup.csv",
        "demo-dedup.json",
        "demo-dedup.xlsx",
    ]
    assert "a thread loads" not in ended.err
