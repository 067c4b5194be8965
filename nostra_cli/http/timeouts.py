"""How slow a body may come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nostra_cli.errors import Transient
from nostra_cli.models import Piece


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
