"""Parse rows of CSV with the csv module, from pieces of any size."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from nostra_cli.downloads.verify.common import Utf8
from nostra_cli.downloads.verify.csv import delimiter_of
from nostra_cli.models import Piece
from nostra_cli.preview.rows import MAX_ROW_BYTES, Row, column_names

_RETRY_FROM = 1 << 20


class CsvRows:
    """Parse a header and rows of as many fields; blank lines are skipped, as `download` does."""

    def __init__(self) -> None:
        self.header: tuple[str, ...] = ()
        self.delimiter = ""
        self.ends_in_delimiter = False  # the header
        self._utf8 = Utf8()
        self._text = ""
        self._needed = 0
        self._count = 0

    def feed(self, data: Piece) -> Sequence[Row]:
        """Return the rows that these bytes complete."""
        text = self._text + self._utf8.feed(bytes(data))
        # What ends in \r may continue with \n, so only \n ends a line here.
        end = text.rfind("\n") + 1
        rows: list[list[str]] = []
        used = 0
        if len(text) >= self._needed:
            rows, used = self._parse(text[:end])
            # A row that long is not parsed again for each piece of it.
            self._needed = 2 * len(text) if not used and len(text) > _RETRY_FROM else 0
        self._text = text[used:]
        if len(self._text) > MAX_ROW_BYTES:
            raise ValueError("a row is longer than 16 MiB: a quote is not closed")
        return self._named(rows)

    def finish(self) -> Sequence[Row]:
        """Return the last row, which may lack its line end."""
        self._utf8.finish()
        rows, used = self._parse(self._text)
        if used < len(self._text):
            raise ValueError("it is cut inside a quoted field")
        return self._named(rows)

    def _parse(self, text: str) -> tuple[list[list[str]], int]:
        """Return the complete rows, and where the last of them ends."""
        if not self.delimiter and text.strip():
            self.delimiter = delimiter_of(text)
        limit = csv.field_size_limit(MAX_ROW_BYTES)  # one for the whole process
        try:
            return _read_rows(text, self.delimiter or ",")
        finally:
            csv.field_size_limit(limit)

    def _named(self, rows: list[list[str]]) -> Sequence[Row]:
        if rows and not self.header:
            self.ends_in_delimiter = not rows[0][-1]
            self.header = column_names(rows.pop(0))
        width = len(self.header)
        for place, row in enumerate(rows, self._count + 1):
            if len(row) != width:
                fields = "field" if len(row) == 1 else "fields"
                raise ValueError(f"row {place} has {len(row)} {fields}, not {width}")
        self._count += len(rows)
        return [dict(zip(self.header, row, strict=True)) for row in rows]


def _read_rows(text: str, delimiter: str) -> tuple[list[list[str]], int]:
    source = io.StringIO(text, newline="")
    at_end = False

    def lines() -> Iterator[str]:
        nonlocal at_end
        yield from source
        at_end = True

    rows: list[list[str]] = []
    used = 0
    for row in csv.reader(lines(), delimiter=delimiter):
        if at_end:  # it needs more lines: a quote is not closed
            break
        used = source.tell()
        if row:
            rows.append(row)
    return rows, used
