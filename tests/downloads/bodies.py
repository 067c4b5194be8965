"""Bodies for the checks, and what the checks say of them."""

from __future__ import annotations

import io
import zipfile
from itertools import pairwise

from hypothesis import strategies as st

from nostra_cli.downloads.verify.level import FULL_UP_TO, Level, check_file, checks_for
from nostra_cli.models import Format

LARGE = FULL_UP_TO + 1
BOM = b"\xef\xbb\xbf"
JSON = '[{"id": 1, "größe": "日本 😀 \\"q\\" \\u00e9", "x": [null, true, -1.5e3, {}, []]}]'.encode()
CSV = 'id,"na;me",größe\r\n1,"a ""b"",\r\nc","日本 😀"\r\n2,"x","y"\r\n3,"last","row"'.encode()
PLACES = st.lists(st.integers(0, 10**6), max_size=12)


def archive(members: dict[str, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, text in members.items():
            made.writestr(zipfile.ZipInfo(name), text, method)
    return file.getvalue()


SMALL_BOOK = archive({"[Content_Types].xml": "<Types/>" * 9, "xl/workbook.xml": "<workbook/>" * 9})
SOUND = [(Format.JSON, JSON), (Format.CSV, CSV), (Format.XLSX, SMALL_BOOK)]
LEVELS = [(level, length) for level in Level for length in (None, 10, LARGE)]


def verdict(
    format: Format, pieces: list[bytes], level: Level = Level.FULL, length: int | None = None
) -> str:
    """Return the reason why a body is refused, '' where it passes."""
    whole = b"".join(pieces)
    try:
        checks = checks_for(format, level, length)
        for piece in pieces:
            for check in checks:
                check.feed(bytearray(piece))
        for check in checks:
            check.finish()
        check_file(format, level, io.BytesIO(whole), len(whole) if length is None else length)
    except ValueError as error:
        return str(error)
    return ""


def cut_up(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(borders) if b > a]


def singles(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]
