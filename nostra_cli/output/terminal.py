"""rich's console, with the decisions of ours: no markup, no guessing from the environment."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console


def console(stream: TextIO, color: bool) -> Console:
    """Give a console that writes to the terminal behind `stream`."""
    return Console(
        file=stream,
        force_terminal=True,
        no_color=not color,
        color_system="auto" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
