"""`python -m scripts.make_pictures`: make the terminal pictures of the docs from real runs.

Each picture is the final screen of commands that ran in a pseudo-terminal against the sandbox.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nostra_cli.sandbox.server import serving
from tests.running import NOSTRA, clean_env
from tests.terminal import terminal

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_ERASED = re.compile(r"\x1b\[\?25[hl]|[^\n]*\r\x1b\[J")
_DURATION = re.compile(r" in \d+\.\d s")


@dataclass(frozen=True)
class Picture:
    """The commands on a terminal of this many columns."""

    name: str
    columns: int
    commands: tuple[str, ...]


PICTURES = (
    Picture("results", 80, ("nostra results demo-partial", "nostra status demo demo-stuck")),
    Picture("preview-stats", 100, ("nostra preview demo-demand -n 3 --stats",)),
    Picture(
        "download",
        80,
        (
            "nostra download demo --wait --all-results -f csv -d results",
            "nostra download demo-dedup nope -f xlsx -d results",
        ),
    ),
)


def make(picture: Picture) -> str:
    """Run the commands of a picture; return the SVG of their final screen."""
    console = Console(
        record=True, width=picture.columns, file=io.StringIO(), force_terminal=True, highlight=False
    )
    clock = count(0.0, 1.0)  # seconds at each look, so that `demo` completes fast
    with tempfile.TemporaryDirectory() as name, serving(clock=lambda: next(clock)) as sandbox:
        home = Path(name)
        env = clean_env(home, NOSTRA_BASE_URL=sandbox.base_url, NOSTRA_TOKEN=sandbox.token)
        for command in picture.commands:
            console.print(Text("$ ", "bold green").append(command, "bold default"))
            args = [NOSTRA, *command.split()[1:]]
            with terminal(args, env, home, picture.columns) as shown:
                shown.read_to_end()
            screen = _ERASED.sub("", shown.seen.decode()).replace("\r\n", "\n").rstrip("\n")
            console.print(Text.from_ansi(_DURATION.sub(" in 0.4 s", screen)))
    return console.export_svg(title="nostra", unique_id=f"nostra-{picture.name}") + "\n"


def read_text(svg: str) -> list[str]:
    """Return the text in an SVG."""
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


def main() -> None:
    """Write every picture, or those that are named."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if not sys.argv[1:] or picture.name in sys.argv[1:]:
            (FOLDER / f"{picture.name}.svg").write_text(make(picture), encoding="utf-8")


if __name__ == "__main__":
    main()
