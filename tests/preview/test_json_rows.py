"""JSON: a row for each item, however the bytes are cut; nothing hostile gets through."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.preview import json_rows
from nostra_cli.preview.json_rows import JsonRows
from tests.downloads.bodies import BOM, JSON, PLACES, cut_up, singles
from tests.preview.parsing import refusal, rows_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, width=32)
TEXTS = st.text(st.sampled_from('ab"\\{}[],:\nü日😀'), max_size=5)
VALUES = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=5), PLACES, st.booleans())
def test_objects_cut_anywhere_are_those_of_the_json_module(
    items: list[dict[str, object]], places: list[int], pretty: bool
) -> None:
    data = json.dumps(items, ensure_ascii=False, indent=1 if pretty else None).encode()
    assert rows_of(JsonRows(), cut_up(data, places)) == items


@given(VALUES, PLACES)
def test_any_document_has_rows(value: object, places: list[int]) -> None:
    rows = rows_of(JsonRows(), cut_up(json.dumps(value).encode(), places))
    if isinstance(value, dict):
        assert rows == [{"key": key, "value": member} for key, member in value.items()]
    elif isinstance(value, list):
        assert len(rows) == len(value)
    else:
        assert rows == [{"value": value}]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"[]", []),
        (b" [1, 23]", [{"value": 1}, {"value": 23}]),
        (b'[["x", null], {"a": 1}, "y"]', [{"1": "x", "2": None}, {"a": 1}, {"value": "y"}]),
        (
            b'{"a": [1], "b": {"c": 2}}',
            [{"key": "a", "value": [1]}, {"key": "b", "value": {"c": 2}}],
        ),
        (b"12", [{"value": 12}]),
        (b"[[1], 2]  ", [{"1": 1}, {"value": 2}]),
    ],
)
def test_shapes(data: bytes, rows: list[object]) -> None:
    assert rows_of(JsonRows(), [data]) == rows
    assert rows_of(JsonRows(), singles(BOM + data)) == rows


def test_rows_are_returned_as_soon_as_they_are_complete() -> None:
    parser = JsonRows()
    assert len(parser.feed(b'[{"a": {"b": 1}}, {"a": "}"}, {"a": 3')) == 2
    assert parser.feed(b"4}, 5") == [{"a": 34}]
    assert parser.feed(b"6]") == [{"value": 56}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (JSON[:-1], "the JSON is cut"),
        (b'[{"a": 1} {"b": 2}]', "it is not valid JSON"),
        (b"[1] x", "it is not valid JSON"),
        (b"[NaN]", "it is not valid JSON"),
        (b"[1e999]", "the JSON has a number that is too long or too large"),
        (b"[" + b"1" * 5_000 + b"]", "the JSON has a number that is too long"),
        (b'["\xff"]', "it is not valid JSON"),
        (b"[" * 150 + b"]" * 150, "its values are nested deeper than 100 levels"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "its values are nested deeper than 100 levels"),
        (
            b"[" + b"1," * 500 + b'{"a":' * 150 + b"1" + b"}" * 150 + b"]",
            "its values are nested deeper than 100 levels",
        ),
        (
            b"[" + b'{"a": 1},' * 500 + b'{"a":' * 150 + b"1" + b"}" * 150 + b"]",
            "its values are nested deeper than 100 levels",
        ),
        (b"[" * 200_000 + b"]" * 200_000, "its values are nested deeper than 100 levels"),
        (
            json.dumps([{str(i): i} for i in range(20_000)]).encode(),
            "it has more than 16,384 columns",
        ),
    ],
)
def test_a_bad_body_is_refused(data: bytes, reason: str) -> None:
    assert refusal(JsonRows(), [data]).startswith(reason)
    assert refusal(JsonRows(), cut_up(data, list(range(0, len(data), 997)))).startswith(reason)


def test_an_item_without_end_is_refused_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "MAX_ROW_BYTES", 5_000)
    pieces = [b'[{"a": "', *[b"x" * 1_000] * 10]
    assert refusal(JsonRows(), pieces) == "one item of it is longer than 16 MiB"


def test_names_of_columns_are_held_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "MAX_ROW_BYTES", 1_000)
    rows = [json.dumps({letter * 400: 1}) for letter in "abc"]
    pieces = [b"[", *(row.encode() + b"," for row in rows), b"1]"]
    assert refusal(JsonRows(), [*pieces[:3], b"1]"]) == ""
    assert "names of its columns" in refusal(JsonRows(), pieces)


def test_a_list_of_too_many_cells_is_refused() -> None:
    body = json.dumps([[None] * 20_000]).encode()
    assert refusal(JsonRows(), [body]) == "it has more than 16,384 columns"
