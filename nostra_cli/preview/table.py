"""Rows as they are read, some at a time, whatever the format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nostra_cli.models import JsonValue, Piece

Row = Mapping[str, JsonValue]
MOST_COLUMNS = 16_384
"""As many as a worksheet can have."""
LONGEST_ROW = 16 << 20
"""Bytes or characters, in any format: what is longer is not held in memory."""


class Batch(Protocol):
    """Some rows that follow each other."""

    def __len__(self) -> int:
        """Count the rows."""

    def rows(self, most: int) -> Sequence[Row]:
        """Give the first rows, `most` at most."""

    def columns(self) -> Mapping[str, Sequence[JsonValue]]:
        """Give the cells by column; those that a row lacks are left out."""

    def pairs(self, one: str, other: str) -> Iterable[tuple[JsonValue, JsonValue]]:
        """Give two cells of each row."""


class Parser(Protocol):
    """Is given a body piece by piece, and gives its rows; raises ValueError for a bad one."""

    header: tuple[str, ...]
    """The columns, where the format names them at its beginning; empty before that."""

    def feed(self, data: Piece) -> Batch:
        """Give the rows that these bytes complete."""

    def finish(self) -> Batch:
        """Give the last rows."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Rows of as many cells as there are columns: CSV."""

    names: tuple[str, ...]
    cells: Sequence[Sequence[str]]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.cells)

    def rows(self, most: int) -> Sequence[Row]:
        """Give the first rows, `most` at most."""
        return [dict(zip(self.names, row, strict=True)) for row in self.cells[:most]]

    def columns(self) -> Mapping[str, Sequence[JsonValue]]:
        """Give the cells by column."""
        if not self.cells:
            return {}
        return dict(zip(self.names, zip(*self.cells, strict=True), strict=True))

    def pairs(self, one: str, other: str) -> Iterable[tuple[JsonValue, JsonValue]]:
        """Give two cells of each row."""
        first, second = self.names.index(one), self.names.index(other)
        return [(row[first], row[second]) for row in self.cells]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows that name their cells: JSON and XLSX. What a row lacks costs nothing."""

    cells: Sequence[Row]

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.cells)

    def rows(self, most: int) -> Sequence[Row]:
        """Give the first rows, `most` at most."""
        return self.cells[:most]

    def columns(self) -> Mapping[str, Sequence[JsonValue]]:
        """Give the cells by column; those that a row lacks are left out."""
        found: dict[str, list[JsonValue]] = {}
        for row in self.cells:
            for name, value in row.items():
                if name in found:
                    found[name].append(value)
                else:
                    found[name] = [value]
        return found

    def pairs(self, one: str, other: str) -> Iterable[tuple[JsonValue, JsonValue]]:
        """Give two cells of each row."""
        return [(row.get(one), row.get(other)) for row in self.cells]


def named(header: Sequence[str]) -> tuple[str, ...]:
    """Give each column a name of its own: `a`, `a (2)`; `column 3` where there is none.

    Raises ValueError for too many columns.
    """
    check_columns(len(header))
    found: dict[str, int] = {}
    for place, given in enumerate(header, 1):
        name = given or f"column {place}"
        label = name
        while label in found:
            found[name] = found.get(name, 1) + 1
            label = f"{name} ({found[name]})"
        found[label] = 1
    return tuple(found)


def check_columns(count: int) -> None:
    """Raise ValueError for more columns than are held in memory."""
    if count > MOST_COLUMNS:
        raise ValueError(f"it has more than {MOST_COLUMNS:,} columns")
