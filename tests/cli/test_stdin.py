"""Ids and request bodies on stdin or typed."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.cli.stdin import MAX_INPUT, read_data, read_ids
from nostra_cli.errors import UsageProblem


def typed(monkeypatch: pytest.MonkeyPatch, text: str | bytes | None) -> None:
    """Put text on stdin, which a locale that is not UTF-8 would misread."""
    content = text.encode() if isinstance(text, str) else text
    stdin = None if content is None else io.TextIOWrapper(io.BytesIO(content), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", stdin)


def test_ids_keep_their_order_and_count_once() -> None:
    assert read_ids(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_a_dash_reads_the_lines_of_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "x\r\n\n  y z  \na\nlast")
    assert read_ids(["a", "-", "b"]) == ["a", "x", "y z", "last", "b"]


def test_stdin_is_not_read_without_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_invalid_utf_8_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
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


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1))
def test_ids_are_a_set_in_the_order_they_came(ids: list[str]) -> None:
    assert read_ids(ids) == sorted(set(ids), key=ids.index)


def test_a_body_comes_from_a_file_stdin_or_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"\x00\xff")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"in\n")))
    assert (read_data("-"), read_data(f"@{file}")) == (b"in\n", b"\x00\xff")
    assert (read_data(""), read_data("ö\udcff")) == (b"", b"\xc3\xb6\xff")


def test_a_body_that_cannot_be_read_or_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_INPUT + 1)
    monkeypatch.setattr(sys, "stdin", None)
    for data in (f"@{file}", f"@{tmp_path}", "@", "@missing", "@a\x00b", "-"):
        with pytest.raises(UsageProblem, match="cannot read it"):
            read_data(data)
