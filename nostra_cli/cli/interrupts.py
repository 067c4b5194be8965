"""Signals that end the process, turned into one exception that cleans up on its way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nostra_cli.errors import ExitCode, Signalled

_CODES = {"SIGINT": ExitCode.INTERRUPT, "SIGTERM": ExitCode.TERMINATE, "SIGHUP": ExitCode.HANGUP}


@contextmanager
def raised() -> Iterator[None]:
    """Raise Signalled on INT, TERM and HUP while the block lasts; a second one ends at once.

    A signal that the process was started to ignore (nohup, a background job) stays ignored.
    """
    seen: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        code = _CODES[signal.Signals(number).name]
        if seen:
            os._exit(code)
        seen.append(number)
        raise Signalled(code)

    before = {}
    for name in _CODES:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
