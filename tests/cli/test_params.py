"""Typed ids, and the shared options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.cli.params import SharedOptions, check_id, number
from nostra_cli.config.settings import Flags
from nostra_cli.models import is_segment
from nostra_cli.output.streams import Color, OutputOptions


@given(st.text() | st.sampled_from(["", ".", "..", "a\x00", "\x1b", "\ud800"]))
def test_an_id_is_returned_unchanged_or_refused(text: str) -> None:
    try:
        assert check_id(text) == text
    except ValueError as error:
        assert not is_segment(text)
        assert "is not a valid id" in str(error)  # noqa: PT017
    else:
        assert is_segment(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a\nb", "\x1b[2J", "\x7f", "\x9b"])
def test_an_invalid_id_is_quoted_without_its_control_characters(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid id") as caught:
        check_id(text)
    assert str(caught.value).startswith(repr(text))
    assert str(caught.value).isprintable()


def test_a_typed_id_is_utf_8_in_any_locale() -> None:
    in_ascii = "größe".encode().decode("ascii", "surrogateescape")
    assert check_id(in_ascii) == "größe"
    with pytest.raises(ValueError, match="is not a valid id"):
        check_id(b"gr\xf6".decode("ascii", "surrogateescape"))


@pytest.mark.parametrize("text", ["x" * 70_000, "ü" * 2049])
def test_an_id_that_is_too_long_is_shortened_in_the_message(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 4096 bytes") as caught:
        check_id(text)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("text", ["0", "65", "-1", "1.5", "", "eight", "\u0663", "9" * 5000])
def test_a_number_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number from 1 to 64"):
        number(1, 64)(text)


def test_a_number_within_the_range_is_returned() -> None:
    assert [number(1, 64)(text) for text in ("1", "064", "64")] == [1, 64, 64]


def test_shared_options_are_parsed() -> None:
    assert SharedOptions().flags == Flags(None, None)
    assert SharedOptions().output == OutputOptions(
        json=False, quiet=False, verbose=False, color=Color.AUTO
    )
    shared = SharedOptions("p", "https://x", json=True, quiet=True, verbose=True, color=Color.NEVER)
    assert shared.flags == Flags("p", "https://x")
    assert shared.output == OutputOptions(json=True, quiet=True, verbose=True, color=Color.NEVER)
