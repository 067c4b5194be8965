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
