"""Exit codes of unexpected errors and of signals."""

from __future__ import annotations

import _thread
import errno
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence

import pytest

from nostra_cli.cli import interrupts, main
from nostra_cli.cli.main import unexpected_error
from nostra_cli.errors import ExitCode, KeptPart, NotFound, Signalled
from nostra_cli.output import streams
from nostra_cli.output.console import Output
from tests.output.screens import Screen


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as found:  # noqa: BLE001 - any
        return found


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NotFound("no invocation 'x'"), 4, "no invocation 'x'"),
        (MemoryError(), 8, "not enough memory"),
        (RecursionError("maximum"), 7, "the data is nested too deeply"),
        (OSError(errno.EMFILE, "x"), 8, "too many open files"),
        (OSError(errno.ENFILE, "x"), 8, "too many open files"),
        (OSError(errno.EACCES, "Permission denied", "/x"), 8, "Permission denied (/x)"),
        (OSError("odd"), 1, "internal error: OSError at"),
        (RuntimeError("secret"), 1, "internal error: RuntimeError at"),
    ],
)
def test_an_unexpected_error_has_a_code(error: Exception, code: int, message: str) -> None:
    found = unexpected_error(raised(error))
    assert found.code == code
    assert message in found.message
    assert "secret" not in found.message


def test_a_bug_is_named_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parsed(_argv: object, _bold: bool) -> str:
        return str(int("x"))

    code = parsed.__code__.replace(co_filename=main.__file__.replace("main.py", "odd.py"))
    monkeypatch.setattr(parsed, "__code__", code)
    monkeypatch.setattr(main, "_parsed", parsed)
    assert main.main(["status"]) == 1
    err = capsys.readouterr().err
    assert f"internal error: ValueError at cli/odd.py:{code.co_firstlineno + 1} " in err
    assert "invalid literal" not in err


def test_the_display_is_closed_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[bool] = []

    def parsed(_argv: Sequence[str], _bold: bool) -> str:
        raise NotFound("no invocation 'x'")

    monkeypatch.setattr(Output, "close", lambda _out: closed.append(True))
    monkeypatch.setattr(main, "_parsed", parsed)
    assert main.main(["status", "x"]) == 4
    assert len(closed) == 1
    assert "no invocation 'x'" in capsys.readouterr().err


def test_notes_and_kept_parts_of_a_signal_are_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parsed(_argv: Sequence[str], _bold: bool) -> str:
        signalled = Signalled(ExitCode.TERMINATE)
        signalled.add_note("remove what is left in the store: s3://b/x")
        signalled.kept.append(KeptPart("a.csv", 2048))
        raise signalled

    monkeypatch.setattr(main, "_parsed", parsed)
    assert main.main(["download", "a b"]) == 143
    assert capsys.readouterr().err.splitlines() == [
        "remove what is left in the store: s3://b/x",
        "Kept 2.0 KiB of a.csv. Run the same command to resume:",
        "  nostra download 'a b'",
    ]


def run(signals: interrupts.Signals, first: int, more: Sequence[int]) -> None:
    """Raise a signal, and others while it cleans up."""
    with signals.raised():
        try:
            signal.raise_signal(first)
        finally:
            for number in more:
                signal.raise_signal(number)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
