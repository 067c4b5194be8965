"""JSON: one complete document (RFC 8259)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager

import ijson

from nostra_cli.downloads.verify.common import DAMAGE, Ends, check_last_character
from nostra_cli.models import Piece

_FIRST = b'[{"-0123456789tfn'
_CLOSING = {b"[": b"]", b"{": b"}", b'"': b'"'}
_WHITE_SPACE = b" \t\r\n"
_MAX_TOKEN = 64 << 20
"""Bytes: the parser holds a text in memory until it ends."""
_DIGITS = b"0123456789"
_MAX_DIGITS = 1000
_EXCESS = re.compile(rb"(?<=[0-9]{%d})[0-9]+" % _MAX_DIGITS)
# Checking every 64th byte costs 3 % of the parsing time, checking all of them 35 %.
_SAMPLE = 64
_LONG_RUN = re.compile(rb"[0-9]{%d}" % (_MAX_DIGITS // _SAMPLE))


class FullCheck:
    """Read every token, by a streaming parser."""

    def __init__(self) -> None:
        self._events = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events)
        self._start: bytes | None = b""
        self._digits = b""
        self._held = 0

    def feed(self, data: Piece) -> None:
        """Parse the next bytes."""
        data = bytes(data)
        if self._start is not None:
            # A byte order mark may be split, too.
            self._start += data
            if codecs.BOM_UTF8.startswith(self._start):
                return  # too early to know, or nothing but the mark
            data, self._start = self._start.removeprefix(codecs.BOM_UTF8), None
        self._send(self._shortened(data))

    def finish(self) -> None:
        """Refuse a document that is cut."""
        self._send(self._digits)
        with _parser_errors():
            self._parser.close()

    def _send(self, data: bytes) -> None:
        if data:  # the parser takes empty input for the end
            with _parser_errors():
                self._parser.send(data)
            self._held = 0 if self._events else self._held + len(data)
            if self._held > _MAX_TOKEN:
                raise ValueError("a text in it is longer than 64 MiB")
            self._events.clear()

    def _shortened(self, data: bytes) -> bytes:
        """Take digits out of numbers that Python refuses to read (beyond 4,300 of them).

        Their values are not used. Digits at the end are held until more bytes arrive.
        """
        data = self._digits + data
        if _LONG_RUN.search(data[::_SAMPLE]):
            data = _EXCESS.sub(b"", data)
        known = data.rstrip(_DIGITS)
        self._digits = data[len(known) :]
        return known


@contextmanager
def _parser_errors() -> Iterator[None]:
    """Map the exceptions of the parser to a ValueError."""
    try:
        yield
    except (ijson.JSONError, *DAMAGE) as error:
        cut = "EOF" in str(error)
        raise ValueError("the JSON is cut" if cut else "it is not valid JSON") from error


class QuickCheck(Ends):
    """Check that the end fits the beginning."""

    def finish(self) -> None:
        """Compare both ends, without the white space around them."""
        first = self.start.removeprefix(codecs.BOM_UTF8).lstrip(_WHITE_SPACE)[:1]
        end = self.end.rstrip(_WHITE_SPACE)
        if first not in _FIRST:
            raise ValueError("it is not valid JSON")
        check_last_character(end)
        if not end.endswith(_CLOSING.get(first, b"")):
            raise ValueError("the JSON is cut")
