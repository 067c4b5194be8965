"""A display at the end of the terminal, redrawn by a thread of its own.

It appears after half a second: quicker work needs no sign of life.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from nostra_cli.output.terminal import HIDE_CURSOR, SHOW_CURSOR, in_foreground, size_of
from nostra_cli.signals import start_thread

if TYPE_CHECKING:
    from nostra_cli.output.bars import Artist
    from nostra_cli.output.progress import ProgressState
    from nostra_cli.output.streams import MessageStream

DELAY_SECONDS = 0.5
_REDRAW_SECONDS = 0.1
_SPARE_COLUMNS = 4
"""Left free at the end of a line for the ^C and ^Z of the terminal, which must not wrap."""
_LOCK_SECONDS = 0.2


class Live:
    """A display at the end of the terminal behind a stream."""

    def __init__(self, stream: MessageStream, color: bool, sanitize: Callable[[str], str]) -> None:
        """Draw on `stream`, in colour or not; `sanitize` neutralises labels."""
        self._stream = stream
        self._color = color
        self._sanitize = sanitize
        self._lock = threading.RLock()
        self._users = 0
        self._finished = threading.Event()
        self._not_before = 0.0
        self._widths: list[int] = []
        self._hidden = False  # the cursor; a signal may interrupt between this and a write

    @property
    def visible(self) -> bool:
        """Whether it is on the terminal now."""
        return bool(self._widths)

    @contextmanager
    def shown(self, state: Callable[[], ProgressState]) -> Iterator[None]:
        """Draw the `state` while the block lasts; blocks may overlap."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._start(state)
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._finished.set()
                    self._erase()

    def close(self) -> None:
        """Erase it for good: the process ends, maybe with a thread that is still in a block."""
        self._finished.set()
        self.suspend()

    def _start(self, state: Callable[[], ProgressState]) -> None:
        self._not_before = time.monotonic() + DELAY_SECONDS
        self._finished = threading.Event()
        with contextlib.suppress(RuntimeError):  # no more threads: do without
            start_thread(partial(self._run, state, self._finished))

    def _run(self, state: Callable[[], ProgressState], finished: threading.Event) -> None:
        artist: Artist | None = None
        pause = DELAY_SECONDS
        while not finished.wait(pause):
            if artist is None:
                from nostra_cli.output.bars import Artist  # rich, for a person who waits

                artist = Artist(self._stream, self._color, self._sanitize)
            with self._lock:
                if finished.is_set():
                    return
                pause = self._not_before - time.monotonic()
                if pause <= 0:
                    pause = _REDRAW_SECONDS
                    self._draw(artist, state())

    def _draw(self, artist: Artist, state: ProgressState) -> None:
        if not in_foreground(self._stream):
            return
        columns, rows = size_of(self._stream)
        lines = artist.lines(state, max(1, columns - _SPARE_COLUMNS), max(1, rows - 1))
        widths = [width for _, width in lines]
        text = "\n".join(line for line, _ in lines)
        hide = "" if self._hidden or not lines else HIDE_CURSOR
        before = self._erasing()
        self._widths = widths
        self._hidden = self._hidden or bool(lines)
        self._stream.write(f"{before}{hide}{text}")

    def _erasing(self) -> str:
        """Return the sequence that erases the lines, which a narrower terminal has wrapped."""
        if not self._widths:
            return ""
        columns = size_of(self._stream).columns
        rows = sum(max(1, -(-width // columns)) for width in self._widths)
        return f"\r\x1b[{rows - 1}A\x1b[J" if rows > 1 else "\r\x1b[J"

    def _erase(self) -> None:
        if self._hidden:
            before = self._erasing()
            self._widths = []
            self._stream.write(before + SHOW_CURSOR)
            self._hidden = False

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Erase it while the block writes other output, and draw again half a second later."""
        with self._lock:
            self._erase()
            try:
                yield
            finally:
                self._not_before = time.monotonic() + DELAY_SECONDS

    def print_above(self, line: str) -> None:
        """Write a line above the display."""
        with self._lock:
            before = self._erasing()
            self._widths = []
            self._stream.write(f"{before}{SHOW_CURSOR if self._hidden else ''}{line}\n")
            self._hidden = False

    def suspend(self) -> None:
        """Erase it and show the cursor, even if another thread is stuck."""
        if self._lock.acquire(timeout=_LOCK_SECONDS):
            try:
                self._erase()
            finally:
                self._lock.release()
        else:
            self.restore()

    def restore(self) -> None:
        """Do the same without a lock: the process ends at once."""
        if self._hidden:
            with contextlib.suppress(OSError):
                os.write(self._stream.fileno(), (self._erasing() + SHOW_CURSOR).encode())
