"""JSON of an untrusted server: an object, or Corrupt and no other error."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api import parsing
from nostra_cli.api.parsing import MAX_BYTES, read_object
from nostra_cli.errors import Corrupt
from nostra_cli.models import JsonObject, JsonValue

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=5)


def refusal(content: bytes) -> str:
    with pytest.raises(Corrupt, match=r"^the status: the response is ") as caught:
        read_object([content], "the status")
    assert "base URL" in caught.value.hint
    return caught.value.message


@given(json_objects, st.booleans(), st.sampled_from([None, 2]))
def test_every_json_object_is_read_as_it_was_written(
    value: JsonObject, ascii_only: bool, indent: int | None
) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_object([content], "it") == value


@given(json_objects, st.data())
def test_the_content_does_not_depend_on_its_pieces(value: JsonObject, data: st.DataObject) -> None:
    content = json.dumps(value).encode()
    cut = data.draw(st.integers(0, len(content)))
    assert read_object([content[:cut], b"", memoryview(content)[cut:]], "it") == value


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a": 1}',
        b'{"x": {"a": 1, "\\u0061": 2}}',
        b'{"x": [{"a": null, "b": 1, "a": null}]}',
    ],
)
def test_a_duplicate_key_is_refused(content: bytes) -> None:
    assert refusal(content).endswith("not valid JSON (duplicate key in an object)")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_json_is_refused(number: str) -> None:
    assert refusal(f'{{"a": {number}}}'.encode()).endswith(f"({number} is not JSON)")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400 + ".0"])
def test_a_number_that_no_float_holds_is_refused(number: str) -> None:
    assert "not valid JSON" in refusal(f'{{"a": {number}}}'.encode())


@pytest.mark.parametrize("digits", [4_001, 5_000, 1_000_000])
def test_a_number_of_too_many_digits_is_refused(digits: int) -> None:
    message = refusal(b'{"a": ' + b"9" * digits + b"}")
    assert message.endswith("not valid JSON (a number has more than 4000 digits)")


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("closed", [True, False])
def test_nesting_of_200_000_levels_is_refused(opening: bytes, closed: bool) -> None:
    closing = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[opening]
    deep = opening * 200_000 + b"1" + closing * 200_000 * closed
    assert refusal(b'{"a": ' + deep + b"}").endswith("(nested too deeply)")


@pytest.mark.parametrize("levels", [101, 480, 600, 940])
def test_what_the_parser_can_read_and_recursive_functions_cannot_is_refused(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    assert refusal(b'{"a": ' + deep + b"}").endswith("(nested too deeply)")


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ["\\udc00\\ud800"]}',
        b'{"a": "\xed\xa0\x80"}',
    ],
)
def test_a_lone_surrogate_is_refused(content: bytes) -> None:
    assert refusal(content).endswith("(not Unicode text)")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert read_object([b'{"a": "\\ud83d\\ude00"}'], "it") == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    "content",
    [b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), '{"a": "é"}'.encode("latin-1")],
)
def test_a_byte_order_mark_and_other_encodings_are_refused(content: bytes) -> None:
    assert "not valid JSON" in refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"a"}',
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b'{"a": 01}',
        b'{"a": "\n"}',
        b'{"a": 1} //',
        b"undefined",
    ],
)
def test_invalid_json_is_refused_with_its_place(content: bytes) -> None:
    assert "not valid JSON (line 1, column " in refusal(content)


def test_the_place_is_right_and_the_content_is_not_shown() -> None:
    assert refusal(b'{\n"a": s3cr3t}').endswith("not valid JSON (line 2, column 6)")


@pytest.mark.parametrize("content", [b"<!doctype html><p>", b"\n <html>", b"<?xml?>", b"<"])
def test_a_web_page_is_reported_as_such(content: bytes) -> None:
    assert "a web page, not JSON" in refusal(content)


@pytest.mark.parametrize("content", [b"[]", b'[{"a": 1}]', b"null", b"1", b'"{}"', b"true"])
def test_a_value_that_is_not_an_object_is_refused(content: bytes) -> None:
    assert refusal(content).endswith("the response is not a JSON object")


@pytest.mark.parametrize("content", [b"", b" \r\n\t"])
def test_an_empty_response_is_reported_as_empty(content: bytes) -> None:
    assert refusal(content).endswith("the response is empty")


def test_a_response_that_is_too_large_is_not_read_to_its_end() -> None:
    step = 1 << 20
    given_out = 0

    def endless() -> Iterator[bytes]:
        nonlocal given_out
        while True:
            given_out += step
            yield b" " * step

    with pytest.raises(Corrupt, match="it: the response is larger than 16 MiB"):
        read_object(endless(), "it")
    assert given_out == MAX_BYTES + step


def test_a_response_of_exactly_the_maximum_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "MAX_BYTES", 9)
    assert read_object([b'{"a":1', b"  }"], "it") == {"a": 1}
    with pytest.raises(Corrupt, match="larger"):
        read_object([b'{"a":1', b"   }"], "it")


_TOKENS = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "null",
        "true",
        '"a"',
        '"b"',
        "\\u",
        "\\ud800",
        "1e999",
        *'{}[]:,"1- \n\x00\ufeffé<',
    ]
)


@given(st.binary() | st.lists(_TOKENS).map("".join).map(str.encode))
def test_any_bytes_are_an_object_or_corrupt(content: bytes) -> None:
    try:
        found = read_object([content], "it")
    except Corrupt:
        return
    assert found == json.loads(content)
