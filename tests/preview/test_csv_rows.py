"""CSV: the rows are those of the csv module, however the bytes are cut."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.preview import csv_rows
from nostra_cli.preview.csv_rows import CsvRows
from nostra_cli.preview.rows import MAX_COLUMNS, column_names
from tests.downloads.bodies import BOM, CSV, PLACES, cut_up, singles
from tests.preview.parsing import refusal, rows_of

FIELDS = st.text(st.sampled_from('ab,;"\n\r\tü日😀 |'), max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    row = st.lists(FIELDS, min_size=width, max_size=width)
    header = [f"c{i}" for i in range(width)]
    return [header, *draw(st.lists(row, max_size=6))]


@given(tables(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), PLACES, st.booleans())
def test_rows_cut_anywhere_are_those_of_the_csv_module(
    table: list[list[str]], delimiter: str, end: str, places: list[int], bom: bool
) -> None:
    text = io.StringIO(newline="")
    # The writer leaves a lone \r bare where a line ends with \n.
    bare = len(table[0]) > 1 and not any("\r" in field for row in table for field in row)
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if bare else csv.QUOTE_ALL
    csv.writer(text, quoting=quoting, delimiter=delimiter, lineterminator=end).writerows(table)
    data = BOM * bom + text.getvalue().encode()
    read = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter))
    assert read == table
    parser = CsvRows()
    found = rows_of(parser, cut_up(data, places))
    assert parser.header == tuple(table[0])
    assert [list(row.values()) for row in found] == table[1:]


def test_quotes_delimiters_and_a_last_row_without_its_end() -> None:
    for pieces in ([CSV], singles(CSV), singles(BOM + CSV)):
        parser = CsvRows()
        rows = rows_of(parser, pieces)
        assert parser.header == ("id", "na;me", "größe")
        assert [row["na;me"] for row in rows] == ['a "b",\r\nc', "x", "last"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'a,b\n1,"2\n', "it is cut inside a quoted field"),
        (b"a,b\n1,2\n3\n", "row 2 has 1 field, not 2"),
        (b"a,b\n\n1,2\n3,4,5", "row 2 has 3 fields, not 2"),
        (b"a,b\n1,\xff\n", "it is not UTF-8"),
        ("a,b\n1,ü".encode()[:-1], "it is cut inside a character"),
        (b"\xff\xfea\x00", "it is not UTF-8"),
        (b"," * MAX_COLUMNS, "it has more than 16,384 columns"),
    ],
)
def test_a_bad_body_is_refused_however_it_is_cut(data: bytes, reason: str) -> None:
    assert refusal(CsvRows(), [data]) == reason
    assert refusal(CsvRows(), singles(data)) == reason


def test_a_quote_that_never_closes_is_refused_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "MAX_ROW_BYTES", 5_000)
    pieces = [b'a,b\n1,"', *[b"x,y\n" * 250] * 10]
    assert refusal(CsvRows(), pieces) == "a row is longer than 16 MiB: a quote is not closed"


def test_a_long_row_is_not_parsed_again_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_RETRY_FROM", 100)
    parse, calls = csv_rows._read_rows, []

    def counting(text: str, delimiter: str) -> tuple[list[list[str]], int]:
        calls.append(len(text))
        return parse(text, delimiter)

    monkeypatch.setattr(csv_rows, "_read_rows", counting)
    long = b"x\n" * 5_000
    pieces = [b'a\n"', *cut_up(long, list(range(0, 10_000, 100))), b'"\n"z"']
    assert [row["a"] for row in rows_of(CsvRows(), pieces)] == [long.decode(), "z"]
    assert len(calls) < 20


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n"x"y,2\n',
        'a,b\nx"y,"z"\n',
        'a,b\n "1",2\n',
        'a,b\n"3" ,4\n',
        'a,b\n"x""y",\n',
        'a,b\n"",""\n',
        'a\n\n""\n',
        'a,b\r\n"1\r2",3\n4,5\r6,7\r\n',
        'a,b\nx\x00y,"2"',
        '"a\nb",c\n1,2\n',
    ],
)
def test_odd_quotes_and_line_ends_are_read_as_the_csv_module_does(text: str) -> None:
    parser = CsvRows()
    rows = [list(row.values()) for row in rows_of(parser, [text.encode()])]
    read = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [list(parser.header), *rows] == read


def test_a_long_field_is_read_and_the_limit_of_the_csv_module_stays() -> None:
    before = csv.field_size_limit()
    data = b'a,b\n"' + b"x" * 1_000_000 + b'",1\n'
    assert len(str(rows_of(CsvRows(), [data])[0]["a"])) == 1_000_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("data", [b"a,b\n", b"a,b", b"a,b\r\n\r\n"])
def test_a_header_alone_is_a_table_without_rows(data: bytes) -> None:
    parser = CsvRows()
    assert (rows_of(parser, [data]), parser.header) == ([], ("a", "b"))


def test_each_column_has_a_name_of_its_own() -> None:
    assert column_names(["a", "", "a", "a (2)", "", "a"]) == (
        "a",
        "column 2",
        "a (2)",
        "a (2) (2)",
        "column 5",
        "a (3)",
    )
    assert len(set(column_names(["x"] * 5_000))) == 5_000
