"""The command of `nostra sandbox exec` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from nostra_cli.cli.interrupts import Signals
from nostra_cli.errors import Signalled
from nostra_cli.sandbox import child
from tests.output.screens import Screen


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_while_the_command_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[subprocess.Popen[bytes]] = []

    class Starting(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Starting)
    with (
        pytest.raises(Signalled),
        Signals(Screen().output).raised(),
        child.started(["sleep", "30"], "http://127.0.0.1:1", "t"),
    ):
        pytest.fail("the signal comes first")
    [process] = made
    with process:
        ended = process.poll()
        process.kill()
    assert ended == -signal.SIGTERM


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("handler", "code"), [("signal.SIG_IGN", 128 + 9), ("lambda *_: sys.exit(5)", 5)]
)
def test_a_command_may_clean_up_and_is_killed_if_it_does_not_end(
    handler: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"import signal, sys, time; signal.signal(15, {handler}); print(flush=True)"
    command = [sys.executable, "-c", f"{script}; time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        poll, raised = process.poll, False

        def terminated() -> int | None:
            nonlocal raised
            if not raised:
                raised = True
                signal.raise_signal(signal.SIGTERM)
            return poll()

        monkeypatch.setattr(process, "poll", terminated)
        if code > 128:
            monkeypatch.setattr(child, "_GRACE_SECONDS", 0.2)
        assert child.wait(process) == code
