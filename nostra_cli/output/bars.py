"""The lines of a progress display: a spinner, a bar for each transfer, one for all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nostra_cli.output.terminal import console, is_unicode
from nostra_cli.units import show_duration, show_size

if TYPE_CHECKING:
    from nostra_cli.output.progress import ProgressState, TransferState
    from nostra_cli.output.streams import MessageStream

_FRAMES, _ASCII_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_FRAMES_PER_SECOND = 10
_RATE_SECONDS = 5.0
_ROOMY_COLUMNS = 60
_ROOMY_CELLS = 5
_LABEL_SHARE = 4
_MIN_LABEL = 8


class _Rate:
    """Bytes per second, mostly of the last seconds."""

    def __init__(self, done: int, now: float) -> None:
        self._done = done
        self._began = self._at = now
        self._average = 0.0

    def update(self, done: int, now: float) -> float:
        """Record the bytes done until now; return bytes per second, 0 before any came."""
        seconds = now - self._at
        if seconds > 0 and done >= self._done:
            weight = -math.expm1(-seconds / _RATE_SECONDS)
            self._average += weight * ((done - self._done) / seconds - self._average)
        self._done, self._at = done, now
        # The average began at 0, which still weighs in the first seconds.
        known = -math.expm1(-(now - self._began) / _RATE_SECONDS)
        return self._average / known if known else 0.0


class Artist:
    """Draws a state of progress as lines."""

    def __init__(
        self,
        stream: MessageStream,
        color: bool,
        sanitize: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw for the terminal behind `stream`; `sanitize` neutralises labels."""
        self._frames = _FRAMES if is_unicode(stream.encoding) else _ASCII_FRAMES
        self._console = console(stream, color)
        self._sanitize = sanitize
        self._clock = clock
        self._rates: dict[int, _Rate] = {}
        self._total_rate: _Rate | None = None
        self._transfers_since: tuple[float, float] | None = None

    def lines(self, state: ProgressState, columns: int, rows: int) -> list[tuple[str, int]]:
        """Return at most `rows` lines of at most `columns`, each with its width."""
        now = self._clock()
        self._rates = {t.key: self._rates.get(t.key) or _Rate(t.done, now) for t in state.transfers}
        rates = {t.key: self._rates[t.key].update(t.done, now) for t in state.transfers}
        drawn: list[tuple[str, int]] = []
        if state.activity is not None:
            drawn.append(self._activity(*state.activity, columns))
        several = state.expected > 1
        space = rows - len(drawn) - several
        if state.transfers or several:
            grid = self._grid(columns)
            left = {t.key: _seconds_left(t, rates[t.key]) for t in state.transfers}
            for transfer in state.transfers[: max(0, space)]:
                self._add_transfer(grid, transfer, rates[transfer.key], left[transfer.key])
            if several:
                self._add_total(grid, state, now, max(left.values(), default=0.0))
            drawn += self._rendered(grid, columns)
        return drawn[:rows]

    def _activity(self, text: str, seconds: float, columns: int) -> tuple[str, int]:
        frame = self._frames[int(self._clock() * _FRAMES_PER_SECOND) % len(self._frames)]
        end = f"  {show_duration(math.floor(seconds))}"
        shown = Text(f"{frame} {self._sanitize(text)}", no_wrap=True)
        shown.truncate(max(1, columns - len(end)), overflow="ellipsis")
        line = (shown.plain + end)[:columns]
        return line, cell_len(line)

    def _grid(self, columns: int) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0), expand=columns >= _ROOMY_COLUMNS)
        grid.add_column(
            no_wrap=True, overflow="ellipsis", max_width=max(8, columns // _LABEL_SHARE)
        )
        if columns >= _ROOMY_COLUMNS:
            grid.add_column(ratio=1)
            grid.add_column(no_wrap=True, justify="right")
            grid.add_column(no_wrap=True, justify="right")
        grid.add_column(no_wrap=True, justify="right")
        return grid

    def _add_transfer(
        self, grid: Table, transfer: TransferState, rate: float, seconds: float
    ) -> None:
        done, total = transfer.done, transfer.total
        size, left = show_size(done), "size unknown"
        if total is not None:
            size, left = _size_of(done, total), _left(seconds) if rate else ""
        label = self._sanitize(transfer.label)
        self._add(grid, label, done / total if total else None, size, rate, left)

    def _add_total(self, grid: Table, state: ProgressState, now: float, longest: float) -> None:
        done = state.finished_bytes + sum(transfer.done for transfer in state.transfers)
        if self._total_rate is None:
            self._total_rate = _Rate(done, now)
        rate = self._total_rate.update(done, now)
        files = state.finished + sum(t.done / t.total for t in state.transfers if t.total)
        seconds = self._seconds_left(state, files, now)
        left = _left(max(seconds, longest)) if seconds is not None else ""
        label = f"{state.finished} of {state.expected} files"
        self._add(grid, label, min(1.0, files / state.expected), show_size(done), rate, left)

    def _seconds_left(self, state: ProgressState, files: float, now: float) -> float | None:
        """Estimate the time left from the files, or parts of them, since transfers are running."""
        if not state.transfers:
            self._transfers_since = None
            return None
        began, before = self._transfers_since = self._transfers_since or (now, files)
        if files <= before:
            return None
        return (state.expected - files) * (now - began) / (files - before)

    def _add(
        self, grid: Table, label: str, part: float | None, size: str, rate: float, left: str
    ) -> None:
        """Add a row; `part` is the share of the work done, None if unknown."""
        if len(grid.columns) < _ROOMY_CELLS:
            grid.add_row(Text(label), Text(f"{part:.0%}" if part is not None else size))
            return
        bar = ProgressBar(
            total=None if part is None else 1.0,
            completed=part or 0.0,
            pulse=part is None,
            animation_time=self._clock(),
        )
        per_second = f"{show_size(rate)}/s" if rate else ""
        grid.add_row(Text(label), bar, *map(Text, (size, per_second, left)))

    def _rendered(self, grid: Table, columns: int) -> list[tuple[str, int]]:
        self._console.width = columns
        with self._console.capture() as captured:
            self._console.print(grid)
        lines = captured.get().splitlines()
        return [(line, cell_len(Text.from_ansi(line).plain)) for line in lines]


def _seconds_left(transfer: TransferState, rate: float) -> float:
    """Estimate the time left of one transfer; 0 if unknown."""
    return (transfer.total - transfer.done) / rate if transfer.total is not None and rate else 0.0


def _left(seconds: float) -> str:
    return f"{show_duration(seconds)} left"


def _size_of(done: int, total: int) -> str:
    """Format the bytes done, with one unit if both have the same: `0.8/1.2 MiB`."""
    number, _, unit = show_size(done).partition(" ")
    end = show_size(total)
    return f"{number}/{end}" if end.endswith(f" {unit}") else f"{number} {unit}/{end}"
