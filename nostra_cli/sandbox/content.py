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
ID_DIGITS = 12
_HIGH_DIGITS = ID_DIGITS - 4  # a block shares these: BLOCK_ROWS has four zeros


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
    """How one format writes a row: `before` id `between` likelihood `after`."""

    head: bytes
    before: bytes
    between: bytes
    after: bytes
    end: bytes

    @property
    def width(self) -> int:
        likelihood = len(_likelihood(0))
        fixed = len(self.before) + len(self.between) + len(self.after)
        return ID_DIGITS + likelihood + fixed


_LAYOUTS = {
    "csv": _Layout(b"id,churnLikelihood\n", b"", b",", b"\n", b"\n"),
    "json": _Layout(b"[\n", b'{"id": "', b'", "churnLikelihood": ', b"},\n", b"}\n]\n"),
}


def _likelihood(row: int) -> bytes:
    return b"0.%06d" % (row % BLOCK_ROWS * 7919 % 1_000_003 % 1_000_000)


@cache
def _pieces(kind: str) -> tuple[bytes, ...]:
    """Return the text between the high digits of the ids of one block.

    Joining these with the high digits of a block makes its 10,000 rows at the speed of memory.
    """
    layout = _LAYOUTS[kind]
    rows = [
        b"%04d" % low + layout.between + _likelihood(low) + layout.after
        for low in range(BLOCK_ROWS)
    ]
    return (layout.before, *(row + layout.before for row in rows[:-1]), rows[-1])


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
        minimum = len(layout.head) + layout.width - len(layout.after) + len(layout.end)
        if self.size < minimum:
            raise ValueError(f"{self.kind} needs at least {minimum} bytes, not {self.size}")

    @property
    def etag(self) -> str:
        """A digest of the values that the bytes are made from."""
        return _entity_tag(f"{self.kind} {self.size} {self.first}".encode())

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`, some 200 KB at a time."""
        layout = _LAYOUTS[self.kind]
        room = self.size - len(layout.head) - len(layout.end) + len(layout.after)
        rows = room // layout.width - 1  # without the last one
        head_stop = len(layout.head)
        rows_stop = head_stop + rows * layout.width
        if start < head_stop:
            yield layout.head[start:stop]
        yield from self._rows(max(start, head_stop) - head_stop, min(stop, rows_stop) - head_stop)
        if stop > rows_stop:
            yield self._last(layout, rows)[max(start - rows_stop, 0) : stop - rows_stop]

    def _rows(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield a range of the rows of fixed width; offsets count from the first row."""
        block_size = BLOCK_ROWS * _LAYOUTS[self.kind].width
        pieces = _pieces(self.kind)
        while start < stop:
            number, offset = divmod(start, block_size)
            high = b"%0*d" % (_HIGH_DIGITS, self.first // BLOCK_ROWS + number)
            piece = high.join(pieces)[offset : offset + stop - start]
            yield piece
            start += len(piece)

    def _last(self, layout: _Layout, rows: int) -> bytes:
        row = self.first + rows
        text = layout.before + b"%0*d" % (ID_DIGITS, row) + layout.between + _likelihood(row)
        used = len(layout.head) + rows * layout.width + len(text) + len(layout.end)
        return text + b"0" * (self.size - used) + layout.end


Content = Fixed | Rows
"""One result in one format."""
