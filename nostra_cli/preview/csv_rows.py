"""Parse rows of CSV, as the csv module does, from pieces of any size.

Not the csv module: its limit for the length of a field is one for the whole process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nostra_cli.downloads.verify.csv import delimiter_of
from nostra_cli.downloads.verify.utf8 import Utf8
from nostra_cli.models import Piece
from nostra_cli.preview.rows import MAX_ROW_BYTES, Row, column_names

_RETRY_FROM = 1 << 20
_LINE_END = re.compile(r"\r\n|\n|\r")


class CsvRows:
    """Parse a header and rows of as many fields; blank lines are skipped, as `download` does."""

    def __init__(self) -> None:
        """Begin a table."""
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
        delimiter = self.delimiter or ","
        if '"' not in text:  # each line is a row
            lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            return [line.split(delimiter) for line in lines if line], len(text)
        return _parse_quoted(text, delimiter)

    def _named(self, rows: list[list[str]]) -> Sequence[Row]:
        if rows and not self.header:
            self.ends_in_delimiter = not rows[0][-1]
            self.header = column_names(rows.pop(0))
        width = len(self.header)
        for place, row in enumerate(rows, self._count + 1):
            if len(row) != width:
                raise ValueError(f"row {place} has {len(row)} fields, not {width}")
        self._count += len(rows)
        return [dict(zip(self.header, row, strict=True)) for row in rows]


def _parse_quoted(text: str, delimiter: str) -> tuple[list[list[str]], int]:
    other = rf"[^{re.escape(delimiter)}\r\n]*+"
    # A quoted field, what follows its closing quote, and any other field.
    field = re.compile(rf'"((?:[^"]++|"")*+)"({other})|(?!")({other})')
    rows: list[list[str]] = []
    row: list[str] = []
    at = used = 0
    while at < len(text):
        if not row and (blank := _LINE_END.match(text, at)):
            at = used = blank.end()
            continue
        found = field.match(text, at)
        if found is None:  # a quote that is not closed yet
            break
        quoted, rest, plain = found.groups()
        row.append(plain if quoted is None else quoted.replace('""', '"') + rest)
        at = found.end()
        if text.startswith(delimiter, at):
            at += len(delimiter)
            if at < len(text):
                continue
            row.append("")
        elif line_end := _LINE_END.match(text, at):
            at = line_end.end()
        rows.append(row)
        row, used = [], at
    return rows, used
