"""Bodies through the parsers, cut as a network may cut them."""

from __future__ import annotations

from collections.abc import Sequence

from nostra_cli.preview.table import Parser, Row


def rows_of(parser: Parser, pieces: Sequence[bytes]) -> list[Row]:
    """Read a whole body; raises ValueError for a bad one."""
    batches = [parser.feed(memoryview(piece)) for piece in pieces]
    batches.append(parser.finish())
    return [row for batch in batches for row in batch.rows(len(batch))]


def refusal(parser: Parser, pieces: Sequence[bytes]) -> str:
    """Give the reason why a body is refused, '' where it passes."""
    try:
        rows_of(parser, pieces)
    except ValueError as error:
        return str(error)
    return ""
