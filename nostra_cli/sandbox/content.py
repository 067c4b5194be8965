"""Bodies that can be read from any offset: small ones in memory, large ones made on the fly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("json", "csv", "xlsx")
BLOCK_ROWS = 10_000
_HIGH = b"#" * 8
"""Stands for the digits of an id that the rows of one block share."""


def _entity_tag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Fixed:
    """A body in memory; `etag` is a strong entity tag, quotes included."""

    data: bytes

    @property
    def size(self) -> int:
        """The length in bytes."""
        return len(self.data)

    @property
    def etag(self) -> str:
        """A digest of the bytes."""
        return _entity_tag(self.data)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`."""
        yield self.data[start:stop]


@dataclass(frozen=True)
class _Layout:
    """How one format writes rows; the last one has `end` in place of `row_end`."""

    head: bytes
    row: bytes
    row_end: bytes
    end: bytes


_LAYOUTS = {
    "csv": _Layout(b"id,churnLikelihood\n", b"%s,%s", b"\n", b"\n"),
    "json": _Layout(b"[\n", b'{"id": "%s", "churnLikelihood": %s', b"},\n", b"}\n]\n"),
}


def _row(layout: _Layout, high: bytes, low: int) -> bytes:
    """Write a row without its end: the digits of its id are `high`, then four of `low`."""
    likelihood = b"0.%06d" % (low * 7919 % 1_000_003 % 1_000_000)
    return layout.row % (b"%s%04d" % (high, low), likelihood)


@cache
def _pieces(kind: str) -> list[bytes]:
    """Return BLOCK_ROWS rows, to be joined by the high digits of their ids: as fast as memory."""
    layout = _LAYOUTS[kind]
    rows = (_row(layout, _HIGH, low) + layout.row_end for low in range(BLOCK_ROWS))
    return b"".join(rows).split(_HIGH)


@dataclass(frozen=True)
class Rows:
    """A churn prediction of exactly `size` bytes, made while it is read, each row different.

    Rows have a fixed width, so that a range costs the same wherever it begins; the last number is
    padded with zeros to reach `size`. `first` is the id of the first row, a multiple of BLOCK_ROWS.
    """

    kind: str
    size: int
    first: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError if `size` has no room for a row."""
        layout = _LAYOUTS[self.kind]
        minimum = len(layout.head) + len(_row(layout, _HIGH, 0)) + len(layout.end)
        if self.size < minimum:
            raise ValueError(f"{self.kind} needs at least {minimum} bytes, not {self.size}")

    @property
    def etag(self) -> str:
        """A digest of the values that the bytes are made from."""
        return _entity_tag(f"{self.kind} {self.size} {self.first}".encode())

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`, some 200 KB at a time."""
        layout, pieces = _LAYOUTS[self.kind], _pieces(self.kind)
        head, width = len(layout.head), len(_row(layout, _HIGH, 0)) + len(layout.row_end)
        room = self.size - head - len(layout.end) + len(layout.row_end)
        last = head + (room // width - 1) * width  # where the last row begins
        if start < head:
            yield layout.head[start:stop]
            start = head
        while start < min(stop, last):
            number, offset = divmod(start - head, width * BLOCK_ROWS)
            rows = self._high_digits(number).join(pieces)
            piece = rows[offset : offset + min(stop, last) - start]
            yield piece
            start += len(piece)
        if start < stop:
            number, low = divmod((last - head) // width, BLOCK_ROWS)
            row = _row(layout, self._high_digits(number), low)
            row = row.ljust(self.size - last - len(layout.end), b"0") + layout.end
            yield row[start - last : stop - last]

    def _high_digits(self, block: int) -> bytes:
        return b"%0*d" % (len(_HIGH), self.first // BLOCK_ROWS + block)


Content = Fixed | Rows
"""One result in one format."""
