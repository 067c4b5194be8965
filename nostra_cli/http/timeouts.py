"""Time limits: of a run, of a request, and the minimum speed of a body."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nostra_cli.errors import DeadlinePassed, Transient
from nostra_cli.models import Piece
from nostra_cli.units import show_size

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""For each piece."""


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

    def check(self, before: str = "the work was done") -> None:
        """Raise DeadlinePassed once the deadline has passed; `before` completes its message."""
        if self.remaining() == 0.0:
            raise self.passed(before)

    def passed(self, before: str) -> DeadlinePassed:
        """Return the error for a deadline that has passed."""
        return DeadlinePassed(
            f"the deadline of {self.seconds:g} s passed before {before}",
            "allow more time with --timeout",
        )


class TimeLimit:
    """Limit the sum of the waits of one request, and those for one piece of a body.

    httpx limits each read only: a server could send a byte at a time for ever.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._end = math.inf
        self._piece_began = 0.0
        self._max_pause: float | None = None

    def start(self, seconds: float, max_pause: float | None = None) -> None:
        """Limit what follows to `seconds` in total, and each piece to `max_pause`, if given."""
        self._began = self._piece_began = time.monotonic()
        self._end = self._began + seconds
        self._max_pause = max_pause

    def progressed(self) -> None:
        """Begin the wait for the next piece: bytes of the framing alone are no progress."""
        self._piece_began = time.monotonic()

    @property
    def waited(self) -> float:
        """The seconds since `start`."""
        return time.monotonic() - self._began

    def next_wait(self, seconds: float | None = None) -> float:
        """Return how long the next wait may take, at most `seconds` unless `start` says so.

        Raises TimeoutError if no time is left.
        """
        now = time.monotonic()
        left = self._end - now
        if self._max_pause is not None:
            left = min(left, self._piece_began + self._max_pause - now)
        elif seconds is not None:
            left = min(left, seconds)
        if left <= 0:
            raise TimeoutError
        return left


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
