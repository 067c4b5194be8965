"""How long work goes on: redrawn by rich on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from nostra_cli.models import Invocation, Outcome, outcome_of
from nostra_cli.output.sanitize import sanitize
from nostra_cli.units import show_duration, show_size

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress, ProgressColumn, TaskID

HEARTBEAT_SECONDS = 60.0
_REDRAW_SECONDS = 0.1

Talk = Callable[[str], None]


class _Live:
    """A region at the end of the terminal that rich redraws; nothing where there is no stream."""

    def __init__(self, talk: Talk, stream: TextIO | None, color: bool) -> None:
        self._talk = talk
        self._stream = stream
        self._color = color
        self._progress: Progress | None = None

    @property
    def live(self) -> bool:
        """Whether something is being redrawn."""
        return self._stream is not None

    def _columns(self) -> list[str | ProgressColumn]:
        raise NotImplementedError

    def __enter__(self) -> None:
        if self._stream is not None:
            from rich.progress import Progress  # rich, for a person only

            from nostra_cli.output.terminal import console

            self._progress = Progress(
                *self._columns(), console=console(self._stream, self._color), transient=True
            )
            self._progress.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def print_above(self, line: str) -> None:
        """Write a line that stays, above what is redrawn."""
        if self._progress is None:
            return
        from rich.text import Text

        self._progress.console.print(Text.from_ansi(line), soft_wrap=True)


class Spinner(_Live):
    """Watches a wait (fulfils `waiting.Watcher`)."""

    def __init__(self, talk: Talk, stream: TextIO | None, color: bool) -> None:
        """Talk in lines, or spin on `stream`."""
        super().__init__(talk, stream, color)
        self._status: dict[str, str] = {}
        self._heartbeat = HEARTBEAT_SECONDS
        self._task: TaskID | None = None

    def _columns(self) -> list[str | ProgressColumn]:
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        text = TextColumn("{task.description}", markup=False)
        return [SpinnerColumn(), text, TimeElapsedColumn()]

    def seen(self, invocation: Invocation) -> None:
        """Tell when a status changes."""
        if self._status.get(invocation.id) == invocation.status:
            return
        self._status[invocation.id] = invocation.status
        if self.live:
            self._draw()
        else:
            self._talk(f"{invocation.id}: {invocation.status}")

    def pending(self, count: int, seconds: float) -> None:
        """Give a sign of life each minute."""
        if seconds >= self._heartbeat and not self.live:
            self._heartbeat = seconds - seconds % HEARTBEAT_SECONDS + HEARTBEAT_SECONDS
            what = "1 invocation is" if count == 1 else f"{count} invocations are"
            self._talk(f"{what} still in progress after {show_duration(seconds)}")

    def _draw(self) -> None:
        pending = [
            item for item in self._status.items() if outcome_of(item[1]) is Outcome.IN_PROGRESS
        ]
        if self._progress is None or not pending:
            return
        id_, status = pending[0]
        text = f"{sanitize(id_)}: {sanitize(status)}"
        if len(pending) > 1:
            text += f", and {len(pending) - 1} more in progress"
        if self._task is None:
            self._task = self._progress.add_task(text, total=None)
        self._progress.update(self._task, description=text)


class Bars(_Live):
    """Shows transfers, each by a meter of its own."""

    def _columns(self) -> list[str | ProgressColumn]:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        from nostra_cli.output.terminal import Rate

        return [
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            DownloadColumn(binary_units=True),
            Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        ]

    @contextmanager
    def meter(self, label: str) -> Iterator[Bar]:
        """Give the meter of one transfer, and show it while the block lasts."""
        bar = Bar(label, self._talk, self._progress)
        try:
            yield bar
        finally:
            bar.hide()


class Bar:
    """One transfer (fulfils `transfer.fetch.Meter`)."""

    def __init__(self, label: str, talk: Talk, progress: Progress | None) -> None:
        """Draw on `progress`, or talk each minute where there is none."""
        self._label = label
        self._talk = talk
        self._progress = progress
        self._task: TaskID | None = None
        self._done = 0
        self._total: int | None = None
        self._next = 0.0

    def start(self, done: int, total: int | None) -> None:
        """A body begins, or goes on at `done` bytes."""
        self._done, self._total = done, total
        if self._progress is None:
            self._next = time.monotonic() + HEARTBEAT_SECONDS
            return
        note = "" if total is not None else "size unknown"
        if self._task is None:
            self._task = self._progress.add_task(sanitize(self._label), total=total, note=note)
        self._progress.update(self._task, completed=done, total=total, note=note)

    def advance(self, count: int) -> None:
        """Count bytes; draw or talk only now and then."""
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        if self._progress is not None and self._task is not None:
            self._next = now + _REDRAW_SECONDS
            self._progress.update(self._task, completed=self._done)
        else:
            self._next = now + HEARTBEAT_SECONDS
            whole = f" of {show_size(self._total)}" if self._total is not None else ""
            self._talk(f"{self._label}: {show_size(self._done)}{whole}")

    def hide(self) -> None:
        """Take it off the terminal."""
        if self._progress is not None and self._task is not None:
            self._progress.remove_task(self._task)
