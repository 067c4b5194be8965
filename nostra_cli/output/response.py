"""The response of any endpoint: bytes for a script, readable text for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from nostra_cli.errors import Corrupt, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.models import JsonValue, Piece
    from nostra_cli.output.console import Output

MAX_SHOWN = 16 << 20
"""Bytes; more is not for a terminal."""


def show_response(
    out: Output,
    head: Sequence[str],
    chunks: Iterable[Piece],
    parse: Callable[[bytes], JsonValue],
) -> None:
    """Show the lines of a head, if any, and a body.

    A pipe gets the bytes as they come, with `--json` only if `parse` accepts them; on a terminal
    JSON is indented and text neutralised. Raises Corrupt if a body is not JSON under `--json`, and
    UsageProblem if it is not for a terminal.
    """
    for line in [*head, *([""] if head else [])]:
        out.line(line)
    if not (out.options.json or out.data.terminal):
        for chunk in chunks:
            out.data.write(chunk)
        return
    content = _read(chunks)
    if not content.strip():
        return
    if out.options.json and not out.data.terminal:
        parse(content)
        out.data.write(content)
        return
    try:
        out.document(parse(content))
    except (Corrupt, RecursionError):  # not JSON, or nested too deeply to indent
        if out.options.json:
            raise
        _show_text(out, content)


def _read(chunks: Iterable[Piece]) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > MAX_SHOWN:
            raise UsageProblem(
                f"the response is larger than {MAX_SHOWN >> 20} MiB",
                "redirect stdout, without --json: nostra api ... > FILE",
            )
    return bytes(content)


def _show_text(out: Output, content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise UsageProblem(
            "the response is binary and cannot be shown on a terminal",
            "redirect stdout: nostra api ... > FILE",
        )
    for line in text.removesuffix("\n").split("\n"):
        out.line(line.removesuffix("\r").expandtabs())
