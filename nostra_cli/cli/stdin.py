"""Read ids or a request body from stdin or from the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from nostra_cli.cli.params import check_id
from nostra_cli.errors import usage_errors

MAX_INPUT = 16 << 20
"""Bytes of ids on stdin, and of a request body."""


def read_ids(given: Sequence[str]) -> list[str]:
    """Return each id once, in order; `-` reads the lines of stdin.

    Raises typer.BadParameter for no id or an invalid one.
    """
    ids: list[str] = []
    for text in given:
        if text == "-":
            # Not splitlines: it also splits at other characters than newlines.
            lines = (line.strip(" \t\r") for line in _read_stdin().split("\n"))
            ids += filter(None, lines)
        else:
            ids.append(text)
    if not ids:
        raise typer.BadParameter("no id on stdin")
    try:
        return [check_id(text) for text in dict.fromkeys(ids)]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def read_id(given: str) -> str:
    """Return the id of a command that takes one; `-` reads it from stdin.

    Raises typer.BadParameter unless stdin has exactly one valid id.
    """
    if given != "-":
        return given
    ids = read_ids([given])
    if len(ids) > 1:
        raise typer.BadParameter(f"{len(ids)} ids on stdin, but the command takes one")
    return ids[0]


def _read_stdin() -> str:
    """Read stdin as UTF-8 in any locale; raises typer.BadParameter for other bytes."""
    try:
        content = sys.stdin.buffer.read(MAX_INPUT + 1) if sys.stdin is not None else b""
        if len(content) > MAX_INPUT:
            raise typer.BadParameter(f"more than {MAX_INPUT >> 20} MiB on stdin")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter("what is on stdin is not UTF-8") from error
    except (OSError, ValueError) as error:  # closed, or open for writing only
        raise typer.BadParameter("stdin cannot be read") from error


def read_data(data: str) -> bytes:
    """Return the request body given by `@FILE`, `-` (stdin) or a text.

    Raises UsageProblem for an unreadable file, and for more than 16 MiB.
    """
    if data != "-" and not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    with usage_errors(f"-d {data}: cannot read it", "-d takes @FILE, - (stdin) or a text"):
        if data in ("-", "@-"):
            if sys.stdin is None:
                raise ValueError("stdin is closed")
            content = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with Path(data[1:]).open("rb") as file:
                content = file.read(MAX_INPUT + 1)
        if len(content) > MAX_INPUT:
            raise ValueError(f"it is larger than {MAX_INPUT >> 20} MiB")
    return content
