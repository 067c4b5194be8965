"""Check that a body is what its format promises, while it streams and in bounded memory.

`full` reads the format to its end. `auto` does so for bodies of up to 64 MiB or of unknown length,
and beyond that checks the first bytes, the last bytes and the directory of a workbook. `off`
checks only the length and refuses web pages.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import IO, Protocol

from nostra_cli.errors import Corrupt
from nostra_cli.models import Format, Piece

FULL_UP_TO = 64 << 20
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<?xml")
_HEAD = 512


class Level(StrEnum):
    """How closely to inspect a body."""

    AUTO = "auto"
    FULL = "full"
    OFF = "off"


class Check(Protocol):
    """Inspect a body piece by piece; raises ValueError, with the reason, for a bad one."""

    def feed(self, data: Piece) -> None:
        """Check the next bytes."""

    def finish(self) -> None:
        """Check what shows at the end only."""


def refuse_page(headers: Mapping[str, str], label: str) -> None:
    """Raise Corrupt when the headers (lower-case names) of a response say that it is a web page."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise Corrupt(
            f"{label}: the response is a web page, not a result",
            "check the base URL; a proxy or a login page may stand in between",
        )


def checks_for(format: Format, level: Level, length: int | None) -> list[Check]:
    """Return the checks for a body of `length` bytes (None: not known)."""
    checks: list[Check] = [NotEmpty(format)]
    if level is Level.OFF:
        return checks
    full = level is Level.FULL or length is None or length <= FULL_UP_TO
    if format is Format.JSON:
        from nostra_cli.downloads.verify import json as verify_json  # loads a parser

        checks.append(verify_json.FullCheck() if full else verify_json.QuickCheck())
    elif format is Format.CSV:
        from nostra_cli.downloads.verify import csv as verify_csv

        checks.append(verify_csv.FullCheck() if full else verify_csv.QuickCheck())
    else:
        from nostra_cli.downloads.verify import xlsx as verify_xlsx

        checks.append(verify_xlsx.QuickCheck())
    return checks


def preload(formats: Iterable[Format], level: Level) -> None:
    """Load what checks these formats; a thread may find no file descriptor left for it."""
    for format_ in formats:
        checks_for(format_, level, None)


def is_checked_at_end(format: Format, level: Level) -> bool:
    """Return whether `check_file` reads the finished file: a workbook's directory is at its end."""
    return format is Format.XLSX and level is not Level.OFF


def check_file(format: Format, level: Level, file: IO[bytes], length: int) -> None:
    """Check the finished file of a format that is not read as a stream; raises ValueError."""
    if is_checked_at_end(format, level):
        from nostra_cli.downloads.verify import xlsx as verify_xlsx  # loads zipfile

        verify_xlsx.check_file(file, complete=level is Level.FULL or length <= FULL_UP_TO)


class NoResultError(ValueError):
    """A body that is no result at any level: empty, or a web page."""


class NotEmpty:
    """Refuse an empty body and a web page."""

    def __init__(self, format: Format) -> None:
        self._format = format
        self._head = b""

    def feed(self, data: Piece) -> None:
        """Check the first bytes that are not white space."""
        if len(self._head) < _HEAD:
            start = (self._head + bytes(data)).removeprefix(codecs.BOM_UTF8)
            self._head = start.lstrip()[:_HEAD]
            if self._head.lower().startswith(_HTML_STARTS):
                raise NoResultError(f"it is a web page, not {self._format}")

    def finish(self) -> None:
        """Refuse nothing but white space."""
        if not self._head:
            raise NoResultError("it is empty")
