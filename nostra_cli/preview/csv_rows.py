"""The rows of CSV, as the csv module reads them, however the bytes are cut."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator

from nostra_cli.downloads.verify.csv import delimiter_of
from nostra_cli.downloads.verify.utf8 import Utf8
from nostra_cli.models import Piece
from nostra_cli.preview.table import LONGEST_ROW, Dense, named

_LONG = 1 << 20
csv.field_size_limit(LONGEST_ROW)


class _MoreNeeded(Exception):
    """The text ends; a row that is not complete is not to be taken for one."""


class CsvRows:
    """A header and rows of as many fields; blank lines are passed over, as `download` does."""

    def __init__(self) -> None:
        """Begin a table."""
        self.header: tuple[str, ...] = ()
        self._text = Utf8()
        self._rest = ""
        self._wait = 0
        self._delimiter = ""
        self._count = 0

    def feed(self, data: Piece) -> Dense:
        """Give the rows that these bytes complete."""
        text = self._rest + self._text.feed(bytes(data))
        # What ends in \r may go on with \n, so only \n is taken for a line end here.
        end = text.rfind("\n") + 1
        rows: list[list[str]] = []
        used = 0
        if len(text) >= self._wait:
            rows, used = self._read(text[:end])
            # A row that long is not read again and again for each piece of it.
            self._wait = 2 * len(text) if not used and len(text) > _LONG else 0
        self._rest = text[used:]
        if len(self._rest) > LONGEST_ROW:
            raise ValueError("a row is longer than 16 MiB: a quote is not closed")
        return self._table(rows)

    def finish(self) -> Dense:
        """Give the last row, which may lack its line end."""
        self._text.finish()
        rows, used = self._read(self._rest)
        if used < len(self._rest):
            raise ValueError("it is cut inside a quoted field")
        return self._table(rows)

    def _read(self, text: str) -> tuple[list[list[str]], int]:
        """Give the rows that are complete, and where the last of them ends."""
        if not self._delimiter and text.strip():
            self._delimiter = delimiter_of(text)
        rows: list[list[str]] = []
        lines, used = io.StringIO(text, newline=""), 0
        delimiter = self._delimiter or ","
        try:
            if '"' not in text:  # each line is a row
                return list(csv.reader(lines, delimiter=delimiter)), len(text)
            for row in csv.reader(itertools.chain(lines, _end()), delimiter=delimiter):
                rows.append(row)
                used = lines.tell()
        except _MoreNeeded:
            pass
        except csv.Error as error:
            raise ValueError("it is not valid CSV") from error
        return rows, used

    def _table(self, rows: list[list[str]]) -> Dense:
        rows = list(filter(None, rows))
        if rows and not self.header:
            self.header = named(rows.pop(0))
        wanted = len(self.header)
        if set(map(len, rows)) - {wanted}:
            place, row = next((i, row) for i, row in enumerate(rows, 1) if len(row) != wanted)
            raise ValueError(f"row {self._count + place} has {len(row)} fields, not {wanted}")
        self._count += len(rows)
        return Dense(self.header, rows)


def _end() -> Iterator[str]:
    yield from ()
    raise _MoreNeeded
