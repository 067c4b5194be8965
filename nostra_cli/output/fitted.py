"""Fit a table of any width to a terminal: cut cells are marked, and hidden columns are named.

rich shows every column, and squeezes narrow ones to nothing where there is no room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len, set_cell_size

from nostra_cli.output.terminal import is_unicode, size_of

_GAP = 2
_WIDE = 24
_NARROW = 8
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """Where to draw: columns of the terminal, colour, Unicode, how text is neutralised."""

    width: int
    color: bool
    unicode: bool
    sanitize: Callable[[str], str]

    def cut(self, text: str, width: int) -> str:
        """Cut a text that is wider than `width`, with a sign that it was."""
        if len(text) <= _LONGEST and cell_len(text) <= width:
            return text
        mark = ("…" if self.unicode else "...")[:width]
        return set_cell_size(text[:_LONGEST], width - len(mark)) + mark


def page_of(stream: TextIO, color: bool, sanitize: Callable[[str], str]) -> Page:
    """Return the page that the terminal behind `stream` is."""
    return Page(size_of(stream).columns, color, is_unicode(stream.encoding), sanitize)


def fit(widths: Sequence[int], total: int) -> list[int]:
    """Return the widths of the columns that fit into `total`, in order; at least one.

    A wide column is made narrower, not below 24, before those behind it are left out; the last
    one may be narrower still.
    """
    shown: list[int] = []
    left = total
    for width in widths:
        least = min(width, _WIDE)
        if shown and least > left and left < _NARROW:
            break
        shown.append(max(1, min(least, left)))
        left -= shown[-1] + _GAP
    left += _GAP
    for i, width in enumerate(widths[: len(shown)]):
        more = min(width - shown[i], max(left, 0))
        shown[i] += max(more, 0)
        left -= max(more, 0)
    return shown


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    page: Page,
    right: Sequence[bool] = (),
) -> list[str]:
    """Draw a header and rows; columns that do not fit are named in a line behind them.

    Numbers of columns where `right` is true end below each other.
    """
    names = [page.sanitize(name) for name in names]
    cells = [[page.sanitize(cell) for cell in row] for row in rows]
    widths = [
        max(1, *(cell_len(text[:_LONGEST]) for text in column))
        for column in zip(names, *cells, strict=True)
    ]
    shown = fit(widths, page.width)

    def drawn(row: Sequence[str]) -> str:
        parts = []
        for i, width in enumerate(shown):
            text = page.cut(row[i], width)
            space = " " * (width - cell_len(text))
            parts.append(space + text if i < len(right) and right[i] else text + space)
        return (" " * _GAP).join(parts).rstrip()

    head = drawn(names)
    lines = [f"\x1b[1m{head}\x1b[0m" if page.color else head, *map(drawn, cells)]
    if left_out := names[len(shown) :]:
        lines.append(f"not shown (terminal too narrow): {', '.join(left_out)}")
    return lines
