"""rich's console, with the decisions of ours: no markup, no guessing from the environment."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import ProgressColumn, Task
from rich.text import Text

from nostra_cli.units import show_size


class Rate(ProgressColumn):
    """Bytes a second, in the units of the sizes beside it."""

    def render(self, task: Task) -> Text:
        """Show it, once it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{show_size(speed)}/s" if speed else "")


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
