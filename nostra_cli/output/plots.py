"""Charts in text: pure functions, values in, lines out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = ".:-=+*#@"


def bars(counts: Sequence[int], unicode: bool) -> str:
    """Draw one character for each count, the highest for the largest, a space for 0."""
    marks, highest = _BARS if unicode else _PLAIN_BARS, max(counts, default=0)
    return "".join(marks[(count * len(marks) - 1) // highest] if count else " " for count in counts)


def line(points: Sequence[tuple[int, float]], width: int, height: int, unicode: bool) -> list[str]:
    """Draw points (x, y), sorted by x, as a line in `height` rows of `width` characters."""
    marks = "•│" if unicode else "*|"
    places = _levels(points, width, height)
    grid = [[" "] * width for _ in range(height)]
    for x, (before, level) in enumerate(pairwise([places[0], *places])):
        for between in range(min(before, level) + 1, max(before, level)):
            grid[between][x] = marks[1]
        grid[level][x] = marks[0]
    return ["".join(row).rstrip() for row in reversed(grid)]


def _levels(points: Sequence[tuple[int, float]], width: int, height: int) -> list[int]:
    """Return a level, from 0, for each place: the mean of its points, or an interpolation."""
    (first, _), (last, _) = points[0], points[-1]
    found: dict[int, list[float]] = {}
    for x, y in points:
        place = (x - first) * (width - 1) // (last - first) if last > first else 0
        found.setdefault(place, []).append(y)
    known = sorted((place, sum(values) / len(values)) for place, values in found.items())
    low, high = min(y for _, y in known), max(y for _, y in known)
    scale = (height - 1) / (high - low) if high > low else 0.0
    values = [known[0][1]]
    for (start, one), (end, other) in pairwise(known):
        step = (other - one) / (end - start)
        values += [one + step * (place - start) for place in range(start + 1, end + 1)]
    values += [values[-1]] * (width - len(values))
    return [min(height - 1, round((value - low) * scale)) for value in values]
