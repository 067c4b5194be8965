"""CSV: every usual way to write it passes, what is cut or ragged does not."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.verify.level import Level, checks_for
from nostra_cli.models import Format
from tests.downloads.bodies import BOM, CSV, LARGE, PLACES, cut_up, singles, verdict

CUTS = range(CSV.index(b"\r\n") + 2, len(CSV))


@st.composite
def csv_documents(draw: st.DrawFn) -> bytes:
    width = draw(st.integers(2, 4))
    letters = st.sampled_from([*'ab",;\n é日😀', "\r\n"])
    cell = st.lists(letters, max_size=6).map("".join)
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=6))
    file = io.StringIO()
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(file, delimiter=draw(st.sampled_from(",;\t|")), lineterminator=ends)
    writer.writerows([[f"head{n}" for n in range(width)], *rows])
    text = file.getvalue()
    return (text.removesuffix(ends) if draw(st.booleans()) else text).encode()


@given(csv_documents(), PLACES)
def test_any_csv_document_passes_in_any_pieces(data: bytes, at: list[int]) -> None:
    assert verdict(Format.CSV, cut_up(data, at)) == ""
    assert verdict(Format.CSV, cut_up(data, at), Level.AUTO, LARGE) == ""


@given(st.lists(st.sampled_from([*"ab,; \n", "\r\n", "\r"]), max_size=40).map("".join))
def test_without_quotes_it_counts_as_the_csv_module_does(text: str) -> None:
    data = f"a,b\n{text}".encode()
    try:
        widths = {len(row) for row in csv.reader(io.StringIO(data.decode(), newline="")) if row}
    except csv.Error:
        widths = set()
    assert (verdict(Format.CSV, [data]) == "") == (widths == {2})


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
@pytest.mark.parametrize("length", [None, LARGE])
def test_what_is_not_utf8_is_refused(damage: bytes, length: int | None) -> None:
    data = b"a,b\n" + damage + b",2\n"
    assert verdict(Format.CSV, [data], Level.AUTO, length) == "it is not UTF-8"
    assert verdict(Format.CSV, singles(data), Level.AUTO, length) == "it is not UTF-8"


@pytest.mark.parametrize("length", [None, LARGE])
def test_csv_cut_inside_a_character_is_refused(length: int | None) -> None:
    reason = verdict(Format.CSV, ["a,b\n1,日".encode()[:-1]], Level.AUTO, length)
    assert reason == "it is cut inside a character"


@pytest.mark.parametrize("length", [None, LARGE])
def test_a_cut_inside_quotes_is_refused(length: int | None) -> None:
    ends = [end for end in CUTS if CSV[:end].count(b'"') % 2]
    verdicts = {verdict(Format.CSV, [CSV[:end]], Level.AUTO, length) for end in ends}
    assert verdicts == {"it is cut inside a quoted field", "it is cut inside a character"}


def test_a_cut_passes_only_where_the_last_row_has_all_its_fields() -> None:
    passed = 0
    for end in CUTS:
        if CSV[:end].count(b'"') % 2:
            continue
        rows = list(csv.reader(io.StringIO(CSV[:end].decode(), newline="")))
        reason = "" if len(rows[-1]) in (0, 3) else "its rows differ in the number of fields"
        assert verdict(Format.CSV, [CSV[:end]]) == reason
        assert verdict(Format.CSV, singles(CSV[:end])) == reason
        passed += not reason
    assert 0 < passed < len(CUTS) // 4


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2,3\n",
        "\na;b\n1;2;3\n",
        "a,b\n1\n",
        "a,b\n1,2\n3",
        "a;b\n1;2\n3\n",
        "a,b\n\n1,2\n1,2,\n",
        "a\tb\n1\n",
    ],
)
def test_csv_whose_rows_differ_is_refused(text: str) -> None:
    reason = "its rows differ in the number of fields"
    assert verdict(Format.CSV, [text.encode()]) == reason
    assert verdict(Format.CSV, singles(text.encode())) == reason


@pytest.mark.parametrize(
    "text",
    [
        "a,b",
        "a,b\n",
        "a,b\n1,2",
        "a,b\r\n1,2\r\n",
        "a;b\n1,5;2,5\n",
        "a\tb\n1,\t2\n",
        "a|b\n1|2\n",
        "one\n1\n\n2\n",
        'a,b\n"1\n\n2","3\r\n"\n',
        'a,b\n"""",""\n',
        'a,b\n"1,2",3\n',
        "größe,日本\n😀,é\n",
        "a,b\n,\n",
        "\na,b\n1,2\n",
        '"a,b",c\n1,2\n',
        '"EUR, net, year";b\n1,5;2\n3;4\n',
    ],
)
@pytest.mark.parametrize("bom", [b"", BOM])
def test_every_usual_way_to_write_csv_passes(text: str, bom: bytes) -> None:
    assert verdict(Format.CSV, [bom + text.encode()]) == ""
    assert verdict(Format.CSV, singles(bom + text.encode())) == ""


def test_a_field_may_be_long() -> None:
    assert verdict(Format.CSV, [b'a,b\n1,"', b"x" * 200_000, b'"\n']) == ""


def test_a_quote_that_never_closes_does_not_fill_the_memory() -> None:
    (check,) = checks_for(Format.CSV, Level.FULL, None)[1:]
    check.feed(b'a,b\n1,"' + b"x\n" * (15 << 19))
    with pytest.raises(ValueError, match="longer than 16 MiB"):
        check.feed(b"x\n" * (2 << 19))
