"""How long things may take: the deadline of a run, and the minimum speed of a body."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nostra_cli.errors import DeadlinePassed, Transient
from nostra_cli.models import Piece


class Deadline:
    """The moment at which the whole run must be over; `seconds` None means never."""

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start to count now."""
        self.seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> float | None:
        """Return the seconds left (never below zero), None where there is no deadline."""
        return None if self._end is None else max(0.0, self._end - self._clock())

    def check(self, doing: str = "the work was done") -> None:
        """Raise DeadlinePassed once the deadline has passed before `doing`."""
        if self.remaining() == 0.0:
            raise self.passed(doing)

    def passed(self, doing: str) -> DeadlinePassed:
        """Return the error that says what was not reached in time."""
        return DeadlinePassed(
            f"the deadline of {self.seconds:g} s passed before {doing}",
            "allow more time with --timeout",
        )


class LowSpeed(NamedTuple):
    """A body slower than `rate` bytes a second over `seconds` is given up and tried again."""

    rate: float = 1024.0
    seconds: float = 30.0


ORDINARY_SPEED = LowSpeed()


def paced(
    chunks: Iterator[Piece],
    least: LowSpeed,
    label: str,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Piece]:
    """Give `chunks`; raise Transient, with `label` in it, once they come too slowly.

    Only the time that is spent waiting for them counts.
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
        if waited >= least.seconds:
            if counted < waited * least.rate:
                raise Transient(f"{label}: the body comes too slowly", _SLOW_HINT)
            waited, counted = 0.0, 0


_SLOW_HINT = "try again; NOSTRA_LOW_SPEED_LIMIT sets the limit (bytes a second)"
