"""Fit a table of any width to a terminal: mark cut cells, and name hidden columns.

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
    """A terminal to draw on: columns, colour, Unicode, how to neutralise text."""

    width: int
    color: bool
    unicode: bool
    sanitize: Callable[[str], str]

    def cut(self, text: str, width: int) -> str:
        """Cut a text that is wider than `width`, and mark it."""
        if len(text) <= _LONGEST and cell_len(text) <= width:
            return text
        mark = ("…" if self.unicode else "...")[:width]
        return set_cell_size(text[:_LONGEST], width - len(mark)) + mark

    def table(
        self, names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool] = ()
    ) -> list[str]:
        """Draw a header and rows; a last line names the columns that do not fit.

        Columns where `right` is true are aligned to the right.
        """
        names = [self.sanitize(name) for name in names]
        cells = [[self.sanitize(cell) for cell in row] for row in rows]
        widths = [
            max(1, *(cell_len(text[:_LONGEST]) for text in column))
            for column in zip(names, *cells, strict=True)
        ]
        shown = fit(widths, self.width)

        def drawn(row: Sequence[str]) -> str:
            parts = []
            for i, width in enumerate(shown):
                text = self.cut(row[i], width)
                space = " " * (width - cell_len(text))
                parts.append(space + text if i < len(right) and right[i] else text + space)
            return (" " * _GAP).join(parts).rstrip()

        head = drawn(names)
        lines = [f"\x1b[1m{head}\x1b[0m" if self.color else head, *map(drawn, cells)]
        if left_out := names[len(shown) :]:
            lines.append(f"not shown (terminal too narrow): {', '.join(left_out)}")
        return lines


def page_of(stream: TextIO, color: bool, sanitize: Callable[[str], str]) -> Page:
    """Return the page for the terminal behind `stream`."""
    return Page(size_of(stream).columns, color, is_unicode(stream.encoding), sanitize)


def fit(widths: Sequence[int], total: int) -> list[int]:
    """Return the widths of the columns that fit into `total`, in order; at minimum one.

    A wide column is made narrower, but not below 24, before those after it are left out; the last
    one may be narrower still.
    """
    shown: list[int] = []
    left = total
    for width in widths:
        minimum = min(width, _WIDE)
        if shown and minimum > left and left < _NARROW:
            break
        shown.append(max(1, min(minimum, left)))
        left -= shown[-1] + _GAP
    left += _GAP
    for i, width in enumerate(widths[: len(shown)]):
        more = min(width - shown[i], max(left, 0))
        shown[i] += more
        left -= more
    return shown
