"""XLSX: a sound archive with the parts of a workbook passes, anything less does not."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.verify import xlsx as verify_xlsx
from nostra_cli.downloads.verify.level import Level
from nostra_cli.errors import FileProblem
from nostra_cli.models import Format
from tests.downloads.bodies import LARGE, LEVELS, SMALL_BOOK, archive, singles, verdict

PARTS = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}
LOOKING = [(level, length) for level, length in LEVELS if level is not Level.OFF]


def refused(data: bytes, whole: bool) -> bool:
    """Return whether a finished file is refused; any exception but ValueError is raised."""
    try:
        verify_xlsx.check_file(io.BytesIO(data), whole)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_both_ways_to_store_a_part_pass(method: int) -> None:
    assert verdict(Format.XLSX, [archive(PARTS, method)]) == ""


@pytest.mark.parametrize("size", [1, 65_535])
def test_a_comment_at_the_end_passes(size: int) -> None:
    file = io.BytesIO(SMALL_BOOK)
    with zipfile.ZipFile(file, "a") as book:
        book.comment = b"c" * size
    assert verdict(Format.XLSX, [file.getvalue()]) == ""
    assert verdict(Format.XLSX, [file.getvalue()[:20], file.getvalue()[20:]]) == ""


@pytest.mark.parametrize(("level", "length"), LOOKING)
def test_a_workbook_cut_anywhere_is_refused_while_it_streams(
    level: Level, length: int | None
) -> None:
    for end in range(1, len(SMALL_BOOK)):
        assert verdict(Format.XLSX, [SMALL_BOOK[:end]], level, length) == "the workbook is cut"
        assert verdict(Format.XLSX, singles(SMALL_BOOK[:end]), level, length)


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_cut_anywhere_is_refused(whole: bool) -> None:
    assert not refused(SMALL_BOOK, whole)
    assert [end for end in range(len(SMALL_BOOK)) if not refused(SMALL_BOOK[:end], whole)] == []


@pytest.mark.parametrize("missing", PARTS)
@pytest.mark.parametrize("length", [None, LARGE])
def test_an_archive_without_the_parts_of_a_workbook_is_refused(
    missing: str, length: int | None
) -> None:
    data = archive({name: text for name, text in PARTS.items() if name != missing})
    reason = f"it is a zip archive without {missing}, not a workbook"
    assert verdict(Format.XLSX, [data], Level.AUTO, length) == reason


@pytest.mark.parametrize(
    "data", [b"{}", b"a,b\n", b"PK\x05\x06" + bytes(18), b"PX", b"\xd0\xcf\x11"]
)
@pytest.mark.parametrize(("level", "length"), LOOKING)
def test_a_body_that_does_not_begin_as_an_archive_is_refused_at_once(
    data: bytes, level: Level, length: int | None
) -> None:
    reason = "it is not an XLSX workbook"
    assert verdict(Format.XLSX, [data, SMALL_BOOK], level, length) == reason
    assert verdict(Format.XLSX, singles(data), level, length) == reason


def test_every_byte_of_the_parts_is_read_by_full_only() -> None:
    data = archive(PARTS, zipfile.ZIP_STORED)
    damaged = data.replace(b"<workbook/>", b"<workbook?>")
    assert refused(damaged, whole=True)
    assert not refused(damaged, whole=False)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_parts_whose_method_is_changed_are_refused(method: int) -> None:
    sound, mark = zipfile.ZIP_DEFLATED.to_bytes(2, "little"), method.to_bytes(2, "little")
    header, entry = SMALL_BOOK.index(b"PK\x03\x04") + 8, SMALL_BOOK.index(b"PK\x01\x02") + 10
    damaged = bytearray(SMALL_BOOK)
    for place in (header, entry):
        assert damaged[place : place + 2] == sound
        damaged[place : place + 2] = mark
    assert refused(bytes(damaged), whole=True)


@given(st.integers(0, len(SMALL_BOOK) - 1), st.sampled_from([0x01, 0x04, 0x06, 0x10, 0x80, 0xFF]))
def test_a_damaged_byte_is_refused_or_harmless_and_never_a_crash(place: int, flip: int) -> None:
    damaged = bytearray(SMALL_BOOK)
    damaged[place] ^= flip
    if refused(bytes(damaged), whole=True):
        return
    with (
        zipfile.ZipFile(io.BytesIO(damaged)) as harmless,
        zipfile.ZipFile(io.BytesIO(SMALL_BOOK)) as sound,
    ):
        assert [harmless.read(name) for name in harmless.namelist()] == [
            sound.read(name) for name in sound.namelist()
        ]


def test_every_hole_in_a_workbook_is_refused_and_never_a_crash(tmp_path: Path) -> None:
    data = archive({f"xl/part{n}.xml": "<x/>" * n for n in range(9)} | PARTS)
    path = tmp_path / "book"
    for start in range(4, len(data), 3):
        for size in (1, 7, 64, 300):
            path.write_bytes(data[:start] + data[start + size :])
            # A file: its seek says EINVAL where that of BytesIO does not.
            with path.open("rb") as file, pytest.raises(ValueError, match="workbook"):
                verify_xlsx.check_file(file, complete=True)


@pytest.mark.parametrize(
    "error",
    [
        LookupError("unknown encoding: x"),
        NotImplementedError("compression"),
        RuntimeError("encrypted"),
        RecursionError(),
        MemoryError(),
        EOFError(),
        OverflowError(),
        SystemError("bad argument to an internal function"),
        struct.error(),
        zlib.error(),
        zipfile.BadZipFile(),
        UnicodeDecodeError("cp437", b"x", 0, 1, "no"),
        OSError(errno.EINVAL, os.strerror(errno.EINVAL)),
        OSError(errno.EOVERFLOW, os.strerror(errno.EOVERFLOW)),
        OSError("negative seek"),
    ],
)
def test_whatever_the_parser_raises_is_damage(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: zipfile.ZipFile, _name: str) -> None:
        raise error

    monkeypatch.setattr(zipfile.ZipFile, "open", broken)
    with pytest.raises(ValueError, match="the workbook is damaged"):
        verify_xlsx.check_file(io.BytesIO(SMALL_BOOK), complete=True)


def test_a_disk_error_is_not_damage_of_the_workbook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(_self: zipfile.ZipFile, _name: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(zipfile.ZipFile, "open", failing)
    with pytest.raises(FileProblem, match=os.strerror(errno.EIO)):
        verify_xlsx.check_file(io.BytesIO(SMALL_BOOK), complete=True)


def test_an_encrypted_workbook_is_refused() -> None:
    damaged = bytearray(SMALL_BOOK)
    for place in (SMALL_BOOK.index(b"PK\x03\x04") + 6, SMALL_BOOK.index(b"PK\x01\x02") + 8):
        damaged[place] |= 1
    assert refused(bytes(damaged), whole=True)
