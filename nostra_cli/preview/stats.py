"""The statistics of all rows of a result, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of the cells of a column."""

    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    TEXT = "text"
    MIXED = "mixed"
    EMPTY = "empty"


NUMERIC = (Kind.INTEGER, Kind.NUMBER)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values in bins of equal width from `min` to `max`."""

    min: float
    max: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """A column of `filled` and `empty` cells.

    `kinds` counts the filled cells by kind, `top` holds the most frequent values. `min`, `max` and
    `mean` are None for a column of mixed kinds, `mean` and `histogram` for one without numbers.
    """

    name: str
    kind: Kind
    kinds: Mapping[str, int]
    filled: int
    empty: int
    distinct: int
    min: int | float | str | None
    max: int | float | str | None
    mean: float | None
    histogram: Histogram | None
    top: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ByDate:
    """The sums of one column by the dates (YYYY-MM-DD) of another, in order."""

    date: str
    quantity: str
    sums: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stats:
    """The statistics of all rows; `by_date` is None without one date and one quantity."""

    rows: int
    columns: tuple[ColumnStats, ...]
    by_date: ByDate | None
