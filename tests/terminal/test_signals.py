"""Ctrl-C, Ctrl-Z and a terminal that closes: it is left as found, and partial files are kept."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.faults.catalogue import covers
from tests.running import NOSTRA, Runner, shell_code
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.terminal import HIDE_CURSOR, Terminal, cursor_is_shown, terminal

SLOW = '[[fault]]\npath = "*/csv"\nrate = 300000\n'
LARGE = ["download", "demo-large", "-f", "csv"]
WAIT = ["wait", "demo-stuck", "--interval", "1h"]
PART = ".demo-large.csv.part"
SIZE = 600_064
SUSPENDED = b"stopped\r\n"
# Acts as a shell: the command has the terminal until it stops, and again after a key press.
SHELL = (
    sys.executable,
    "-Sc",
    """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    os.tcsetpgrp(0, os.getpgrp())
    os.write(1, b"stopped\\n")
    os.read(0, 1)
    os.tcsetpgrp(0, child)
    os.kill(child, signal.SIGCONT)
""",
)


@contextmanager
def drawing(nostra: Runner, args: Sequence[str], *before: str) -> Iterator[Terminal]:
    """Run it at its controlling terminal, and wait until something is drawn."""
    command = [*before, NOSTRA, *args]
    with terminal(command, nostra.env, nostra.cwd, controlling=True) as shown:
        shown.read_until(HIDE_CURSOR)
        yield shown


@pytest.fixture
def slow(home: Path, tmp_path: Path) -> Iterator[Runner]:
    with faulty(SLOW, large_bytes=SIZE) as sandbox:
        yield runner_for(sandbox, home, tmp_path)


@covers("second-int")
@pytest.mark.parametrize("args", [LARGE, WAIT])
def test_two_quick_ctrl_c_show_the_cursor(slow: Runner, args: list[str]) -> None:
    with drawing(slow, args) as shown:
        shown.type(b"\x03\x03")
        assert shell_code(shown.read_to_end()) == 130
    assert cursor_is_shown(shown.seen)


@covers("cursor")
def test_ctrl_backslash_shows_the_cursor(slow: Runner) -> None:
    with drawing(slow, LARGE) as shown:
        shown.type(b"\x1c")
        assert shown.read_to_end() == -signal.SIGQUIT
    assert cursor_is_shown(shown.seen)


@covers("cursor")
def test_ctrl_c_is_on_the_line_it_erases(slow: Runner) -> None:
    """`^C` is drawn by the terminal behind the bar: it must not wrap to a line of its own."""
    with drawing(slow, LARGE) as shown:
        shown.type(b"\x03")
        assert shown.read_to_end() == 130
    screen = shown.screen()
    assert screen[0].startswith("Kept ")
    assert screen[0].endswith(" of demo-large.csv. Run the same command to resume:")
    assert [line.strip() for line in screen[1:]] == ["nostra download demo-large -f csv"]


@covers("cursor")
def test_without_a_display_ctrl_c_ends_its_line(slow: Runner) -> None:
    with terminal([NOSTRA, "sandbox"], slow.env, slow.cwd, columns=300, controlling=True) as shown:
        shown.read_until(b"demo-large\r\n")
        shown.type(b"\x03")
        assert shown.read_to_end() == 130
    assert shown.seen.endswith(b"demo-large\r\n^C\r\n")


@covers("cursor")
def test_ctrl_z_leaves_the_terminal_to_the_shell(slow: Runner) -> None:
    with drawing(slow, LARGE, *SHELL) as shown:
        shown.type(b"\x1a")
        seen = shown.read_until(SUSPENDED)
        assert cursor_is_shown(seen)
        count = seen.count(HIDE_CURSOR)
        shown.type(b"\n")
        shown.read_until(HIDE_CURSOR, count=count + 1)  # it is drawn again
        assert shown.read_to_end() == 0
    assert cursor_is_shown(shown.seen)
    assert slow.files() == ["demo-large.csv"]


@covers("signals")
@pytest.mark.parametrize("args", [LARGE, WAIT])
def test_a_terminal_that_closes_ends_it(slow: Runner, args: list[str]) -> None:
    with drawing(slow, args) as shown:
        if args is LARGE:
            shown.read_until(b"/586.0 KiB")
        shown.hang_up()
        assert shown.process.wait(10) == 129
    assert slow.files() == ([PART, f"{PART}.json"] if args is LARGE else [])


@covers("signals")
@pytest.mark.parametrize("streams", ["", " > out", " 2> err", " > out 2> err"])
def test_with_hup_ignored_the_work_continues(slow: Runner, streams: str) -> None:
    code = slow.cwd / "code"
    script = f"trap '' HUP; {NOSTRA} {' '.join(LARGE)}{streams}; echo $? > {code}.new"
    script += f"; mv {code}.new {code}"
    command = ["sh", "-c", script]
    with terminal(command, slow.env, slow.cwd, controlling=True) as shown:
        shown.wait_for((slow.cwd / PART).exists)
        shown.hang_up()
        shown.wait_for(code.exists)
    assert code.read_text() == "0\n"
    assert (slow.cwd / "demo-large.csv").stat().st_size == SIZE


@covers("signals")
@pytest.mark.parametrize("keys", [b"\x03", b"\x03\x03"])
def test_ctrl_c_ends_the_sandbox_and_its_command(home: Path, tmp_path: Path, keys: bytes) -> None:
    (tmp_path / "slow.toml").write_text(SLOW)
    args = ["sandbox", "--scenario", "slow.toml", "--large-size", str(SIZE)]
    nostra = Runner(tmp_path, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm"})
    with drawing(nostra, [*args, "exec", "--", NOSTRA, *LARGE]) as shown:
        shown.type(keys)
        assert shell_code(shown.read_to_end()) == 130
    assert cursor_is_shown(shown.seen)
    if len(keys) == 1:
        assert b"of demo-large.csv. Run the same command to resume:" in shown.seen
        assert PART in nostra.files()


@covers("signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_for_the_sandbox_alone_is_passed_on(
    home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "slow.toml").write_text(SLOW)
    args = ["sandbox", "--scenario", "slow.toml", "--large-size", str(SIZE), "exec", "--"]
    nostra = Runner(tmp_path, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm"})
    with terminal([NOSTRA, *args, NOSTRA, *LARGE], nostra.env, nostra.cwd) as shown:
        shown.read_until(HIDE_CURSOR)
        shown.process.send_signal(number)
        assert shown.read_to_end() == 128 + number
    assert b"of demo-large.csv. Run the same command to resume:" in shown.seen


@covers("signals")
def test_a_term_after_an_int_still_cleans_up(slow: Runner) -> None:
    with drawing(slow, LARGE) as shown:
        shown.process.send_signal(signal.SIGINT)
        shown.process.send_signal(signal.SIGTERM)
        shown.read_to_end()  # with the code of either: which comes first is up to the system
    assert cursor_is_shown(shown.seen)
    assert b"of demo-large.csv. Run the same command to resume:" in shown.seen
