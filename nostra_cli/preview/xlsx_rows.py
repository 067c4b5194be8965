"""The rows of a workbook's first sheet (ECMA-376), in bounded memory; no formulas, no charts."""

from __future__ import annotations

import contextlib
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from nostra_cli.models import JsonValue
from nostra_cli.preview.table import LONGEST_ROW, Sparse, check_columns, named
from nostra_cli.preview.xlsx_parts import Attributes, Book, events, moment

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
)
_LARGEST_SHEET = 4 << 30
_CELL = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)
_NUMBER = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)


class XlsxRows:
    """The rows of an open workbook; the first row that is not empty names the columns.

    Every method raises ValueError, with the reason, for what is not a sound workbook.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Read what cells refer to."""
        with _told():
            self._book = Book(zipfile.ZipFile(file))
        self.header: tuple[str, ...] = ()
        self._sheet = _Sheet(self._book)

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets."""
        return self._book.sheets

    def batches(self) -> Iterator[Sparse]:
        """Give the rows, some at a time."""
        with _told(), self._book.open_sheet() as member:
            for _ in events(member, self._sheet, _LARGEST_SHEET):
                yield self._batch()

    def _batch(self) -> Sparse:
        rows, self._sheet.rows = self._sheet.rows, []
        if rows and not self.header:
            first = rows.pop(0)
            self.header = named([_name(first.get(i)) for i in range(max(first) + 1)])
        names = self.header
        return Sparse([{_named(names, i): cell for i, cell in row.items()} for row in rows])


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what the libraries raise for a bad workbook into ValueErrors."""
    try:
        yield
    except expat.ExpatError as error:
        raise ValueError("the workbook has a part that is not XML") from error
    except KeyError as error:
        raise ValueError("the workbook lacks a part of it") from error
    except _DAMAGE as error:
        raise ValueError("the workbook is damaged") from error


class _Sheet:
    """Makes rows of the elements of a sheet."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.rows: list[dict[int, JsonValue]] = []
        self._row: dict[int, JsonValue] = {}
        self._column = -1
        self._kind = "n"
        self._style = ""
        self._text: list[str] = []
        self._size = 0
        self._reading = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Begin an element."""
        if name == "c":
            self._column = _column(attributes.get("r"), self._column + 1)
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._text.clear()
        elif name == "row":
            self._row, self._column, self._size = {}, -1, 0
        elif name in ("v", "t"):
            self._reading = True
        elif name == "rPh":  # how a word is pronounced is no part of it
            self._kind = "skip"

    def end(self, name: str) -> None:
        """End an element."""
        if name in ("v", "t"):
            self._reading = False
        elif name == "c":
            value = self._value("".join(self._text))
            if value not in (None, ""):
                self._row[self._column] = value
        elif name == "row" and self._row:
            self.rows.append(self._row)

    def data(self, text: str) -> None:
        """Take text."""
        if self._reading and self._kind != "skip":
            self._text.append(text)
            self._count(text)

    def _count(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST_ROW:
            raise ValueError("a row is longer than 16 MiB")

    def _value(self, text: str) -> JsonValue:
        """Read a cell by its type (ECMA-376, 18.18.11)."""
        if self._kind == "s":
            shared = self._book.shared(text)
            self._count(shared)  # it costs as much as one of its own where it is written
            return shared
        if self._kind == "b":
            return text.strip() in ("1", "true")
        if self._kind != "n" or not text:
            return text
        if self._style in self._book.date_styles:
            return moment(text, self._book.since_1904)
        return _number(text)


def _number(text: str) -> int | float:
    if _NUMBER.fullmatch(text):
        return int(text)
    with contextlib.suppress(ValueError):
        value = float(text)
        if math.isfinite(value):
            return value
    raise ValueError(f"the workbook has the number {text[:20]!r}")


def _column(reference: str | None, following: int) -> int:
    """Give the place of a cell, from 0, by its reference (`AB12`), else behind the last one."""
    found = _CELL.fullmatch(reference or "")
    place = following
    if found:
        place = 0
        for letter in found[1]:
            place = place * 26 + ord(letter) - ord("A") + 1
        place -= 1
    check_columns(place + 1)
    return place


def _name(value: JsonValue) -> str:
    return "" if value is None else str(value)


def _named(names: tuple[str, ...], place: int) -> str:
    return names[place] if place < len(names) else f"column {place + 1}"
