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
_GAP = "  "
_MIN_WRAPPED = 24
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
) -> list[str]:
    """Return the lines of a table with a header, for the terminal behind `stream`.

    What does not fit is wrapped in the last column only: the others may have to be copied. If that
    is too narrow, each item is a block, a line for each column.
    """
    from rich.table import Table  # rich, for a person only
    from rich.text import Text

    from nostra_cli.output.terminal import console

    rows = [cells_of(view, item, color, sanitize) for item in items]
    texts = [list(map(Text, view.columns)), *(list(map(Text.from_ansi, row)) for row in rows)]
    *widths, last = (max(text.cell_len for text in column) for column in zip(*texts, strict=True))
    terminal = console(stream, color)
    if terminal.width - sum(widths) - len(_GAP) * len(widths) < min(last, _MIN_WRAPPED):
        return _blocks(view.columns, rows, color)
    drawn = Table(
        box=None, header_style="bold" if color else "", pad_edge=False, padding=(0, len(_GAP), 0, 0)
    )
    for column in view.columns:
        drawn.add_column(column, overflow="fold", no_wrap=column != view.columns[-1])
    for row in texts[1:]:
        drawn.add_row(*row)
    with terminal.capture() as captured:
        terminal.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], color: bool) -> list[str]:
    width = max(map(len, columns))
    lines: list[str] = []
    for row in rows:
        lines += [""] if lines else []
        for name, cell in zip(columns, row, strict=True):
            head = paint(name, "1") if color else name
            lines.append(f"{head}{' ' * (width - len(name))}{_GAP}{cell}".rstrip())
    return lines


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