class TestSignals:
    def signals(self) -> interrupts.Signals:
        return interrupts.Signals(Screen().output)

    def with_recorded_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[interrupts.Signals, list[object]]:
        """Return signals whose end of the process is recorded in the list, not carried out."""
        done: list[object] = []
        signals = self.signals()
        monkeypatch.setattr(signals.out, "restore", lambda: done.append("restored"))
        monkeypatch.setattr(os, "_exit", done.append)
        return signals, done

    @pytest.mark.parametrize(
        "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
    )
    def test_the_first_one_raises(self, number: signal.Signals) -> None:
        signals = self.signals()
        with pytest.raises(Signalled), signals.raised():
            signal.raise_signal(number)
        assert signals.code == 128 + number

    @pytest.mark.parametrize("numbers", [["SIGINT", "SIGTERM"], ["SIGTERM", "SIGINT", "SIGHUP"]])
    def test_another_signal_does_not_disturb_the_cleanup(self, numbers: list[str]) -> None:
        signals = self.signals()
        first, *more = (signal.Signals[name] for name in numbers)
        with pytest.raises(Signalled):
            run(signals, first, more)
        assert signals.code == 128 + first

    def test_a_second_int_ends_at_once_and_restores_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        signals, done = self.with_recorded_end(monkeypatch)
        with pytest.raises(Signalled):
            run(signals, signal.SIGTERM, [signal.SIGINT, signal.SIGINT])
        assert done == ["restored", ExitCode.TERMINATE]

    def test_one_that_is_ignored_stays_ignored(self) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with self.signals().raised():
                signal.raise_signal(signal.SIGHUP)
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_a_signal_in_a_callback_whose_exceptions_python_ignores_still_ends_the_run(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A wait went on for ever; the callback was one of the import system."""
        later = []

        def parsed(_argv: object, _bold: bool) -> str:
            collected = set[str]()
            _kept = weakref.ref(collected, lambda _: signal.raise_signal(signal.SIGTERM))
            del collected
            later.append(threading.Event().wait(20))
            return ""

        monkeypatch.setattr(main, "_parsed", parsed)
        assert main.main(["status"]) == 143
        assert (later, capsys.readouterr().err) == ([], "")

    def test_a_signal_just_before_a_call_that_blocks_still_ends_the_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python has noted it, and the call is not interrupted: the sandbox slept for an hour."""
        began = time.monotonic()

        def parsed(_argv: object, _bold: bool) -> str:
            threading.Timer(0.05, _thread.interrupt_main, [signal.SIGTERM]).start()
            threading.Event().wait(60)
            return ""

        monkeypatch.setattr(main, "_parsed", parsed)
        assert main.main(["status"]) == 143
        assert time.monotonic() - began < 50

    def test_an_alarm_of_the_parent_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As in `perl -e 'alarm 60; exec @ARGV' nostra wait ID`."""
        left = []

        def parsed(_argv: object, _bold: bool) -> str:
            left.append(signal.getitimer(signal.ITIMER_REAL))
            return ""

        monkeypatch.setattr(main, "_parsed", parsed)
        signal.setitimer(signal.ITIMER_REAL, 1000.0)
        try:
            assert main.main(["status"]) == 0
            left.append(signal.getitimer(signal.ITIMER_REAL))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        assert all(900 < seconds < 1000 and interval == 0 for seconds, interval in left)
        assert main.main(["status"]) == 0
        assert left[-1] == pytest.approx((0.25, 0.25), abs=0.25)

    def test_a_term_on_top_of_an_int_does_not_disturb_the_last_messages(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It may come when the exception has left the command."""
        flush = streams.flush_streams

        def interrupted(_argv: object, _bold: bool) -> str:
            signal.raise_signal(signal.SIGINT)
            return ""

        def flushed() -> None:
            signal.raise_signal(signal.SIGTERM)
            flush()

        monkeypatch.setattr(main, "_parsed", interrupted)
        monkeypatch.setattr(main, "flush_streams", flushed)
        assert main.main(["status"]) == 130

    def test_a_first_signal_after_the_command_ends_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        signals, done = self.with_recorded_end(monkeypatch)
        with signals.handled():
            with signals.raised():
                pass
            signal.raise_signal(signal.SIGTERM)
        assert done == ["restored", ExitCode.TERMINATE]

    @pytest.mark.parametrize("after", [None, ValueError(), BrokenPipeError()], ids=repr)
    def test_the_exit_code_is_that_of_the_signal(
        self, after: Exception | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def parsed(_argv: object, _bold: bool) -> str:
            try:
                signal.raise_signal(signal.SIGHUP)
            except Signalled:
                if after is not None:
                    raise after from None
            return ""

        monkeypatch.setattr(main, "_parsed", parsed)
        assert main.main(["status"]) == 129


ENDING = """
import atexit, os, signal, sys
import nostra_cli.cli.main
from nostra_cli.__main__ import main
nostra_cli.cli.main.main = lambda: int(sys.argv[1])
atexit.register(os.kill, os.getpid(), signal.SIGTERM)
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("code", [130, 0])
def test_nothing_that_follows_the_run_changes_its_exit_code(code: int) -> None:
    command = [sys.executable, "-c", ENDING, str(code)]
    assert subprocess.run(command, check=False).returncode == code
