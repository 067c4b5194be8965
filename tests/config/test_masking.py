"""The token in what is shown: masked in every form, and nothing else is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.config.masking import _pattern, mask_token

LONG = 'q"uo/te\\s3cr3t+t0k3n~='
TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": lambda token: quote(token, safe=""),
    "percent-encoded in lower case": lambda token: quote(token, safe="").lower(),
    "every character percent-encoded": lambda token: "".join(f"%{ord(c):02X}" for c in token),
    "json": lambda token: json.dumps(token)[1:-1],
    "json, every character escaped": lambda token: "".join(f"\\u{ord(c):04x}" for c in token),
    "repr": lambda token: repr(token)[1:-1],
    "html": lambda token: "".join(f"&#{ord(c)};" for c in token),
    "base64": lambda token: base64.b64encode(token.encode()).decode(),
    "base64 for URLs": lambda token: base64.urlsafe_b64encode(token.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_long_token_is_masked_in_every_form(form: str) -> None:
    token = LONG.lower() if form == "percent-encoded in lower case" else LONG
    shown = mask_token(token, f"id-{FORMS[form](token)}x")
    assert shown.rstrip("=x") == "id-***"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", ["e", "1", "test", "true", "completed", "a/b"])
def test_a_short_token_is_masked_as_a_word_of_the_service(token: str, form: str) -> None:
    shown = mask_token(token, f"Token {FORMS[form](token)}, is not valid", by_service=True)
    assert shown == "Token ***, is not valid"


@pytest.mark.parametrize("token", ["e", "1", "test", "true", "completed"])
def test_a_short_token_masks_no_text_of_nostra(token: str) -> None:
    text = "invocation 'test' is completed: 1 of 11 files, retested: true"
    assert mask_token(token, text) == text


def test_a_short_token_masks_no_part_of_a_word() -> None:
    assert mask_token("e", "the token e has ended", by_service=True) == "the token *** has ended"


@given(TOKENS, st.sampled_from([*FORMS]))
def test_text_of_the_service_never_contains_the_token(token: str, form: str) -> None:
    echo = FORMS["plain" if form == "percent-encoded in lower case" else form](token)
    assert echo not in mask_token(token, f"said {echo} again", by_service=True).split()


def test_a_text_shorter_than_the_token_compiles_no_pattern() -> None:
    """`nostra status` shows such texts only, and starts 1.5 ms earlier."""
    _pattern.cache_clear()
    assert mask_token("a-long-t0ken", "completed") == "completed"
    assert _pattern.cache_info().misses == 0
    assert mask_token("a-long-t0ken", "a-long-t0ken") == "***"
