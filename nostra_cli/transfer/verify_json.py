"""JSON: one complete document (RFC 8259)."""

from __future__ import annotations

import codecs

import ijson

from nostra_cli.models import Piece
from nostra_cli.transfer.verify import Utf8

_CLOSING = {b"[": b"]", b"{": b"}", b'"': b'"'}
_TAIL = 64


class Whole:
    """Every token, by a streaming parser."""

    def __init__(self) -> None:
        """Begin a document."""
        self._events = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events)
        self._begun = False

    def feed(self, data: Piece) -> None:
        """Parse on."""
        data = bytes(data)
        if not self._begun:
            self._begun = True
            data = data.removeprefix(codecs.BOM_UTF8)
        try:
            self._parser.send(data)
        except (ijson.JSONError, UnicodeError, ArithmeticError) as error:
            raise ValueError(_reason(error)) from error
        self._events.clear()

    def finish(self) -> None:
        """Refuse a document that is cut."""
        try:
            self._parser.close()
        except (ijson.JSONError, UnicodeError, ArithmeticError) as error:
            raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    cut = "EOF" in str(error) or (isinstance(error, ijson.IncompleteJSONError) and not str(error))
    return "the JSON is cut" if cut else "it is not valid JSON"


class Signs:
    """The cheap ones: UTF-8, and an end that fits the beginning."""

    def __init__(self) -> None:
        """Begin."""
        self._text = Utf8()
        self._first = b""
        self._tail = b""

    def feed(self, data: Piece) -> None:
        """Look for damage, keep both ends."""
        data = bytes(data)
        self._text.check(data)
        if not self._first:
            self._first = data.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
        self._tail = (self._tail + data[-_TAIL:])[-_TAIL:]

    def finish(self) -> None:
        """Compare both ends."""
        closing = _CLOSING.get(self._first)
        if closing is not None and not self._tail.rstrip().endswith(closing):
            raise ValueError("the JSON is cut")
