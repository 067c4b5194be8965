"""Workbooks: what openpyxl writes is read back; nothing hostile gets through."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from nostra_cli.preview import xlsx_parts, xlsx_rows
from nostra_cli.preview.table import Row
from nostra_cli.preview.xlsx_rows import XlsxRows
from nostra_cli.sandbox.samples import TABLES, sample
from tests.downloads.bodies import archive

RELATIONS = (
    '<Relationships><Relationship Id="r1" Target="/xl/worksheets/sheet1.xml"/></Relationships>'
)
WORKBOOK = (
    '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="S" r:id="r1"/></sheets></workbook>'
)


def read(data: bytes) -> tuple[tuple[str, ...], list[Row]]:
    book = XlsxRows(io.BytesIO(data))
    rows = [row for batch in book.batches() for row in batch.rows(len(batch))]
    return book.header, rows


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


def made(sheet: str, **parts: str) -> bytes:
    """Make a workbook of the XML of its sheet, and of other parts by their last names."""
    names = {"shared": "xl/sharedStrings.xml", "workbook": "xl/workbook.xml"}
    members = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS,
        "xl/worksheets/sheet1.xml": sheet,
    }
    return archive({**members, **{names[name]: text for name, text in parts.items()}})


def cells(text: str) -> str:
    return f"<worksheet><sheetData><row>{text}</row></sheetData></worksheet>"


@pytest.mark.parametrize("name", TABLES)
def test_the_samples_are_those_of_the_tables(name: str) -> None:
    header, rows = read(sample(name, "xlsx").data)
    table = TABLES[name]()
    assert header == table.columns
    assert [tuple(row.values()) for row in rows] == list(table.rows)


def test_every_kind_of_cell() -> None:
    rich = CellRichText("a", TextBlock(InlineFont(b=True), "b"))
    moment = datetime(2024, 2, 29, 12, 30, 15)
    values = ["text", 3, -2.5, True, False, date(1900, 1, 5), moment, time(6, 30), rich, " x "]
    header, rows = read(saved([[f"c{i}" for i in range(len(values))], values]))
    assert header == tuple(f"c{i}" for i in range(10))
    shown = ["1900-01-05", "2024-02-29 12:30:15", "06:30:00"]
    [row] = rows
    assert list(row.values()) == ["text", 3, -2.5, True, False, *shown, "ab", " x "]
    assert [type(row[f"c{i}"]) for i in (1, 2, 3)] == [int, float, bool]


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
    assert header == ("a", "column 2", "c")
    assert rows == [{"a": 1}, {"column 2": 2, "column 4": 4}]


def test_the_first_sheet_is_read() -> None:
    book = Workbook()
    book.create_sheet("second").append(["no"])
    data = saved([["a"], [1]], book)
    assert read(data) == (("a",), [{"a": 1}])
    assert XlsxRows(io.BytesIO(data)).sheets == ("Sheet", "second")


def test_cells_without_references_and_texts_inline() -> None:
    text = '<c t="inlineStr"><is><t>a</t><rPh><t>no</t></rPh></is></c><c t="str"><v>b</v></c>'
    assert read(made(cells(text)))[0] == ("a", "b")


DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (made(DTD + cells('<c t="str"><v>&b;</v></c>')), "document type"),
        (made("<worksheet><row>"), "not XML"),
        (made("\x00"), "not XML"),
        (made(cells('<c r="ZZZ1"><v>1</v></c>')), "more than 16,384 columns"),
        (made(cells('<c t="s"><v>7</v></c>'), shared="<sst/>"), "no shared text '7'"),
        (made(cells('<c t="s"><v>-1</v></c>'), shared="<sst/>"), "no shared text '-1'"),
        (made(cells('<c t="s"><v>0</v></c>')), "lacks a part"),
        (made(cells("<c><v>1e999</v></c>")), "number '1e999'"),
        (made(cells("<c><v>x</v></c>")), "number 'x'"),
        (made(cells(""), workbook="<workbook/>"), "no sheet"),
        (made(cells(""), workbook=WORKBOOK.replace("r1", "r2")), "lacks a part"),
        (archive({"[Content_Types].xml": "<Types/>"}), "not a workbook"),
        (b"no zip", "damaged"),
    ],
)
def test_a_bad_workbook_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_parts_that_grow_without_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = '<row><c t="str"><v>aaaaaaaaaaaaaaaaaaaaaaaaaa</v></c></row>'
    many = f"<worksheet><sheetData>{row * 3_000}</sheetData></worksheet>"
    assert refusal(made(many)) == ""
    monkeypatch.setattr(xlsx_rows, "_LARGEST_SHEET", 100_000)
    assert "too large" in refusal(made(many))
    monkeypatch.setattr(xlsx_parts, "_LARGEST_PART", 100_000)
    texts = f"<sst>{'<si><t>x</t></si>' * 10_000}</sst>"
    assert "too large" in refusal(made(cells('<c t="s"><v>0</v></c>'), shared=texts))


def test_what_is_nested_too_deeply_is_refused() -> None:
    assert "nested too deeply" in refusal(made("<a>" * 2_000))


def test_texts_that_cells_share_count_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, cell = "<sst><si><t>{}</t></si></sst>", '<c t="s"><v>0</v></c>'
    assert refusal(made(cells(cell * 9), shared=shared.format("x" * 32_767))) == ""
    assert "than a cell may be" in refusal(made(cells(cell), shared=shared.format("x" * 32_768)))
    monkeypatch.setattr(xlsx_rows, "LONGEST_ROW", 1_000)
    assert "longer than" in refusal(made(cells(cell * 11), shared=shared.format("x" * 100)))


def test_a_tag_without_end_and_a_row_without_end_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "too large" in refusal(made(f'<worksheet a="{"x" * (2 << 20)}"/>'))
    monkeypatch.setattr(xlsx_rows, "LONGEST_ROW", 1_000)
    assert "longer than" in refusal(made(cells('<c t="str"><v>' + "x" * 2_000 + "</v></c>")))


SMALL = saved([["a", "b"], [1, "x"], [2.5, date(2024, 1, 1)]])


@given(st.integers(0, len(SMALL) - 1), st.sampled_from([0x01, 0x04, 0x10, 0x80, 0xFF]))
def test_a_damaged_byte_is_never_a_crash(place: int, flip: int) -> None:
    damaged = bytearray(SMALL)
    damaged[place] ^= flip
    refusal(bytes(damaged))


def test_a_truncated_one_is_refused() -> None:
    assert all(refusal(SMALL[:end]) for end in range(0, len(SMALL), 101))


def test_the_directory_is_read_as_download_does() -> None:
    file = io.BytesIO(SMALL)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_BZIP2) as book:
        book.writestr("more", "x")
    assert "packed" in refusal(file.getvalue())
