"""Ids as they are typed or come on stdin."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.cli.params import SharedOptions, check_id, read_ids
from nostra_cli.config.settings import Flags
from nostra_cli.models import is_segment
from nostra_cli.output.streams import Color, OutputOptions


def typed(monkeypatch: pytest.MonkeyPatch, text: str | bytes | None) -> None:
    """Put text on stdin, which a locale that is not UTF-8 would misread."""
    content = text.encode() if isinstance(text, str) else text
    stdin = None if content is None else io.TextIOWrapper(io.BytesIO(content), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", stdin)


@given(st.text() | st.sampled_from(["", ".", "..", "a\x00", "\x1b", "\ud800"]))
def test_an_id_comes_back_as_it_is_or_is_refused(text: str) -> None:
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


def test_ids_keep_their_order_and_count_once() -> None:
    assert read_ids(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_a_dash_stands_for_the_lines_of_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "x\r\n\n  y z  \na\nlast")
    assert read_ids(["a", "-", "b"]) == ["a", "x", "y z", "last", "b"]


def test_stdin_is_left_alone_without_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "x\n")
    assert read_ids(["a", "--", "-a"]) == ["a", "--", "-a"]
    assert sys.stdin.read() == "x\n"


@pytest.mark.parametrize("text", [None, "", "\n \n\t\n"])
def test_no_id_on_stdin_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    typed(monkeypatch, text)
    with pytest.raises(typer.BadParameter, match="no id on stdin"):
        read_ids(["-"])
    assert read_ids(["-", "a"]) == ["a"]


@pytest.mark.parametrize("bad", ["..", ".", "a\x1bb", "\x00"])
def test_one_bad_id_refuses_all(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a valid id"):
        read_ids(["a", bad])
    typed(monkeypatch, f"a\n{bad}\nb\n")
    with pytest.raises(typer.BadParameter, match="is not a valid id"):
        read_ids(["-"])


def test_stdin_is_utf_8_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "größe\n\u2028x\n日本\n".encode())
    assert read_ids(["-"]) == ["größe", "\u2028x", "日本"]


def test_a_byte_order_mark_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "\ufeffa\nb\n".encode())
    assert read_ids(["-"]) == ["a", "b"]


@pytest.mark.parametrize("content", ["a\nb\n".encode("utf-16"), b"gr\xf6\xdfe\n", b"\xc3"])
def test_what_is_not_utf_8_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    typed(monkeypatch, content)
    with pytest.raises(typer.BadParameter, match="not UTF-8"):
        read_ids(["-"])


def test_utf_16_without_a_mark_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "a\nb\n".encode("utf-16-le"))
    with pytest.raises(typer.BadParameter, match="is not a valid id"):
        read_ids(["-"])


def test_endless_stdin_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, b"y\n" * (9 << 20))
    with pytest.raises(typer.BadParameter, match="more than 16 MiB"):
        read_ids(["-"])


def test_a_stdin_that_cannot_be_read_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "x").open("w") as writable:
        monkeypatch.setattr(sys, "stdin", writable)
        with pytest.raises(typer.BadParameter, match="cannot be read"):
            read_ids(["-"])


def test_a_typed_id_is_utf_8_in_any_locale() -> None:
    in_ascii = "größe".encode().decode("ascii", "surrogateescape")
    assert check_id(in_ascii) == "größe"
    with pytest.raises(ValueError, match="is not a valid id"):
        check_id(b"gr\xf6".decode("ascii", "surrogateescape"))


@pytest.mark.parametrize("text", ["x" * 70_000, "ü" * 2049])
def test_an_id_that_is_too_long_is_named_in_short(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 4096 bytes") as caught:
        check_id(text)
    assert len(str(caught.value)) < 400


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1))
def test_ids_are_a_set_in_the_order_they_came(ids: list[str]) -> None:
    assert read_ids(ids) == sorted(set(ids), key=ids.index)


def test_shared_options_say_what_was_asked() -> None:
    assert SharedOptions().flags == Flags(None, None)
    assert SharedOptions().output == OutputOptions(
        json=False, quiet=False, verbose=False, color=Color.AUTO
    )
    shared = SharedOptions("p", "https://x", json=True, quiet=True, verbose=True, color=Color.NEVER)
    assert shared.flags == Flags("p", "https://x")
    assert shared.output == OutputOptions(json=True, quiet=True, verbose=True, color=Color.NEVER)
