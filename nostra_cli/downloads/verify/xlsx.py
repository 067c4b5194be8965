"""XLSX: a sound zip archive with the parts of a workbook (ECMA-376)."""

from __future__ import annotations

import zipfile
import zlib
from typing import IO

_START = b"PK\x03\x04"
_END = b"PK\x05\x06"
_LONGEST_END = 22 + 65_535
_BLOCK = 1 << 20
_PARTS = ("[Content_Types].xml", "xl/workbook.xml")


class QuickCheck:
    """While it streams: the first bytes of a zip archive, and the record at its end."""

    def __init__(self) -> None:
        """Begin."""
        self._head = b""
        self._tail = b""

    def feed(self, data: bytes | bytearray) -> None:
        """Keep both ends."""
        if len(self._head) < len(_START):
            self._head = (self._head + data[: len(_START)])[: len(_START)]
            if not _START.startswith(self._head):
                raise ValueError("it is not an XLSX workbook")
        self._tail = (self._tail + data[-_LONGEST_END:])[-_LONGEST_END:]

    def finish(self) -> None:
        """Refuse an archive whose end is missing."""
        place = self._tail.rfind(_END)
        if place < 0 or len(self._tail) < place + 22:
            raise ValueError("the workbook is cut")


def check_file(file: IO[bytes], whole: bool) -> None:
    """Check a finished file: its directory, and with `whole` every byte by its CRC.

    Raises ValueError.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            check_directory(archive)
            if whole:
                for info in archive.infolist():
                    with archive.open(info) as member:
                        while member.read(_BLOCK):
                            pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError("the workbook is damaged") from error


def check_directory(archive: zipfile.ZipFile) -> None:
    """Raise ValueError for an archive that is not packed as a workbook is."""
    names = set(archive.namelist())
    missing = [part for part in _PARTS if part not in names]
    if missing:
        raise ValueError(f"it is a zip archive without {missing[0]}, not a workbook")
    methods = {info.compress_type for info in archive.infolist()}
    if methods - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("the workbook is packed in a way that it may not be")
