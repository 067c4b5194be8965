"""The terminal: its size, whether to draw on it, and rich's console for it."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from nostra_cli.output.streams import MessageStream

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_MAX_COLUMNS = 10_000


def size_of(
    stream: TextIO | MessageStream, env: Mapping[str, str] = os.environ
) -> os.terminal_size:
    """Return the size of the terminal behind a stream: COLUMNS and LINES, its own, or 80x24."""
    try:
        found = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        found = os.terminal_size((0, 0))
    columns = _size(env.get("COLUMNS", "")) or found.columns or 80
    return os.terminal_size((columns, _size(env.get("LINES", "")) or found.lines or 24))


def _size(text: str) -> int:
    """Parse a number of columns or rows; 0 for an invalid one."""
    if len(text) > 5 or not (text.isascii() and text.isdigit()):
        return 0
    return int(text) if int(text) <= _MAX_COLUMNS else 0


def in_foreground(stream: MessageStream) -> bool:
    """Return whether this process has the terminal behind a stream, not a shell (after `bg`)."""
    if sys.platform == "win32":
        return True
    else:
        try:
            return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):  # not the controlling terminal
            return True


def is_unicode(encoding: str | None) -> bool:
    """Return whether an encoding has every character."""
    return (encoding or "").lower().replace("-", "").startswith("utf")


def console(stream: TextIO | MessageStream, color: bool) -> Console:
    """Return a console of rich's that renders for the terminal behind a stream, not onto it.

    Its text is never markup, and its size and colour are not guessed from the environment.
    """
    from rich.console import Console  # rich, for a person only

    size = size_of(stream)
    return Console(
        file=io.TextIOWrapper(io.BytesIO(), stream.encoding or "utf-8"),
        width=size.columns,
        height=size.lines,
        force_terminal=True,
        force_interactive=True,
        no_color=not color,
        color_system="auto" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
