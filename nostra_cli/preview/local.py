"""A look at a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from nostra_cli.downloads.verify.level import Level, checks_for
from nostra_cli.errors import FileProblem, UsageProblem
from nostra_cli.models import Format
from nostra_cli.preview.book import read_book
from nostra_cli.preview.reading import Preview, Reading, Source, malformed, parser_for
from nostra_cli.preview.table import Parser

if TYPE_CHECKING:
    from nostra_cli.downloads.batch import Progress

_BLOCK = 256 * 1024
_HINT = "is it of another format? say which: -f csv, -f json or -f xlsx"


def look_at_file(name: str, format: Format | None, reading: Reading, progress: Progress) -> Preview:
    """Read the beginning of a file, or all of it for statistics; its suffix tells the format.

    Raises UsageProblem for a format that is not known, FileProblem or Corrupt.
    """
    path = Path(name)
    header: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    with _opened(path) as file, malformed(name, _HINT):
        found = format or _format_of(path)
        size = os.fstat(file.fileno()).st_size if path.is_file() else None
        if found is Format.XLSX:
            if not file.seekable():
                raise FileProblem(f"{name} is not a regular file, as a workbook must be")
            header, warnings = read_book(file, reading)
        else:
            parser = parser_for(found)
            if reading.stats:
                with progress() as metering, metering(path.name) as meter:
                    meter.start(0, size)
                    _read(file, found, parser, reading, meter.advance)
            else:
                _read(file, found, parser, reading, lambda _count: None)
            header = parser.header
    return reading.preview(Source(found, path=name), size, header, warnings)


def _format_of(path: Path) -> Format:
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in set(Format):
        raise UsageProblem(
            f"the name of {path} does not tell its format", "say it: -f csv, -f json or -f xlsx"
        )
    return Format(suffix)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise FileProblem(f"cannot read {path}: {error.strerror}", "check the name") from error


def _read(
    file: BinaryIO, format: Format, parser: Parser, reading: Reading, advance: Callable[[int], None]
) -> None:
    checks = checks_for(format, Level.OFF, None)
    while block := file.read(_BLOCK):
        for check in checks:
            check.feed(block)
        reading.take(parser.feed(block))
        advance(len(block))
        if reading.enough:
            return
    for check in checks:
        check.finish()
    reading.take(parser.finish())
    reading.ended = True
