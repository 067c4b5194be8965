"""Values as text: cells, a table, JSON, colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from nostra_cli.models import JsonValue, Outcome
from nostra_cli.output.terminal import is_unicode, size_of

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
    return [_paint(*cell) for cell in zip(cells, _colors(view, cells, color), strict=True)]


def _colors(view: View[T], cells: Sequence[str], color: bool) -> list[str]:
    """Return the escape code of each cell: that of a status is the colour of its outcome."""
    named = zip(view.columns, cells, strict=True)
    return [
        _COLORS[view.outcome(cell)] if color and name == "status" else "" for name, cell in named
    ]


def _paint(text: str, codes: str) -> str:
    return paint(text, codes) if codes else text


def table(
    view: View[T], items: Sequence[T], stream: TextIO, color: bool, sanitize: Sanitize
) -> list[str]:
    """Return the lines of a table with a header, for the terminal behind `stream`.

    What does not fit is wrapped in the last column only: the others may have to be copied. If that
    is too narrow, each item is a block, a line for each column.
    """
    rows = [[sanitize(cell) for cell in view.row(item)] for item in items]
    widths = [max(map(_width, column)) for column in zip(view.columns, *rows, strict=True)]
    indent = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    space = size_of(stream).columns - indent
    if space < min(widths[-1], _MIN_WRAPPED):
        return _blocks(view, rows, color)
    head = _aligned(view.columns, [""] * len(widths), widths)
    lines = [_paint(head, "1" if color else "")]
    for row in rows:
        colors = _colors(view, row, color)
        first, *others = _wrapped(row[-1], space)
        lines.append(_aligned([*row[:-1], first], colors, widths))
        lines += [" " * indent + _paint(other, colors[-1]) for other in others]
    return lines


def _wrapped(text: str, columns: int) -> list[str]:
    if _width(text) <= columns:
        return [text]
    import textwrap

    return textwrap.wrap(text, columns, break_on_hyphens=False) or [""]


def _blocks(view: View[T], rows: Sequence[Sequence[str]], color: bool) -> list[str]:
    width = max(map(len, view.columns))
    lines: list[str] = []
    for row in rows:
        lines += [""] if lines else []
        for name, cell, codes in zip(view.columns, row, _colors(view, row, color), strict=True):
            head = _paint(name, "1" if color else "") + " " * (width - len(name))
            lines.append(f"{head}{_GAP}{_paint(cell, codes)}".rstrip())
    return lines


def _aligned(cells: Sequence[str], colors: Sequence[str], widths: Sequence[int]) -> str:
    parts = [
        _paint(cell, codes) + " " * (width - _width(cell))
        for cell, codes, width in zip(cells, colors, widths, strict=True)
    ]
    return _GAP.join(parts).rstrip()


def _width(text: str) -> int:
    """Return the columns that a neutralised text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # rich, for other scripts only

    return cell_len(text)


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
