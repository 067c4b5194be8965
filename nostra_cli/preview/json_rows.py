"""The rows of JSON: the items of an array, or the members of an object.

Its syntax is verified by the streaming parser that `download` uses too. Items are then read one by
one with the json module: ijson's own need memory for each level of nesting, and by its square.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

from nostra_cli.downloads.verify.json import FullCheck
from nostra_cli.downloads.verify.utf8 import Utf8
from nostra_cli.models import JsonValue, Piece
from nostra_cli.preview.table import LONGEST_ROW, MOST_COLUMNS, Row, Sparse, check_columns

_BETWEEN = " \t\r\n,"
_DEEPEST = 100
_DEEP = f"its values are nested deeper than {_DEEPEST} levels"
_LONG = 1 << 20


class JsonRows:
    """An object is a row; `[...]` is one with numbered cells, anything else has a `value`."""

    header: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Begin a document."""
        self._syntax = FullCheck()
        self._utf8 = Utf8()
        self._text = ""
        self._kind = ""
        self._wait = 0
        self._names: set[str] = set()
        self._letters = 0
        self._decoder = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)

    def feed(self, data: Piece) -> Sparse:
        """Give the rows that these bytes complete."""
        plain = bytes(data)
        self._syntax.feed(plain)
        self._text += self._utf8.feed(plain)
        if len(self._text) < self._wait:
            return Sparse(())
        rows = self._rows()
        # An item that long is not read again and again for each piece of it.
        self._wait = 2 * len(self._text) if not rows and len(self._text) > _LONG else 0
        if len(self._text) > LONGEST_ROW:
            raise ValueError("one item of it is longer than 16 MiB")
        return Sparse(rows)

    def finish(self) -> Sparse:
        """Give the last rows."""
        self._syntax.finish()
        self._utf8.finish()
        self._text += " "  # nothing can follow a number that stands alone
        return Sparse(self._rows())

    def _rows(self) -> list[Row]:
        """Take the items that are complete off the text."""
        text, at = self._text, 0
        if not self._kind:
            text = text.lstrip()
            self._kind = text[:1] if text[:1] in ("[", "{") else text[:1] and "value"
            at = int(self._kind in ("[", "{"))
        rows: list[Row] = []
        try:
            if self._kind == "[":
                at = self._many(text, at, rows)
            while (start := _skip(text, at, _BETWEEN)) < len(text) and text[start] not in "]}":
                row, end = self._item(text, start)
                if end >= len(text):  # a number may go on
                    break
                _check_depth([row])
                rows.append(row)
                at = end
        except json.JSONDecodeError:
            pass  # its syntax is right, so it is not complete
        except RecursionError as error:
            raise ValueError(_DEEP) from error
        except ValueError as error:
            raise ValueError("the JSON has a number that is too long or too large") from error
        self._text = text[at:]
        for row in rows:
            if not self._names.issuperset(row):
                self._learn(row)
        return rows

    def _learn(self, row: Row) -> None:
        """Take the names of columns that were not there before: they are kept to the end."""
        new = row.keys() - self._names
        self._names |= new
        self._letters += sum(map(len, new))
        check_columns(len(self._names))
        if self._letters > LONGEST_ROW:
            raise ValueError("the names of its columns are longer than 16 MiB")

    def _item(self, text: str, start: int) -> tuple[Row, int]:
        """Read one item; gives it as a row, and where it ends."""
        value, end = self._decoder.raw_decode(text, start)
        if self._kind == "{":
            member, end = self._decoder.raw_decode(text, _skip(text, end, " \t\r\n:"))
            return {"key": value, "value": member}, end
        return (_row(value) if self._kind == "[" else {"value": value}), end

    def _many(self, text: str, at: int, rows: list[Row]) -> int:
        """Read items up to the last closing brace at once, if that ends one: it is much faster."""
        start, end = _skip(text, at, _BETWEEN), text.rfind("}") + 1
        if start >= end:
            return at
        try:
            items: list[JsonValue] = self._decoder.decode(f"[{text[start:end]}]")
        except json.JSONDecodeError:
            return at
        brackets = text.count("{", start, end) + text.count("[", start, end)
        if set(map(type, items)) != {dict} or brackets != len(items):  # to count them is cheap
            _check_depth(items)
        rows.extend(map(_row, items))
        return end


def _row(item: JsonValue) -> Row:
    if isinstance(item, dict):
        return item
    if isinstance(item, list):
        # One too many is enough to be refused; each costs ten times what it was in the list.
        return {str(place): cell for place, cell in enumerate(item[: MOST_COLUMNS + 1], 1)}
    return {"value": item}


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _check_depth(items: Sequence[JsonValue | Row], levels: int = _DEEPEST) -> None:
    """Raise RecursionError, as the json module does, for values nested deeper than so many levels.

    What is nested less can be written as JSON again from wherever it is needed.
    """
    if levels < 0:
        raise RecursionError
    for item in items:
        if isinstance(item, Mapping):
            _check_depth(list(item.values()), levels - 1)
        elif isinstance(item, list):
            _check_depth(item, levels - 1)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("infinite")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
