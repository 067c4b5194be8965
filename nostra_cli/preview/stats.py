"""Statistics of a whole result, gathered in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from nostra_cli.models import JsonValue
from nostra_cli.preview import kinds
from nostra_cli.preview.column import Column, ColumnStats
from nostra_cli.preview.kinds import Kind
from nostra_cli.preview.table import Batch, Dense

MOST_DISTINCT = 10_000
_MOST_DISTINCT_IN_ALL = 500_000
_MOST_DATES = 20_000
_NUMERIC = (Kind.INTEGER, Kind.NUMBER)


@dataclass(frozen=True, slots=True)
class ByDate:
    """The sums of one column by the dates (YYYY-MM-DD) of another, in order."""

    date: str
    quantity: str
    sums: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Stats:
    """What is known of the whole: `by_date` only where there is one date and one quantity."""

    rows: int
    columns: tuple[ColumnStats, ...]
    by_date: ByDate | None


class Gathering:
    """Takes the rows of a result, some at a time."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._rows = 0
        self._columns: dict[str, Column] = {}
        self._pair: tuple[str, str] | None = None
        self._sums: dict[str, float] = {}

    def add(self, batch: Batch) -> None:
        """Take some rows."""
        if not len(batch):
            return
        columns = batch.columns()
        for name in columns:
            self._columns.setdefault(name, Column())
        limit = min(MOST_DISTINCT, _MOST_DISTINCT_IN_ALL // max(1, len(self._columns)))
        for name, cells in columns.items():
            if found := _sorted(cells, written=isinstance(batch, Dense)):
                self._columns[name].add(found, limit)
        if not self._rows:
            self._pair = self._date_and_quantity()
        if self._pair is not None:
            self._add_up(batch, *self._pair)
        self._rows += len(batch)

    def _date_and_quantity(self) -> tuple[str, str] | None:
        """Find the one column of dates and the one of numbers; a `quantity` comes before others."""
        found = {name: column.kind() for name, column in self._columns.items()}
        dates = [name for name, kind in found.items() if kind is Kind.DATE]
        numbers = [name for name, kind in found.items() if kind in _NUMERIC]
        if len(numbers) > 1:
            numbers = [name for name in numbers if name.casefold() == "quantity"]
        return (dates[0], numbers[0]) if len(dates) == len(numbers) == 1 else None

    def _add_up(self, batch: Batch, date_: str, quantity: str) -> None:
        sums = self._sums
        try:
            for day, count in batch.pairs(date_, quantity):
                if day and count not in (None, ""):
                    key = str(day)[:10]
                    sums[key] = sums.get(key, 0) + float(count)  # type: ignore[arg-type]
        except (ValueError, TypeError):  # not a number: `stats` would not show it either
            self._pair = None
        if len(sums) > _MOST_DATES:
            self._pair = None
        if self._pair is None:
            sums.clear()

    def stats(self, header: Sequence[str]) -> Stats:
        """Tell all; columns that are named but empty are told of, too."""
        for name in header:
            self._columns.setdefault(name, Column())
        names = dict.fromkeys([*header, *self._columns])
        columns = tuple(self._columns[name].stats(name, self._rows) for name in names)
        by_date = None
        if self._pair is not None:
            day, quantity = self._pair
            still = self._columns[day].kind() is Kind.DATE
            still = still and self._columns[quantity].kind() in _NUMERIC
            if still and all(map(_is_day, self._sums)):
                by_date = ByDate(day, quantity, dict(sorted(self._sums.items())))
        return Stats(self._rows, columns, by_date)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _sorted(cells: Sequence[JsonValue], written: bool) -> kinds.Sorted:
    if written:
        texts = cast("Sequence[str]", cells)  # in CSV all is text, and this runs for every cell
        texts = texts if "" not in texts else list(filter(None, texts))
        return kinds.of_texts(texts, kinds.WRITTEN) if texts else {}
    filled = [cell for cell in cells if cell not in (None, "")]
    return kinds.of_values(filled) if filled else {}
