"""Read the rows of a workbook's first sheet with python-calamine (extra `preview`).

The archive is checked first: calamine ends the process if a sheet needs more memory than is
available.
"""

from __future__ import annotations

import itertools
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import IO

from nostra_cli.downloads.verify.xlsx import NotAWorkbook, archive_errors, check_directory
from nostra_cli.models import JsonValue
from nostra_cli.preview.extra import load_extra
from nostra_cli.preview.rows import MAX_COLUMNS, Row, column_names

_MAX_MEMBERS = 10_000
_MAX_UNPACKED_BYTES = 1 << 30
_MAX_CELLS = 30_000_000
"""In the rectangle around all cells: calamine needs 32 bytes for each."""
_BLOCK = 1 << 20
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")
_LONGEST_REFERENCE = 64
Cell = int | float | str | bool | time | date | datetime | timedelta


class XlsxRows:
    """Read the first sheet of a workbook; its first row that is not empty names the columns.

    Raises UsageProblem without the extra, ValueError, with the reason, for a malformed workbook.
    """

    def __init__(self, file: IO[bytes]) -> None:
        calamine = load_extra("python_calamine", "xlsx")
        check_archive(file)
        file.seek(0)
        with _malformed():
            workbook = calamine.CalamineWorkbook.from_filelike(file)
            if not workbook.sheet_names:
                raise ValueError("the workbook has no sheet")
            self.sheets: tuple[str, ...] = tuple(workbook.sheet_names)
            self._rows = workbook.get_sheet_by_index(0).iter_rows()
        self.header: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.at_end = False
        for cells in self._next():
            self.header = column_names([str(_value(cell)) for cell in cells])
            break

    def read_first(self, max_rows: int) -> None:
        """Read the first rows, and one more to know whether others follow."""
        self.rows += itertools.islice(self._following(), max_rows + 1)
        self.at_end = len(self.rows) <= max_rows

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows that follow the header, without their empty cells."""
        yield from self.rows
        yield from self._following()

    def _following(self) -> Iterator[Row]:
        for cells in self._next():
            named = zip(self.header, cells, strict=False)
            yield {name: _value(cell) for name, cell in named if cell != ""}

    def _next(self) -> Iterator[list[Cell]]:
        """Yield the rows that are not empty."""
        while True:
            with _malformed():
                cells = next(self._rows, None)
            if cells is None:
                return
            if any(cell != "" for cell in cells):
                yield cells


@contextmanager
def _malformed() -> Iterator[None]:
    """Map the exceptions of calamine in the block to a ValueError.

    A panic of its Rust code is a BaseException of a class that cannot be imported.
    """
    try:
        yield
    except ValueError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:100]
        raise ValueError(f"the workbook is damaged: {reason}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError("the workbook is damaged") from error


def check_archive(file: IO[bytes]) -> None:
    """Check every byte of an archive, and that its sheets fit into memory; raises ValueError."""
    with archive_errors(), zipfile.ZipFile(file) as archive:
        check_directory(archive)
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise NotAWorkbook(f"the workbook has more than {_MAX_MEMBERS:,} parts")
        left = _MAX_UNPACKED_BYTES
        for info in members:
            with archive.open(info) as member:
                left -= _check_member(member, left)


def _check_member(member: IO[bytes], limit: int) -> int:
    """Read a part of at most `limit` bytes; return its size."""
    size = max_row = max_column = 0
    is_sheet, rest = False, b""
    while block := member.read(_BLOCK):
        size += len(block)
        if size > limit:
            raise NotAWorkbook("the workbook is larger than 1 GiB when unpacked")
        text = rest + block
        rest = text[-_LONGEST_REFERENCE:]
        is_sheet = is_sheet or b"sheetData" in text
        if is_sheet and (references := _REFERENCE.findall(text)):
            letters = {column for column, _ in references}
            max_column = max(max_column, *map(_column_number, letters))
            max_row = max(max_row, *(int(row[:12]) for _, row in references))
            if max_row * max(1, max_column) > _MAX_CELLS:
                raise NotAWorkbook("the workbook has a sheet that is too large to preview")
    if max_column > MAX_COLUMNS:
        raise NotAWorkbook(f"it has more than {MAX_COLUMNS:,} columns")
    return size


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _value(cell: Cell) -> JsonValue:
    """Return a cell as JSON: dates and times as ISO 8601, durations as hours:minutes:seconds."""
    if isinstance(cell, float):
        if not math.isfinite(cell):
            raise ValueError("the workbook has a number that is too large")
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time.min else str(cell.date())
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell) if isinstance(cell, (date, time)) else cell
