"""Bodies that can be read from any offset: small ones in memory, large ones made on the fly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("json", "csv", "xlsx")
BLOCK_ROWS = 10_000
ID_DIGITS = 12
_HIGH_DIGITS = ID_DIGITS - 4  # a block shares these: BLOCK_ROWS has four zeros


class Content(Protocol):
    """One result in one format."""

    @property
    def size(self) -> int:
        """The length in bytes."""

    @property
    def etag(self) -> str:
        """A strong entity tag, quotes included."""

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`."""


@dataclass(frozen=True)
class Fixed:
    """A body in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """The length in bytes."""
        return len(self.data)

    @property
    def etag(self) -> str:
        """A strong entity tag: a digest of the bytes."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:32]}"'

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
    """Give what stands between the high digits of the ids of one block.

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

    Rows have a fixed width, so a range costs what it holds, wherever it begins; only the last
    number has more zeros, to meet `size` to the byte. `first` is the id of the first row.
    """

    kind: str
    size: int
    first: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError if `size` has no room for a row, or `first` does not begin a block."""
        layout = _LAYOUTS[self.kind]
        least = len(layout.head) + layout.width - len(layout.after) + len(layout.end)
        if self.size < least:
            raise ValueError(f"{self.kind} needs at least {least} bytes, not {self.size}")
        if self.first % BLOCK_ROWS:
            raise ValueError(f"the first row must be a multiple of {BLOCK_ROWS}")

    @property
    def etag(self) -> str:
        """A strong entity tag: a digest of all that the bytes follow from."""
        text = f"{self.kind} {self.size} {self.first}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, not including, `stop`, some 200 KB at a time."""
        layout = _LAYOUTS[self.kind]
        rows = self._whole_rows(layout)
        head_stop = len(layout.head)
        rows_stop = head_stop + rows * layout.width
        if start < head_stop:
            yield layout.head[start:stop]
        yield from self._rows(max(start, head_stop) - head_stop, min(stop, rows_stop) - head_stop)
        if stop > rows_stop:
            yield self._last(layout, rows)[max(start - rows_stop, 0) : stop - rows_stop]

    def _whole_rows(self, layout: _Layout) -> int:
        """Count the rows before the last one."""
        room = self.size - len(layout.head) - len(layout.end) + len(layout.after)
        return room // layout.width - 1

    def _rows(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield a range of the rows of fixed width, counted from the first one."""
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
