"""A table for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from rich.table import Table
from rich.text import Text

from nostra_cli.output.terminal import console

if TYPE_CHECKING:
    from nostra_cli.output.views import View

T = TypeVar("T")

_STYLES = {"completed": "green", "failed": "red", "in_progress": "yellow"}


def render(
    view: View[T],
    items: Sequence[T],
    stream: TextIO,
    color: bool,
    sanitize: Callable[[str], str],
) -> None:
    """Write `items`, each cell cleaned, as a table fitted to the terminal behind `stream`."""
    table = Table(
        box=None, header_style="bold" if color else "", pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in view.columns:
        table.add_column(column, overflow="fold")
    for item in items:
        cells = zip(view.columns, map(sanitize, view.row(item)), strict=True)
        table.add_row(*(Text(cell, _style(view, column, cell)) for column, cell in cells))
    console(stream, color).print(table)


def _style(view: View[T], column: str, value: str) -> str:
    return _STYLES[view.outcome(value)] if column == "status" else ""
