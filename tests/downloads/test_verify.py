"""Sound documents pass in any pieces; empty ones, web pages and JSON that is cut do not."""

from __future__ import annotations

import io
import json

import ijson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from nostra_cli.downloads.verify import json as verify_json
from nostra_cli.downloads.verify.level import FULL_UP_TO, Level, refuse_page
from nostra_cli.errors import Corrupt
from nostra_cli.models import Format
from tests.downloads.bodies import (
    BOM,
    JSON,
    LARGE,
    LEVELS,
    PLACES,
    SMALL_BOOK,
    SOUND,
    cut_up,
    singles,
    verdict,
)

PAGES = [
    b"<!DOCTYPE html><p>no</p>",
    b"<html lang=en>",
    b" \r\n\t<HTML>",
    b"<head>",
    b"<body>",
    b"<!-- proxy --><html>",
    b"<?xml version='1.0'?><html>",
    BOM + b"\n<!doctype HTML>",
]
plain = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
json_documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=12,
).map(lambda value: json.dumps([value], ensure_ascii=False).encode())


def workbook() -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.worksheets[0].append(["id", "größe"])
    book.worksheets[0].append([1, "日本"])
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "data"),
    [*SOUND, (Format.XLSX, workbook())],
    ids=["json", "csv", "xlsx", "openpyxl"],  # a workbook holds the time of day
)
@pytest.mark.parametrize(("level", "length"), LEVELS)
def test_a_sound_document_passes_at_every_level(
    format: Format, data: bytes, level: Level, length: int | None
) -> None:
    assert verdict(format, [data], level, length) == ""
    assert verdict(format, singles(data), level, length) == ""


@given(json_documents, PLACES)
def test_any_json_document_passes_in_any_pieces(data: bytes, at: list[int]) -> None:
    assert verdict(Format.JSON, cut_up(data, at)) == ""
    assert verdict(Format.JSON, cut_up(data, at), Level.AUTO, LARGE) == ""


@given(
    st.sampled_from(SOUND),
    st.integers(0, 10**6),
    st.binary(max_size=3),
    st.sampled_from(LEVELS),
    PLACES,
)
def test_the_pieces_never_change_the_verdict_on_a_damaged_document(
    sound: tuple[Format, bytes],
    place: int,
    damage: bytes,
    how: tuple[Level, int | None],
    at: list[int],
) -> None:
    format_, data = sound
    place %= len(data)
    data = data[:place] + damage + data[place + len(damage) :]
    in_one = verdict(format_, [data], *how)
    assert bool(in_one) == bool(verdict(format_, cut_up(data, at), *how))


@pytest.mark.parametrize("end", range(len(JSON)))
def test_json_cut_anywhere_is_refused(end: int) -> None:
    assert verdict(Format.JSON, [JSON[:end]])
    assert verdict(Format.JSON, singles(JSON[:end]))


def test_large_json_cut_before_a_closing_bracket_is_refused_by_its_end() -> None:
    ends = [end for end in range(1, len(JSON)) if not JSON[:end].rstrip().endswith(b"]")]
    assert len(ends) > 80
    assert {verdict(Format.JSON, [JSON[:end]], Level.AUTO, LARGE) != "" for end in ends} == {True}


@pytest.mark.parametrize(
    "text",
    [
        "[1,]",
        "[01]",
        "{'a': 1}",
        "{a: 1}",
        "[NaN]",
        '["\x01"]',
        '["\\x"]',
        "[1 2]",
        "{}{}",
        "[1] x",
        "[1]//c",
        "tru",
        "id,x\n1,2",
    ],
)
def test_invalid_json_is_refused(text: str) -> None:
    assert verdict(Format.JSON, [text.encode()]) == "it is not valid JSON"


