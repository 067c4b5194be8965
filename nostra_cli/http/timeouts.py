"""Time limits: the deadline of a run, a watchdog, the minimum speed of a body."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from nostra_cli.errors import DeadlinePassed, Transient, thread_errors
from nostra_cli.models import Piece
from nostra_cli.units import show_size

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""For each piece."""
_TICK = 0.1
"""Seconds a watchdog may be late: cheaper than waking it for each new limit."""


class Deadline:
    """The moment at which the run must be over; never if `seconds` is None."""

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> float | None:
        """Return the seconds left (never below zero), None without a deadline."""
        return None if self._end is None else max(0.0, self._end - self._clock())

    def check(self, doing: str = "the work was done") -> None:
        """Raise DeadlinePassed once the deadline has passed before `doing`."""
        if self.remaining() == 0.0:
            raise self.passed(doing)

    def passed(self, doing: str) -> DeadlinePassed:
        """Return the error for a deadline that passed before `doing`."""
        return DeadlinePassed(
            f"the deadline of {self.seconds:g} s passed before {doing}",
            "allow more time with --timeout",
        )


class Watchdog:
    """Limit the duration of blocks, from one thread that starts with the first of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def limited(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Call `act`, in another thread, if the block lasts longer than `seconds`."""
        key = object()
        with self._changed:
            self._limits[key] = (time.monotonic() + seconds, act)
            if self._thread is None:
                thread = threading.Thread(target=self._watch, daemon=True)
                with thread_errors():
                    thread.start()
                self._thread = thread
        try:
            yield
        finally:
            with self._changed:
                self._limits.pop(key, None)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while not self._closed:
            with self._changed:
                now = time.monotonic()
                passed = [key for key, (when, _) in self._limits.items() if when <= now]
                acts = [self._limits.pop(key)[1] for key in passed]
                if not acts and not self._closed:
                    self._changed.wait(_TICK)
            for act in acts:
                act()


class LowSpeed(NamedTuple):
    """The minimum speed of a body: `rate` bytes a second over `seconds`."""

    rate: float = 1024.0
    seconds: float = 30.0

    @property
    def max_pause(self) -> float:
        """The seconds after which a body of which nothing comes is too slow."""
        return self.seconds if self.rate else READ_SECONDS


DEFAULT_LOW_SPEED = LowSpeed()


def paced(
    chunks: Iterator[Piece],
    minimum: LowSpeed,
    label: str,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Piece]:
    """Yield `chunks`; raise Transient (it begins with `label`) if they are slower than `minimum`.

    Only the time spent waiting for them counts.
    """
    waited, counted = 0.0, 0
    while True:
        before = clock()
        chunk = next(chunks, None)
        waited += clock() - before
        if chunk is None:
            return
        counted += len(chunk)
        yield chunk
        if waited >= minimum.seconds:
            if counted < waited * minimum.rate:
                rate = show_size(minimum.rate).replace(".0 ", " ")
                slow = f"{label}: transfer slower than {rate}/s for {minimum.seconds:g} s"
                raise Transient(slow, _SLOW_HINT)
            waited, counted = 0.0, 0


_SLOW_HINT = "try again; NOSTRA_LOW_SPEED_LIMIT sets the limit (bytes per second)"
