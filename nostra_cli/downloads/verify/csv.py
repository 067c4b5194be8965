"""CSV: UTF-8, quotes that close, the same number of fields in each row (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re
from itertools import repeat

from nostra_cli.downloads.verify.utf8 import Utf8

_DELIMITERS = ",;\t|"
_QUOTED = re.compile('"[^"]*"')
_LONGEST_ROW = 16 << 20
csv.field_size_limit(_LONGEST_ROW)


def delimiter_of(text: str) -> str:
    """Tell what separates the fields, by the first line of some text: one of `,;|` or a tab."""
    header = _QUOTED.sub("", text).lstrip("\r\n").split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)


class FullCheck:
    """Every row, by the csv module."""

    def __init__(self) -> None:
        """Begin a table."""
        self._text = Utf8()
        self._rest = ""
        self._delimiter = ""
        self._fields: set[int] = set()

    def feed(self, data: bytes | bytearray) -> None:
        """Read the rows that are complete."""
        text = self._rest + self._text.feed(data)
        # A row ends at a line end outside quotes: where the quotes before it are even in number.
        end = text.rfind("\n") + 1
        if not end or text.count('"', 0, end) % 2:
            if len(text) > _LONGEST_ROW:
                raise ValueError("a row is longer than 16 MiB: a quote is not closed")
            self._rest = text
            return
        self._rest = text[end:]
        self._rows(text[:end])

    def finish(self) -> None:
        """Read the last row, which may lack its line end."""
        self._text.finish()
        if self._rest.count('"') % 2:
            raise ValueError("it is cut inside a quoted field")
        self._rows(self._rest)

    def _rows(self, text: str) -> None:
        if not self._delimiter and text.strip():
            self._delimiter = delimiter_of(text)
        delimiter = self._delimiter or ","
        lines = text.replace("\r\n", "\n")
        if '"' in lines or "\r" in lines:
            self._fields |= _parsed(text, delimiter)
        else:
            self._fields |= _plain(lines, delimiter)
        if len(self._fields) > 1:
            raise ValueError("its rows differ in the number of fields")


def _parsed(text: str, delimiter: str) -> set[int]:
    """Give the numbers of fields that the rows have, by the csv module."""
    try:
        found = set(map(len, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error as error:
        raise ValueError("it is not valid CSV") from error
    return found - {0}  # blank lines


def _plain(lines: str, delimiter: str) -> set[int]:
    """Do the same where nothing is quoted, some ten times as fast: count the delimiters."""
    counts = set(map(str.count, filter(None, lines.split("\n")), repeat(delimiter)))
    return {count + 1 for count in counts}


class QuickCheck:
    """The cheap ones: UTF-8 and an even number of quotes."""

    def __init__(self) -> None:
        """Begin."""
        self._text = Utf8()
        self._quotes = 0

    def feed(self, data: bytes | bytearray) -> None:
        """Count, and look for damage."""
        if b'"' in data:  # many times as fast as to count none
            self._quotes += data.count(b'"')
        self._text.check(data)

    def finish(self) -> None:
        """Refuse quotes that do not close."""
        self._text.finish()
        if self._quotes % 2:
            raise ValueError("it is cut inside a quoted field")
