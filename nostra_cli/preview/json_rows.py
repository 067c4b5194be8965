"""Parse rows of JSON: the items of an array, or the members of an object.

The streaming parser that `download` uses verifies the syntax; the json module then reads the items
one by one. ijson's own items need memory that grows with the square of their depth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from nostra_cli.downloads.verify.common import Utf8
from nostra_cli.downloads.verify.json import FullCheck
from nostra_cli.models import MAX_DEPTH, Piece, check_depth
from nostra_cli.preview.rows import MAX_COLUMNS, MAX_ROW_BYTES, Row, check_columns

_BETWEEN = " \t\r\n,"
_RETRY_FROM = 1 << 20


class JsonRows:
    """Parse items: an object is a row, `[...]` one with numbered cells, others have a `value`."""

    header: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._syntax = FullCheck()
        self._utf8 = Utf8()
        self._text = ""
        self._top_level = ""
        self._needed = 0
        self._names: set[str] = set()
        self._names_length = 0
        self._decoder = json.JSONDecoder(parse_float=_finite)

    def feed(self, data: Piece) -> Sequence[Row]:
        """Return the rows that these bytes complete."""
        block = bytes(data)
        self._syntax.feed(block)
        self._text += self._utf8.feed(block)
        if len(self._text) < self._needed:
            return ()
        rows = self._rows()
        # An item that long is not parsed again for each piece of it.
        self._needed = 2 * len(self._text) if not rows and len(self._text) > _RETRY_FROM else 0
        if len(self._text) > MAX_ROW_BYTES:
            raise ValueError("one item of it is longer than 16 MiB")
        return rows

    def finish(self) -> Sequence[Row]:
        """Return the last rows."""
        self._syntax.finish()
        self._utf8.finish()
        self._text += " "  # nothing can follow a number that stands alone
        return self._rows()

    def _rows(self) -> list[Row]:
        """Take the items that are complete off the text."""
        text, at = self._text, 0
        if not self._top_level:
            text = text.lstrip()
            self._top_level = text[:1] if text[:1] in ("[", "{") else text[:1] and "value"
            at = int(self._top_level in ("[", "{"))
        rows: list[Row] = []
        try:
            while (start := _skip(text, at, _BETWEEN)) < len(text) and text[start] not in "]}":
                row, end = self._item(text, start)
                if end >= len(text):  # a number may continue
                    break
                check_depth(row.values())
                rows.append(row)
                at = end
        except json.JSONDecodeError:
            pass  # its syntax is verified, so it is incomplete
        except RecursionError as error:
            message = f"its values are nested deeper than {MAX_DEPTH} levels"
            raise ValueError(message) from error
        except ValueError as error:
            raise ValueError("the JSON has a number that is too long or too large") from error
        self._text = text[at:]
        for row in rows:
            if not self._names.issuperset(row):
                self._add_names(row)
        return rows

    def _add_names(self, row: Row) -> None:
        """Add new names of columns; all are kept to the end."""
        new = row.keys() - self._names
        self._names |= new
        self._names_length += sum(map(len, new))
        check_columns(len(self._names))
        if self._names_length > MAX_ROW_BYTES:
            raise ValueError("the names of its columns are longer than 16 MiB")

    def _item(self, text: str, start: int) -> tuple[Row, int]:
        """Return one item as a row, and where it ends."""
        value, end = self._decoder.raw_decode(text, start)
        if self._top_level == "{":
            member, end = self._decoder.raw_decode(text, _skip(text, end, " \t\r\n:"))
            return {"key": value, "value": member}, end
        if self._top_level == "[" and isinstance(value, dict):
            return value, end
        if self._top_level == "[" and isinstance(value, list):
            # One too many is enough to refuse it; each costs ten times its size in the list.
            cells = enumerate(value[: MAX_COLUMNS + 1], 1)
            return {str(place): cell for place, cell in cells}, end
        return {"value": value}, end


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("infinite")
    return value
