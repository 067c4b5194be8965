"""Handle signals: INT, TERM and HUP raise Signalled, Ctrl-Z suspends the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from nostra_cli.errors import ExitCode, Signalled
from nostra_cli.signals import handled_signals, take_default_action

if TYPE_CHECKING:
    from nostra_cli.output.console import Output

_CODES = {"SIGINT": ExitCode.INTERRUPT, "SIGTERM": ExitCode.TERMINATE, "SIGHUP": ExitCode.HANGUP}


class Signals:
    """The signals of one run; `code` is the exit code of the first that ends it."""

    def __init__(self, out: Output) -> None:
        """Restore the terminal through `out` before the process stops or ends at once."""
        self.code: ExitCode | None = None
        self.out = out
        self._interrupted = False
        self._raising = False

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise Signalled on the first INT, TERM or HUP while the block lasts."""
        with self.handled():
            self._raising = True
            try:
                yield
            finally:
                self._raising = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals while the block lasts; once one was raised, only a second INT ends it."""
        others = dict.fromkeys(("SIGTSTP", "SIGQUIT"), self._by_default)
        with handled_signals({**dict.fromkeys(_CODES, self._end), **others}):
            yield

    def _end(self, number: int, _frame: FrameType | None) -> None:
        first, again = self.code is None, number == signal.SIGINT and self._interrupted
        self._interrupted = self._interrupted or number == signal.SIGINT
        self.code = self.code or _CODES[signal.Signals(number).name]
        if again or (first and not self._raising):
            self.out.restore()
            os._exit(self.code)
        elif first:  # else already cleaning up
            if number == signal.SIGINT:
                self.out.end_line()
            raise Signalled(self.code)

    def _by_default(self, number: int, _frame: FrameType | None) -> None:
        """Take the default action, with the cursor shown."""
        self.out.suspend()
        take_default_action(number)
