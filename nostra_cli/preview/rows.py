"""Rows, the names of their columns, and the protocol of their parsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nostra_cli.models import JsonValue, Piece

Row = Mapping[str, JsonValue]
MAX_COLUMNS = 16_384
"""The maximum of a worksheet."""
MAX_ROW_BYTES = 16 << 20
"""Bytes or characters: a longer row is not held in memory."""


class Parser(Protocol):
    """Parse a body in pieces; raise ValueError, with the reason, for a malformed one."""

    header: tuple[str, ...]
    """The columns, if the format names them at its start; empty before that."""

    def feed(self, data: Piece) -> Sequence[Row]:
        """Return the rows that these bytes complete."""

    def finish(self) -> Sequence[Row]:
        """Return the last rows."""


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Return a unique name for each column: `a`, `a (2)`; `column 3` for an empty one."""
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
    if count > MAX_COLUMNS:
        raise ValueError(f"it has more than {MAX_COLUMNS:,} columns")
