"""CSV: UTF-8, quotes that close, the same number of fields in each row (RFC 4180).

As in Python's csv module, a quote opens a field only at its start; elsewhere in an unquoted field
it is an ordinary character.
"""

from __future__ import annotations

import codecs
import re
from itertools import repeat

from nostra_cli.downloads.verify.common import Ends, Utf8, check_last_character
from nostra_cli.models import Piece

_DELIMITERS = b",;\t|"
_MAX_ROW = 16 << 20
_CONTENT = rb'[^"]*+(?:""[^"]*+)*+'


class _Quotes:
    """Find the quoted fields of text whose fields end at one of `delimiters`."""

    def __init__(self, delimiters: bytes) -> None:
        # At the beginning, or behind a delimiter or a line end. The quote stands first in the
        # pattern, to be searched for as a single byte: half the time.
        opening = rb'"(?<![^' + re.escape(delimiters) + rb'\r\n]")'
        self._field = re.compile(opening + _CONTENT + b'"')
        self._opening = re.compile(opening)

    def replace(self, text: bytes) -> tuple[bytes, bool]:
        """Put an `x` in place of each quoted field; True if the last one is not closed."""
        if b'"' not in text:
            return text, False
        text = self._field.sub(b"x", text)
        unclosed = self._opening.search(text)
        return (text[: unclosed.start()] + b"x", True) if unclosed else (text, False)


_ANY_QUOTES = _Quotes(_DELIMITERS)
_CLOSING = re.compile(_CONTENT + b'"')
_LINE = re.compile(rb"([^\r\n]*)[\r\n]")


def delimiter_of(text: str) -> str:
    """Return the delimiter of the first line of `text`: one of `,;|` or a tab."""
    return _delimiter(_header(text.encode() + b"\n") or b"").decode()


def _header(start: bytes) -> bytes | None:
    """Return the first line with its quoted fields replaced, None if it is not complete."""
    text, _ = _ANY_QUOTES.replace(start.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n"))
    found = _LINE.match(text)
    return found[1] if found else None


def _delimiter(header: bytes) -> bytes:
    return bytes([max(_DELIMITERS, key=header.count)])


class FullCheck:
    """Read every row."""

    def __init__(self) -> None:
        self._text = Utf8()
        self._start = b""
        self._rows: _Rows | None = None

    def feed(self, data: Piece) -> None:
        """Read the rows that are complete."""
        data = bytes(data)
        self._text.check(data)
        if self._rows is None:
            self._start += data
            header = _header(self._start)
            if header is None:
                _check_row(len(self._start))
                return
            self._rows = _Rows(_delimiter(header))
            data, self._start = self._start.removeprefix(codecs.BOM_UTF8), b""
        self._rows.feed(data)

    def finish(self) -> None:
        """Read the last row, which may lack its line end."""
        self._text.finish()
        rows = self._rows
        if rows is None:
            rows = _Rows(_delimiter(_header(self._start + b"\n") or b""))
            rows.feed(self._start.removeprefix(codecs.BOM_UTF8))
        rows.finish()


class _Rows:
    """Count the fields of each row, however the bytes are cut into pieces."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._quotes = _Quotes(delimiter)
        self._in_quotes = False
        self._held = b""
        self._row = b""  # the incomplete last row, its quoted fields replaced
        self._size = 0
        self._widths: set[int] = set()

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        # Whether quotes at the end close a field depends on the next bytes.
        text = self._held + data
        known = text.rstrip(b'"')
        self._held = text[len(known) :]
        self._read(known)
        _check_row(self._size)

    def finish(self) -> None:
        self._read(self._held + b"\n")
        if self._in_quotes:
            raise ValueError("it is cut inside a quoted field")

    def _read(self, text: bytes) -> None:
        if self._in_quotes:
            closing = _CLOSING.match(text)
            if closing is None:
                return
            text = text[closing.end() :]
        text, self._in_quotes = self._quotes.replace(self._row + text)
        rows, ended, self._row = text.replace(b"\r", b"\n").rpartition(b"\n")
        if ended:
            self._size = len(self._row)
        counts = map(bytes.count, filter(None, rows.split(b"\n")), repeat(self._delimiter))
        self._widths.update(counts)
        if len(self._widths) > 1:
            raise ValueError("its rows differ in the number of fields")


def _check_row(size: int) -> None:
    if size > _MAX_ROW:
        raise ValueError("a row is longer than 16 MiB: a quote is not closed")


class QuickCheck(Ends):
    """Check that the last row is as complete as the first."""

    def finish(self) -> None:
        """Refuse a table that is cut; one that ends in a line end is accepted."""
        check_last_character(self.end)
        _, newline, row = self.end.replace(b"\r", b"\n").rpartition(b"\n")
        header = _header(self.start)
        if newline and row and header is not None:
            _check_last_row(row, header)


def _check_last_row(row: bytes, header: bytes) -> None:
    """Raise ValueError unless a row without a line end may be the last of its table."""
    delimiter = _delimiter(header)
    quotes = _Quotes(delimiter)
    width = header.count(delimiter)
    text, unclosed = quotes.replace(row)
    if not unclosed and text.count(delimiter) == width:
        return
    # Or the previous line end was inside quotes that close in this line.
    closing = _CLOSING.match(row)
    if closing and row[closing.end() : closing.end() + 1] in (b"", delimiter):
        text, still_open = quotes.replace(b"x" + row[closing.end() :])
        if not still_open and text.count(delimiter) <= width:
            return
    raise ValueError(
        "it is cut inside a quoted field" if unclosed else "its last row is not complete"
    )