@pytest.mark.parametrize("error", [MemoryError(), SystemError(), OverflowError(), LookupError()])
def test_whatever_the_json_parser_raises_is_damage(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def send(self, _data: bytes) -> None:
            raise error

    monkeypatch.setattr(ijson, "basic_parse_coro", lambda _events: Broken())
    assert verdict(Format.JSON, [b"[1]"]) == "it is not valid JSON"


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
def test_json_that_is_not_utf8_is_refused(damage: bytes) -> None:
    assert verdict(Format.JSON, [b'["' + damage + b'"]'])
    assert verdict(Format.JSON, singles(b'["' + damage + b'"]'))


def test_large_json_cut_inside_a_character_is_refused() -> None:
    cut = '["日'.encode()[:-1]
    reason = "it is cut inside a character"
    assert verdict(Format.JSON, [cut], Level.AUTO, LARGE) == reason


def test_large_json_may_end_with_any_white_space() -> None:
    for body in ([JSON, b" " * 500], [JSON + b"\n" * 500], [JSON, *singles(b"\r\n" * 50)]):
        assert verdict(Format.JSON, body, Level.AUTO, LARGE) == ""


@pytest.mark.parametrize("data", [b"id,x\n", b"PK\x03\x04", b"<x/>"])
def test_large_json_that_does_not_begin_as_json_is_refused(data: bytes) -> None:
    assert verdict(Format.JSON, [data], Level.AUTO, LARGE) == "it is not valid JSON"


def test_json_with_a_byte_order_mark_passes() -> None:
    for length in (None, LARGE):
        assert verdict(Format.JSON, [BOM + JSON], Level.AUTO, length) == ""
        assert verdict(Format.JSON, [BOM, *singles(JSON)], Level.AUTO, length) == ""
        assert verdict(Format.JSON, singles(BOM + JSON), Level.AUTO, length) == ""
        assert verdict(Format.JSON, [b"", BOM + JSON, b"", b"\n"], Level.AUTO, length) == ""
        assert verdict(Format.JSON, [BOM + JSON[:-1]], Level.AUTO, length)
        assert verdict(Format.JSON, singles(BOM + JSON[:-1]), Level.AUTO, length)


@pytest.mark.parametrize("digits", [999, 1001, 1023, 4300, 4301, 100_000])
def test_json_numbers_may_have_any_number_of_digits(digits: int) -> None:
    run = b"1" * digits
    for number in (run, b"-" + run, b"0." + run, run + b".5"):
        data = b"[1, " + number + b', "' + number + b'"]'
        assert verdict(Format.JSON, [data]) == ""
        assert verdict(Format.JSON, [data[:700], data[700:]]) == ""
        assert verdict(Format.JSON, [number]) == ""


def test_json_numbers_are_read_in_single_bytes_too() -> None:
    assert verdict(Format.JSON, singles(b"[" + b"9" * 5000 + b"]")) == ""
    assert verdict(Format.JSON, singles(b"[" + b"0" * 5000 + b"]")) == "it is not valid JSON"


@pytest.mark.parametrize(
    ("size", "reason"), [(90, ""), (200, "a text in it is longer than 64 MiB")]
)
def test_json_texts_are_held_up_to_a_limit(
    size: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_json, "_MAX_TOKEN", 100)
    text = b'"' + b"x" * size + b'",'
    assert verdict(Format.JSON, singles(b"[" + text * 3 + b"1]")) == reason


@pytest.mark.parametrize("level", Level)
def test_json_may_begin_with_any_white_space(level: Level) -> None:
    assert verdict(Format.JSON, [b" " * 512 + JSON], level) == ""
    assert verdict(Format.JSON, [b" " * 500, b"\n" * 500, JSON], level) == ""
    assert verdict(Format.JSON, [b" " * 512, PAGES[0]], level)


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize(("level", "length"), LEVELS)
@pytest.mark.parametrize("data", [b"", b" \r\n\t", BOM, BOM + b"\n"])
def test_white_space_alone_is_refused_at_every_level(
    format_: Format, level: Level, length: int | None, data: bytes
) -> None:
    assert verdict(format_, [data], level, length)
    assert verdict(format_, singles(data), level, length)


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize(("level", "length"), LEVELS)
@pytest.mark.parametrize("page", PAGES)
def test_a_web_page_is_refused_at_every_level(
    format_: Format, level: Level, length: int | None, page: bytes
) -> None:
    assert verdict(format_, [page], level, length) == f"it is a web page, not {format_}"
    assert verdict(format_, singles(page), level, length)


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        (Format.JSON, b"[1 2]"),
        (Format.CSV, b"a,b\n1\n"),
        (Format.XLSX, SMALL_BOOK[:52] + b"!" + SMALL_BOOK[53:]),
    ],
)
def test_auto_reads_to_the_end_up_to_64_mib_and_full_always(format_: Format, data: bytes) -> None:
    assert verdict(format_, [data], Level.FULL, LARGE)
    assert verdict(format_, [data], Level.AUTO, FULL_UP_TO)
    assert verdict(format_, [data], Level.AUTO)
    assert not verdict(format_, [data], Level.AUTO, FULL_UP_TO + 1)
    assert not verdict(format_, [data], Level.OFF)


@pytest.mark.parametrize(
    "kind", ["text/html", "TEXT/HTML; charset=utf-8", "text/html;x", " application/xhtml+xml "]
)
def test_a_response_declared_as_a_web_page_is_refused(kind: str) -> None:
    with pytest.raises(Corrupt, match=r"demo\.csv: the response is a web page"):
        refuse_page({"content-type": kind}, "demo.csv")


@pytest.mark.parametrize("kind", [None, "", "text/csv", "text/htmlx", "text/plain; x=text/html"])
def test_any_other_content_type_is_looked_into(kind: str | None) -> None:
    refuse_page({} if kind is None else {"content-type": kind}, "demo.csv")
    assert verdict(Format.CSV, [b"a,b\n"]) == ""
