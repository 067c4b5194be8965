"""The first rows of a body, and the values that a preview is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from nostra_cli.downloads.verify.level import Level, checks_for
from nostra_cli.errors import Corrupt
from nostra_cli.models import Format, Piece
from nostra_cli.preview.rows import Parser, Row

if TYPE_CHECKING:
    from nostra_cli.preview.stats import Stats

_BLOCK_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """What to show: `format` None is the first that there is, `rows` are shown."""

    format: Format | None = None
    rows: int = 10
    stats: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What is previewed: a result of an invocation, or the local file `path`.

    `result` is None for the primary one as long as its id is not known.
    """

    format: Format
    invocation: str | None = None
    result: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows; `count` of them were read, one more than asked for where there are more.

    `complete` says that `rows` are all there are. `bytes_read` counts what was needed.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    count: int
    complete: bool
    at_end: bool
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown of a result of `bytes` (None: not known); `stats` is None if not asked for."""

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


def read_first_rows(
    pieces: Iterable[Piece],
    format: Format,
    max_rows: int,
    size: int | None = None,
    max_bytes: int | None = None,
) -> FirstRows:
    """Read `max_rows` rows of CSV or JSON, and no more of a body of `size` than they need.

    Raises ValueError for a malformed body.
    """
    parser, checks = parser_for(format), checks_for(format, Level.OFF, None)
    rows: list[Row] = []
    count = 0
    for piece in pieces:
        block = bytes(piece if max_bytes is None else piece[: max_bytes - count])
        count += len(block)
        if count == len(block) and block.startswith(_GZIP):
            raise ValueError("it is compressed with gzip")
        for check in checks:
            check.feed(block)
        rows += parser.feed(block)
        if len(rows) > max_rows or count == max_bytes:
            break
    at_end = len(rows) <= max_rows and (count != max_bytes if size is None else count >= size)
    if at_end:
        for check in checks:
            check.finish()
        rows += parser.finish()
    return first_rows(parser.header, rows, max_rows, at_end, count)


def first_rows(
    header: tuple[str, ...], rows: list[Row], max_rows: int, at_end: bool, bytes_read: int = 0
) -> FirstRows:
    """Return the first rows of `rows`, which are all there are if `at_end`."""
    shown = tuple(rows[:max_rows])
    names = dict.fromkeys([*header, *(name for row in shown for name in row)])
    complete = at_end and len(rows) <= max_rows
    return FirstRows(tuple(names), shown, len(rows), complete, at_end, bytes_read)


@contextmanager
def malformed(label: str, hint: str) -> Iterator[None]:
    """Turn a ValueError of the block, which says what is wrong, into the error about `label`."""
    try:
        yield
    except ValueError as error:
        raise Corrupt(f"{label}: {error}", hint) from error
