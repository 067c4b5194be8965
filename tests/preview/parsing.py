"""Bodies through the parsers, cut as a network may cut them."""

from __future__ import annotations

from collections.abc import Sequence

from nostra_cli.preview.rows import Parser, Row


def rows_of(parser: Parser, pieces: Sequence[bytes]) -> list[Row]:
    """Parse a complete body; raises ValueError for a malformed one."""
    rows = [row for piece in pieces for row in parser.feed(memoryview(piece))]
    return [*rows, *parser.finish()]


def refusal(parser: Parser, pieces: Sequence[bytes]) -> str:
    """Return the reason why a body is refused, '' where it passes."""
    try:
        rows_of(parser, pieces)
    except ValueError as error:
        return str(error)
    return ""
