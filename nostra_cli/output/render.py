"""Values as text: cells, a table, JSON, colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from nostra_cli.models import JsonValue, Outcome
from nostra_cli.output.terminal import is_unicode

if TYPE_CHECKING:
    from nostra_cli.output.views import View

T = TypeVar("T")
Sanitize = Callable[[str], str]

_COLORS = {Outcome.COMPLETED: "32", Outcome.FAILED: "31", Outcome.IN_PROGRESS: "33"}
_WORD_COLORS = {"error": "1;31", "warning": "1;33", "hint": "2"}


def paint(text: str, codes: str) -> str:
    """Return text with escape codes for colour around it."""
    return f"\x1b[{codes}m{text}\x1b[0m"


def paint_word(word: str) -> str:
    """Paint `error`, `warning` or `hint` at the start of a message."""
    return paint(word, _WORD_COLORS[word])


def paint_status(status: str, outcome: Outcome) -> str:
    """Paint a status in the colour of its outcome."""
    return paint(status, _COLORS[outcome])


def cells_of(view: View[T], item: T, color: bool, sanitize: Sanitize) -> list[str]:
    """Return the cells of one item, neutralised, its status in colour."""
    cells = [sanitize(cell) for cell in view.row(item)]
    if color and "status" in view.columns:
        place = view.columns.index("status")
        cells[place] = paint_status(cells[place], view.outcome(cells[place]))
    return cells


def table(
    view: View[T], items: Sequence[T], stream: TextIO, color: bool, sanitize: Sanitize
) -> str:
    """Return items as a table with a header, fitted to the terminal behind `stream`."""
    from rich.table import Table  # rich, for a person only
    from rich.text import Text

    from nostra_cli.output.terminal import console

    drawn = Table(
        box=None, header_style="bold" if color else "", pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in view.columns:
        drawn.add_column(column, overflow="fold")
    for item in items:
        drawn.add_row(*map(Text.from_ansi, cells_of(view, item, color, sanitize)))
    terminal = console(stream, color)
    with terminal.capture() as captured:
        terminal.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def json_text(value: JsonValue, encoding: str, indented: bool = False) -> str:
    """Return a value as JSON, one line or indented; in ASCII if `encoding` lacks characters."""
    import json

    ascii_only = not is_unicode(encoding)
    return json.dumps(value, ensure_ascii=ascii_only, indent=2 if indented else None)


def map_strings(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    """Return a JSON value with every string changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key): map_strings(item, change) for key, item in value.items()}
    return value
