"""Handle signals: INT, TERM and HUP raise Signalled, Ctrl-Z suspends the process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from nostra_cli.errors import ExitCode, Signalled
from nostra_cli.signals import Handler, handled_signals, take_default_action

if TYPE_CHECKING:
    from nostra_cli.output.console import Output

_CODES = {"SIGINT": ExitCode.INTERRUPT, "SIGTERM": ExitCode.TERMINATE, "SIGHUP": ExitCode.HANGUP}
_TICK_SECONDS = 0.25
"""The maximum delay of a signal that arrives just before a blocking call."""


class Signals:
    """The signals of one run; `code` is the exit code of the first that ends it."""

    def __init__(self, out: Output) -> None:
        """Restore the terminal through `out` before the process stops or ends at once."""
        self.code: ExitCode | None = None
        self.out = out
        self._interrupted = False
        self._raising = False
        self._lost: Signalled | None = None

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise Signalled on the first INT, TERM or HUP while the block lasts."""
        with self.handled(), _ticking(self._raise_lost):
            self._raising = True
            hook = sys.unraisablehook
            sys.unraisablehook = partial(self._ignored, hook)
            try:
                yield
            finally:
                self._raising = False
                sys.unraisablehook = hook

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

    def _ignored(
        self, hook: Callable[[sys.UnraisableHookArgs], object], raised: sys.UnraisableHookArgs
    ) -> None:
        """Keep the exception of a signal that Python ignores: in a finalizer, say."""
        if isinstance(raised.exc_value, Signalled):
            self._lost = raised.exc_value
        else:
            hook(raised)

    def _raise_lost(self, _number: int, _frame: FrameType | None) -> None:
        lost, self._lost = self._lost, None
        if lost is not None and self._raising:
            raise lost

    def _by_default(self, number: int, _frame: FrameType | None) -> None:
        """Take the default action, with the cursor shown."""
        self.out.suspend()
        take_default_action(number)


@contextmanager
def _ticking(handler: Handler) -> Iterator[None]:
    """Interrupt blocking calls every _TICK_SECONDS, so that Python handles signals.

    Python then resumes the call. An alarm that the parent process has set is left alone;
    Windows has none.
    """
    if sys.platform == "win32" or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
    else:
        with handled_signals({"SIGALRM": handler}):
            signal.setitimer(signal.ITIMER_REAL, _TICK_SECONDS, _TICK_SECONDS)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
