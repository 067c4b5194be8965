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
def test_invalid_utf8_is_refused(damage: bytes) -> None:
    data = b"a,b\n" + damage + b",2\n"
    assert verdict(Format.CSV, [data]) == "it is not UTF-8"
    assert verdict(Format.CSV, singles(data)) == "it is not UTF-8"


@pytest.mark.parametrize("place", [0, 1, 65_535, 65_536, 65_537, 131_071])
def test_text_beyond_a_block_is_decoded_whole(place: int) -> None:
    data = b"a" * place + "日".encode() + b"b" * 70_000 + "😀".encode()
    assert verdict(Format.CSV, [data]) == ""
    assert verdict(Format.CSV, [data[:-1]]) == "it is cut inside a character"
    assert verdict(Format.CSV, [data.replace("日".encode(), b"\xe6\x97")]) == "it is not UTF-8"


@pytest.mark.parametrize("length", [None, LARGE])
def test_csv_cut_inside_a_character_is_refused(length: int | None) -> None:
    reason = verdict(Format.CSV, ["a,b\n1,日".encode()[:-1]], Level.AUTO, length)
    assert reason == "it is cut inside a character"


def test_a_cut_inside_quotes_is_refused() -> None:
    ends = [end for end in CUTS if CSV[:end].count(b'"') % 2]
    verdicts = {verdict(Format.CSV, [CSV[:end]]) for end in ends}
    assert verdicts == {"it is cut inside a quoted field", "it is cut inside a character"}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (b"", ""),
        (b'9,"x, ""y""",z', ""),
        (b"9,x,z", ""),
        (b"9,x", "its last row is not complete"),
        (b"9,x,y,z", "its last row is not complete"),
        (b'9,"x', "it is cut inside a quoted field"),
        (b'9,x,"', ""),  # the quote may close a field that began in an earlier line
        (b'9,"x\ny, ""z"", and",3', ""),
        (b'9,"x\ny"', ""),  # nobody knows how many fields came before
        (b"9,x,\xe6\x97", "it is cut inside a character"),
    ],
)
def test_a_large_table_is_checked_by_its_last_row(end: bytes, reason: str) -> None:
    rows = b'a,"b, c",d\n' + b'1,"x",2\r\n' * 9 + end
    far = b'a,"b, c",d\n' + b'1,"x",2\n' * 20_000 + end
    for data in (rows, far, BOM + rows):
        assert verdict(Format.CSV, [data], Level.AUTO, LARGE) == reason
        pieces = cut_up(data, [3, 17, len(data) - 2])
        assert verdict(Format.CSV, pieces, Level.AUTO, LARGE) == reason


def test_a_large_table_of_one_endless_row_is_left_to_full() -> None:
    assert verdict(Format.CSV, [b"x" * 200_000], Level.AUTO, LARGE) == ""


@pytest.mark.parametrize(
    "text",
    [
        'size,name\n5",x\n',
        'size,name\n5" pipe,"a 5"" pipe"\n3"" x,y\n',
        'a,b\n1,"x"y"z\n',
        'a,b\n1,x"\n2,"y"\n',
        'a,b\n1,"""x"\n',
        '5" pipe,b\n1,2\n',
    ],
)
def test_a_quote_inside_an_unquoted_field_is_a_character(text: str) -> None:
    data = text.encode()
    assert {len(row) for row in csv.reader(io.StringIO(text, newline=""))} == {2}
    assert verdict(Format.CSV, [data]) == ""
    assert verdict(Format.CSV, singles(data)) == ""


@given(st.lists(st.sampled_from([*'"",\n', "a", "\r\n", "é"]), max_size=40).map("".join), PLACES)
def test_quotes_anywhere_are_checked_as_the_csv_module_does(text: str, at: list[int]) -> None:
    data = f"a,b\n{text}".encode()
    reader = csv.reader(io.StringIO(f"{data.decode()}\n\x00", newline=""))
    rows = [row for row in reader if row]
    closed = rows.pop() == ["\x00"]  # else it is within the last field
    good = closed and {len(row) for row in rows} == {2}
    assert (verdict(Format.CSV, [data]) == "") == good
    assert (verdict(Format.CSV, cut_up(data, at)) == "") == good


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
    for start in (b'a,b\n1,"', b'"', b"a,b\n"):
        (check,) = checks_for(Format.CSV, Level.FULL, None)[1:]
        check.feed(start)
        check.feed(b"xx" * (15 << 19))
        with pytest.raises(ValueError, match="longer than 16 MiB"):
            check.feed(b"xx" * (2 << 19))
