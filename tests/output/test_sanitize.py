"""Harmful characters in the strings of others become visible."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.models import JsonValue
from nostra_cli.output.sanitize import sanitize, sanitize_json

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HIDDEN = "\u200b\u200c\u200d\u2060\ufeff\u2028\u2029\U000e0001\U000e0041\U000e007f"
ANYTHING = st.text(
    st.characters(exclude_categories=())
    | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])
    | st.sampled_from(BIDI + HIDDEN)
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
HARMLESS = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("a\u2028b\ufeff", "a\\u2028b\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_harmful_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert sanitize(text) == shown


@pytest.mark.parametrize("character", [*BIDI, *HIDDEN])
def test_characters_that_reorder_or_hide_text_are_shown(character: str) -> None:
    shown = sanitize(f"a{character}b")
    assert shown.isascii()
    assert shown.lower().endswith(f"{ord(character):04x}b")


@given(ANYTHING)
def test_no_control_bidi_or_surrogate_character_is_left(text: str) -> None:
    shown = sanitize(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(shown) & set(BIDI + HIDDEN)
    assert shown.encode() or not text


@given(ANYTHING)
def test_clean_text_is_unchanged(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


@given(HARMLESS)
def test_text_without_controls_is_unchanged(text: str) -> None:
    assert sanitize(text) == text


@pytest.mark.parametrize(
    "text", ["größe", "日本", "עברית", "😀", "a b", "\\x1b", "e\u0301", "\xa0"]
)
def test_other_scripts_and_symbols_are_unchanged(text: str) -> None:
    assert sanitize(text) == text


@given(JSON, st.sampled_from([None, 2]))
def test_sanitized_json_keeps_its_value_without_harmful_characters(
    value: JsonValue, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    shown = sanitize_json(text)
    assert json.loads(shown) == value
    left = shown.replace("\n", "").replace("\x7f", "")
    assert sanitize(left) == left


@pytest.mark.parametrize("character", ["\u202e", "\u2028", "\x9b", "\ufeff", "\U000e0041"])
def test_sanitized_json_escapes_more_than_json_does(character: str) -> None:
    shown = sanitize_json(json.dumps(f"é{character}", ensure_ascii=False))
    assert shown.startswith('"é\\u')
    assert json.loads(shown) == f"é{character}"
