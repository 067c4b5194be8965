"""Signals, closed streams, and terminals that misbehave."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.e2e.test_schemas import check
from tests.faults.catalogue import covers
from tests.running import NOSTRA, Ended, Runner, check_invariants, shell_code
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("these are signals of POSIX", allow_module_level=True)

from tests.terminal import HIDE_CURSOR, SHOW_CURSOR, terminal

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SLOW = '[[fault]]\npath = "*/csv"\nrate = 300000\n'
LARGE = ["download", "demo-large", "-f", "csv"]


def start(nostra: Runner, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [NOSTRA, *args],
        cwd=nostra.cwd,
        env=dict(nostra.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes], number: int, nostra: Runner) -> Ended:
    """Send a signal; the process has a second."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 1.5
    ended = Ended(process.returncode, out.decode(), err.decode())
    check_invariants(ended, nostra.env["NOSTRA_TOKEN"])
    return ended


@covers("signals")
@pytest.mark.parametrize("number", CODES)
def test_in_a_poll(number: signal.Signals, home: Path, tmp_path: Path) -> None:
    with faulty('[[fault]]\npath = "*"\ndelay = 60\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = start(nostra, "wait", "demo")
        until(lambda: sandbox.requests)
        assert end(process, number, nostra).code == CODES[number]


@covers("signals")
@pytest.mark.parametrize("number", CODES)
def test_in_a_sleep(number: signal.Signals, sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    nostra = runner_for(sandbox, home, tmp_path)
    process = start(nostra, "wait", "demo-stuck", "--interval", "1h")
    assert process.stderr is not None
    assert process.stderr.readline() == b"demo-stuck: running\n"
    assert end(process, number, nostra).code == CODES[number]


@covers("signals")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc of Linux")
@pytest.mark.parametrize(
    ("args", "requests"), [(["wait", "demo"], 1), (["download", "demo", "demo-large"], 2)]
)
def test_only_the_main_thread_takes_signals(
    args: list[str], requests: int, home: Path, tmp_path: Path
) -> None:
    """Another one could take all of several at once: the main thread would then wait on."""
    with faulty('[[fault]]\npath = "*"\ndelay = 60\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = start(nostra, *args)
        until(lambda: len(sandbox.requests) == requests)
        threads = Path(f"/proc/{process.pid}/task")
        until(lambda: blocked_signals(threads / str(process.pid)) == 0)  # it starts threads
        others = [blocked_signals(t) for t in threads.iterdir() if t.name != str(process.pid)]
        assert end(process, signal.SIGTERM, nostra).code == 143
    assert others
    assert set(others) == {sum(1 << (number - 1) for number in CODES)}


def blocked_signals(thread: Path) -> int:
    """Return the bits of those in CODES that a thread blocks."""
    status = (thread / "status").read_text()
    found = re.search(r"^SigBlk:\s*([0-9a-f]+)$", status, re.MULTILINE)
    assert found is not None
    return int(found[1], 16) & sum(1 << (number - 1) for number in CODES)


@covers("signals")
@pytest.mark.parametrize("number", CODES)
def test_in_a_transfer(number: signal.Signals, home: Path, tmp_path: Path) -> None:
    with faulty(SLOW, large_bytes=2_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = start(nostra, *LARGE)
        part = tmp_path / ".demo-large.csv.part"
        until(lambda: part.exists() and part.stat().st_size > 50_000)
        ended = end(process, number, nostra)
        assert (ended.code, ended.out) == (CODES[number], "")
        first, second = ended.err.splitlines()[-2:]
        assert re.fullmatch(
            r"Kept \S+ KiB of demo-large\.csv\. Run the same command to resume:", first
        )
        assert second == "  nostra download demo-large -f csv"
        assert nostra.files() == [part.name, f"{part.name}.json"]
        sandbox.requests.clear()
        again = nostra(*LARGE, "--json")
    assert again.json()[0]["resumed"] is True
    assert nostra.files() == ["demo-large.csv"]


@covers("signals")
def test_in_a_transfer_with_json(home: Path, tmp_path: Path) -> None:
    with faulty(SLOW, large_bytes=2_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = start(nostra, *LARGE, "--json")
        part = tmp_path / ".demo-large.csv.part"
        until(lambda: part.exists() and part.stat().st_size > 50_000)
        ended = end(process, signal.SIGTERM, nostra)
    assert (ended.code, ended.out) == (143, "")
    check("error", {"error": ended.error})
    error = ended.error
    assert (error["code"], error["kind"], error["message"]) == (143, "signal", "ended by SIGTERM")
    kept = r"kept \S+ KiB of demo-large\.csv; the same command resumes"
    assert re.fullmatch(kept, str(error["hint"]))


@covers("second-int")
def test_a_second_interrupt_ends_at_once(home: Path, tmp_path: Path) -> None:
    with faulty('[[fault]]\npath = "*"\ndelay = 60\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = start(nostra, "wait", "demo")
        until(lambda: sandbox.requests)
        process.send_signal(signal.SIGINT)
        assert shell_code(end(process, signal.SIGINT, nostra).code) == 130


@covers("signals")
def test_an_ignored_signal_stays_ignored(home: Path, tmp_path: Path) -> None:
    with faulty('[invocation.job]\nstatuses = ["running", "completed"]') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        script = f"trap '' HUP; {NOSTRA} wait job --interval 1 & kill -HUP $!; wait $!"
        assert nostra(command=["sh", "-c", script]).code == 0


@covers("cursor")
@pytest.mark.parametrize("number", CODES)
def test_the_cursor_comes_back(number: signal.Signals, home: Path, tmp_path: Path) -> None:
    with faulty(SLOW, large_bytes=2_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        with terminal([NOSTRA, *LARGE], nostra.env, tmp_path) as shown:
            shown.read_until(HIDE_CURSOR)
            shown.process.send_signal(number)
            assert shown.read_to_end() == CODES[number]
    assert shown.seen.rpartition(HIDE_CURSOR)[2].count(SHOW_CURSOR) == 1
    assert b"Run the same command to resume:" in shown.seen


@covers("pipe")
@pytest.mark.parametrize("args", ["download demo-large -f csv -o -", "results demo-partial"])
def test_head_is_enough(args: str, home: Path, tmp_path: Path) -> None:
    with faulty("", large_bytes=5_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        script = f"set -o pipefail; {NOSTRA} {args} | head -1"
        ended = nostra(command=["bash", "-c", script])
    assert ended.err == ""
    assert len(ended.out.splitlines()) == 1


@covers("pipe")
def test_a_closed_pipe_is_141(home: Path, tmp_path: Path) -> None:
    with faulty("", large_bytes=5_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        script = f"{NOSTRA} download demo-large -f csv -o - | true; echo ${{PIPESTATUS[0]}}"
        ended = nostra(command=["bash", "-c", script])
    assert (ended.out, ended.err) == ("141\n", "")


@covers("streams")
@pytest.mark.parametrize(
    ("redirect", "code"), [("2>&-", 4), (">&-", 8), (">&- 2>&-", 8), ("<&-", 4), ("2>/dev/full", 4)]
)
def test_closed_streams(nostra: Runner, redirect: str, code: int) -> None:
    for args in ("status demo-dedup nope", "download demo-dedup nope -f csv --overwrite"):
        ended = nostra(command=["sh", "-c", f"{NOSTRA} {args} {redirect}"])
        assert ended.code == code, ended
    assert not [name for name in nostra.files() if name.endswith(".part")]
    saved = (nostra.cwd / "demo-dedup.csv").read_text()
    assert saved.startswith("ID,Group\n")


@covers("streams")
@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_other_locales(env: dict[str, str], home: Path, tmp_path: Path) -> None:
    body = '{"status": "läuft \\u20ac"}'
    with faulty(f"[[fault]]\npath = '*'\nbody = '{body}'") as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("status", "x", env={"LANG": "", **env})
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("x\tl")


@covers("streams")
def test_resize_suspend_and_resume(home: Path, tmp_path: Path) -> None:
    with faulty(SLOW, large_bytes=1_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        with terminal([NOSTRA, *LARGE], nostra.env, tmp_path, columns=1) as shown:
            shown.read_until(b"\x1b[?25l")
            shown.process.send_signal(signal.SIGWINCH)
            shown.process.send_signal(signal.SIGSTOP)
            os.kill(shown.process.pid, 0)
            shown.process.send_signal(signal.SIGCONT)
            assert shown.read_to_end() == 0
    assert nostra.files() == ["demo-large.csv"]
