"""Workbooks: what openpyxl writes is read back; nothing hostile gets through."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from nostra_cli.errors import UsageProblem
from nostra_cli.preview import xlsx_rows
from nostra_cli.preview.rows import Row
from nostra_cli.preview.xlsx_rows import XlsxRows
from nostra_cli.sandbox.samples import TABLES, sample
from tests.downloads.bodies import archive

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def read(data: bytes) -> tuple[tuple[str, ...], list[Row]]:
    workbook = XlsxRows(io.BytesIO(data))
    return workbook.header, list(workbook)


def refusal(data: bytes) -> str:
    try:
        read(data)
    except ValueError as error:
        return str(error)
    return ""


def saved(rows: Iterable[Sequence[Any]], book: Workbook | None = None) -> bytes:
    book = book or Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def relations(target: str, kind: str) -> str:
    relation = f'<Relationship Id="r1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}">{relation}</Relationships>'


def made(cells: str, **members: str) -> bytes:
    """Make a workbook of the XML of one row, and of further members."""
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{types}"/>',
            "_rels/.rels": relations("xl/workbook.xml", "officeDocument"),
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations("/xl/worksheets/sheet1.xml", "worksheet"),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData><row r="1">'
            f"{cells}</row></sheetData></worksheet>",
            **members,
        }
    )


@pytest.mark.parametrize("name", TABLES)
def test_the_samples_are_those_of_the_tables(name: str) -> None:
    header, rows = read(sample(name, "xlsx").data)
    table = TABLES[name]()
    assert header == table.columns
    assert [tuple(row.values()) for row in rows] == list(table.rows)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("text", "text"),
        (" x ", " x "),
        (3, 3),
        (-2.5, -2.5),
        (2**52, 2**52),
        (12345678901234567890, 1.234567890123457e19),
        (True, True),
        (False, False),
        (date(1900, 1, 5), "1900-01-05"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 12, 30, 15), "2024-02-29 12:30:15"),
        (time(6, 30), "06:30:00"),
        (timedelta(hours=30, seconds=1), "30:00:01"),
        (CellRichText("a", TextBlock(InlineFont(b=True), "b")), "ab"),
    ],
)
def test_a_cell(cell: object, value: object) -> None:
    [row] = read(saved([["c", "d"], [cell, "x"]]))[1]
    assert (row["c"], type(row["c"])) == (value, type(value))


def test_the_epoch_of_the_mac() -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    assert read(saved([["d"], [date(2024, 3, 1)]], book))[1] == [{"d": "2024-03-01"}]


def test_a_format_with_letters_in_quotes_is_no_date() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for place, code in enumerate(('0.0 "days"', "[Red]0", "dd/mm/yyyy", "[$-409]mmm yy"), 1):
        sheet.cell(1, place, f"c{place}")
        sheet.cell(2, place, 45_000.0).number_format = code
    [row] = read(saved([], book))[1]
    assert list(row.values()) == [45_000, 45_000, "2023-03-15", "2023-03-15"]


def test_gaps_empty_rows_and_cells_beyond_the_header() -> None:
    header, rows = read(saved([[], ["a", None, "c"], [1], [], [None, 2, None, 4]]))
    assert header == ("a", "column 2", "c", "column 4")
    assert rows == [{"a": 1}, {"column 2": 2, "column 4": 4}]


def test_a_sheet_without_cells_has_no_columns() -> None:
    assert read(saved([])) == ((), [])


def test_the_first_sheet_is_read() -> None:
    book = Workbook()
    book.create_sheet("second").append(["no"])
    data = saved([["a"], [1]], book)
    assert read(data) == (("a",), [{"a": 1}])
    assert XlsxRows(io.BytesIO(data)).sheets == ("Sheet", "second")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (made('<c r="A1"><v>1</v></c><c r="ZZZ1"><v>1</v></c>'), "more than 16,384 columns"),
        (made('<c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>'), "too large to preview"),
        (made("<c r='A1'><v>1</v></c><c r = 'A9999999999'><v>1</v></c>"), "too large to preview"),
        (made('<c r="A1" t="s"><v>7</v></c>'), "damaged"),
        (made('<c r="A0"><v>7</v></c>'), "damaged"),
        (made('<c r="A1"><v>1e999</v></c>'), "number that is too large"),
        (made('<c r="A1'), "damaged"),
        (made("", **{"xl/workbook.xml": "<workbook/>"}), "no sheet"),
        (made("", **{"xl/_rels/workbook.xml.rels": ""}), "damaged"),
        (archive({"[Content_Types].xml": "<Types/>"}), "not a workbook"),
        (b"no zip", "damaged"),
        (b"", "damaged"),
    ],
)
def test_a_malformed_workbook_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_numbers_in_other_parts_are_no_cells() -> None:
    drawing = '<a r="99999999"/><b r="XFD1048576"/>'
    assert refusal(made('<c r="A1"><v>1</v></c>', **{"xl/drawings/d.xml": drawing})) == ""


def test_an_archive_that_grows_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made('<c r="A1"><v>1</v></c>', more="x" * 5_000_000)
    assert refusal(data) == ""
    monkeypatch.setattr(xlsx_rows, "_MAX_UNPACKED_BYTES", 4_000_000)
    assert "larger than 1 GiB when unpacked" in refusal(data)
    monkeypatch.setattr(xlsx_rows, "_MAX_MEMBERS", 5)
    assert "more than 5 parts" in refusal(data)


class PanicException(BaseException):
    """Stands for a panic of Rust code."""


def test_a_panic_of_the_library_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panicking:
        @staticmethod
        def from_filelike(_file: object) -> None:
            raise PanicException("index out of bounds")

    monkeypatch.setattr("python_calamine.CalamineWorkbook", Panicking)
    assert refusal(saved([["a"]])) == "the workbook is damaged"


def test_without_the_library_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(UsageProblem, match="xlsx needs python-calamine") as caught:
        read(saved([["a"]]))
    assert "pip install 'nostra-cli[preview]'" in caught.value.hint


SMALL = saved([["a", "b"], [1, "x"], [2.5, date(2024, 1, 1)]])


@given(st.integers(0, len(SMALL) - 1), st.sampled_from([0x01, 0x04, 0x10, 0x80, 0xFF]))
@settings(deadline=None)
def test_a_damaged_byte_is_never_a_crash(place: int, flip: int) -> None:
    damaged = bytearray(SMALL)
    damaged[place] ^= flip
    refusal(bytes(damaged))


SHEET = (
    '<c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" s="1"><v>45000</v></c>'
    '<c r="C1" t="b"><v>1</v></c><c r="D1" t="e"><v>#N/A</v></c>'
)


@given(st.integers(0, len(SHEET) - 1), st.sampled_from('"<>/ A9&=-\x00é'))
@settings(deadline=None)
def test_damaged_xml_is_never_a_crash(place: int, character: str) -> None:
    refusal(made(SHEET[:place] + character + SHEET[place + 1 :]))


def test_a_truncated_one_is_refused() -> None:
    assert all(refusal(SMALL[:end]) for end in range(0, len(SMALL), 101))


def test_the_directory_is_read_as_download_does() -> None:
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_BZIP2) as book:
        book.writestr("more", "x")
    assert "packed" in refusal(file.getvalue())
