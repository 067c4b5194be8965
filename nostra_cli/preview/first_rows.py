"""Read the first rows of a body; the values of a preview."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nostra_cli.downloads.verify.level import Level, checks_for
from nostra_cli.errors import Corrupt
from nostra_cli.models import Format, Piece
from nostra_cli.preview.rows import Parser, Row

if TYPE_CHECKING:
    from nostra_cli.preview.stats import Stats
    from nostra_cli.preview.xlsx_rows import XlsxRows

_BLOCK_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """What to show: `format` (None: the first available), number of rows, statistics."""

    format: Format | None = None
    rows: int = 10
    stats: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a preview: a result of an invocation, or the local file `path`.

    `result` is None for the primary one while its id is unknown.
    """

    format: Format
    invocation: str | None = None
    result: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """The preview of a result of `bytes` (None: unknown); `stats` is None if not requested."""

    source: Source
    bytes: int | None
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    complete: bool
    stats: Stats | None = None
    warnings: tuple[str, ...] = ()


def parser_for(format: Format) -> Parser:
    """Return a parser of CSV or JSON."""
    if format is Format.CSV:
        from nostra_cli.preview.csv_rows import CsvRows

        return CsvRows()
    from nostra_cli.preview.json_rows import JsonRows

    return JsonRows()


def read_blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a file in blocks."""
    while block := file.read(_BLOCK_BYTES):
        yield block


class FirstRows:
    """The first rows of a CSV or JSON that arrives in pieces; ValueError for a malformed one.

    It reads one row more than `max_rows`, to know whether more follow, and at most `max_bytes`.
    """

    def __init__(self, format: Format, max_rows: int, max_bytes: int | None = None) -> None:
        self.rows: list[Row] = []
        self.bytes_read = 0
        self.at_end = False
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._parser = parser_for(format)
        self._checks = checks_for(format, Level.OFF, None)

    @property
    def header(self) -> tuple[str, ...]:
        """The columns that the format names at its start."""
        return self._parser.header

    @property
    def enough(self) -> bool:
        """Whether more rows exist than are shown."""
        return len(self.rows) > self._max_rows

    def feed(self, data: Piece) -> bool:
        """Read the next bytes; return whether no more are needed."""
        left = None if self._max_bytes is None else self._max_bytes - self.bytes_read
        block = bytes(data[:left])
        if not self.bytes_read and block.startswith(_GZIP):
            raise ValueError("it is compressed with gzip")
        self.bytes_read += len(block)
        for check in self._checks:
            check.feed(block)
        self.rows += self._parser.feed(block)
        return self.enough or self.bytes_read == self._max_bytes

    def finish(self) -> None:
        """Read the end of the body."""
        for check in self._checks:
            check.finish()
        self.rows += self._parser.finish()
        self.at_end = True


def read_first_rows(file: IO[bytes], format: Format, max_rows: int) -> FirstRows:
    """Return the first rows of a file."""
    first = FirstRows(format, max_rows)
    for block in read_blocks(file):
        if first.feed(block):
            return first
    first.finish()
    return first


def preview_of(
    source: Source,
    size: int | None,
    first: FirstRows | XlsxRows,
    options: PreviewOptions,
    stats: Stats | None = None,
    warnings: tuple[str, ...] = (),
) -> Preview:
    """Return the preview of a body of `size`."""
    rows = tuple(first.rows[: options.rows])
    names = [*first.header, *(name for row in rows for name in row)]
    if stats is not None:
        names += [column.name for column in stats.columns]
    complete = first.at_end and len(first.rows) <= options.rows
    return Preview(source, size, tuple(dict.fromkeys(names)), rows, complete, stats, warnings)


@contextmanager
def malformed(label: str, hint: str) -> Iterator[None]:
    """Turn a ValueError of the block into a Corrupt about `label`, with its text as the reason."""
    try:
        yield
    except ValueError as error:
        raise Corrupt(f"{label}: {error}", hint) from error
