"""XLSX: a sound zip archive with the parts of a workbook (ECMA-376)."""

from __future__ import annotations

import codecs
import errno
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from nostra_cli.downloads.verify.common import DAMAGE, Ends
from nostra_cli.errors import FileProblem
from nostra_cli.models import Piece

_START = b"PK\x03\x04"
_END = b"PK\x05\x06"
_BLOCK = 1 << 20
_PARTS = ("[Content_Types].xml", "xl/workbook.xml")
_DAMAGE: tuple[type[Exception], ...] = (zipfile.BadZipFile, *DAMAGE)
codecs.lookup("cp437")  # loaded now: zipfile needs it where no file descriptor may be left
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class QuickCheck(Ends):
    """Check the first bytes of a zip archive, and the record at its end."""

    def feed(self, data: Piece) -> None:
        """Refuse other first bytes at once."""
        super().feed(data)
        if not _START.startswith(self.start[: len(_START)]):
            raise ValueError("it is not an XLSX workbook")

    def finish(self) -> None:
        """Refuse an archive whose end is missing."""
        place = self.end.rfind(_END)
        if place < 0 or len(self.end) < place + 22:
            raise ValueError("the workbook is cut")


def check_file(file: IO[bytes], complete: bool) -> None:
    """Check a finished file: its directory, and with `complete` every byte by its CRC.

    Raises ValueError, and FileProblem where the file cannot be read.
    """
    with archive_errors(), zipfile.ZipFile(file) as archive:
        check_directory(archive)
        if complete:
            for info in archive.infolist():
                with archive.open(info) as member:
                    while member.read(_BLOCK):
                        pass


@contextmanager
def archive_errors() -> Iterator[None]:
    """Map the exceptions of zipfile to a ValueError."""
    try:
        yield
    except NotAWorkbook:
        raise
    except _DAMAGE as error:
        raise ValueError("the workbook is damaged") from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):  # an impossible position
            raise ValueError("the workbook is damaged") from error
        raise FileProblem(f"cannot read the workbook again: {error.strerror}") from error


class NotAWorkbook(ValueError):
    """An archive that can be read and is not a workbook."""


def check_directory(archive: zipfile.ZipFile) -> None:
    """Raise ValueError for an archive without the parts or the packing of a workbook."""
    names = set(archive.namelist())
    missing = [part for part in _PARTS if part not in names]
    if missing:
        raise NotAWorkbook(f"it is a zip archive without {missing[0]}, not a workbook")
    methods = {info.compress_type for info in archive.infolist()}
    if methods - _METHODS:
        raise NotAWorkbook("the workbook is packed by a method that workbooks do not use")
