"""JSON: one complete document (RFC 8259)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager

import ijson

from nostra_cli.downloads.verify.utf8 import Utf8

_CLOSING = {b"[": b"]", b"{": b"}", b'"': b'"'}
_TAIL = 64


class FullCheck:
    """Every token, by a streaming parser."""

    def __init__(self) -> None:
        """Begin a document."""
        self._events = ijson.sendable_list()
        self._parser = ijson.basic_parse_coro(self._events)
        self._start: bytes | None = b""

    def feed(self, data: bytes | bytearray) -> None:
        """Parse on."""
        if not data:  # the parser would take it for the end
            return
        if self._start is not None:
            # A byte order mark may come in pieces too.
            self._start += data
            if codecs.BOM_UTF8.startswith(self._start):
                return  # too early to tell, or nothing but the mark
            data, self._start = self._start.removeprefix(codecs.BOM_UTF8), None
        with _told():
            self._parser.send(bytes(data))
        self._events.clear()

    def finish(self) -> None:
        """Refuse a document that is cut."""
        with _told():
            self._parser.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SystemError as error:  # what the parser makes of Python's limit of 4,300 digits
        raise ValueError("the JSON has a number that is too long") from error
    except (ijson.JSONError, UnicodeError, ArithmeticError) as error:
        cut = "EOF" in str(error)
        raise ValueError("the JSON is cut" if cut else "it is not valid JSON") from error


class QuickCheck:
    """The cheap ones: UTF-8, and an end that fits the beginning."""

    def __init__(self) -> None:
        """Begin."""
        self._text = Utf8()
        self._head = b""
        self._tail = b""

    def feed(self, data: bytes | bytearray) -> None:
        """Check for damage, keep both ends."""
        self._text.check(data)
        if len(self._head) < _TAIL:
            self._head += data[:_TAIL]
        self._tail = (self._tail + data[-_TAIL:])[-_TAIL:]

    def finish(self) -> None:
        """Compare both ends."""
        self._text.finish()
        closing = _CLOSING.get(self._head.removeprefix(codecs.BOM_UTF8).lstrip()[:1])
        if closing is not None and not self._tail.rstrip().endswith(closing):
            raise ValueError("the JSON is cut")
