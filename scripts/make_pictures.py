"""`python -m scripts.make_pictures`: make the terminal pictures of the docs from real runs.

Each picture is the screen of a command that ran in a pseudo-terminal against the sandbox. An
animated one plays what was drawn until then, once; without animation its final screen is shown.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.running import NOSTRA, clean_env
from tests.sandbox.calling import faulty
from tests.terminal import terminal

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_SCENARIO = """
[[fault]]
path = "*/demo-large/csv"
rate = 1_000_000

[invocation.demo]
statuses = ["queued", "running", "completed"]
"""
_LARGE_BYTES = 3_000_000
_FRAMES = 16
_FRAME_SECONDS = 0.25
_TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+")
_DURATION = re.compile(r" in \d+\.\d s")
_STYLE = f"""<style>
  .frame {{ visibility: hidden; }}
  @media (prefers-reduced-motion: no-preference) {{
    .frame {{ animation: shown {_FRAME_SECONDS}s; }}
    .last {{ animation: before; }}
  }}
  @keyframes shown {{ from, to {{ visibility: visible; }} }}
  @keyframes before {{ from, to {{ visibility: hidden; }} }}
</style>"""


@dataclass(frozen=True)
class Picture:
    """A command on a terminal of this many columns."""

    name: str
    columns: int
    command: str
    animated: bool = False


PICTURES = (
    Picture("results", 80, "nostra results demo-partial"),
    Picture("preview-stats", 100, "nostra preview demo-demand -n 3 --stats"),
    Picture(
        "download", 90, "nostra download demo demo-large --wait -f csv -d results", animated=True
    ),
)


def make(picture: Picture) -> str:
    """Run the command of a picture; return it as SVG."""
    with tempfile.TemporaryDirectory() as name, faulty(_SCENARIO, _LARGE_BYTES) as sandbox:
        home = Path(name)
        env = clean_env(home, NOSTRA_BASE_URL=sandbox.base_url, NOSTRA_TOKEN=sandbox.token)
        args = [NOSTRA, *picture.command.split()[1:]]
        with terminal(args, env, home, picture.columns) as shown:
            shown.read_to_end()
    screens = list(read_screens(shown.seen.decode()))
    if not picture.animated:
        return export(picture, screens[-1], f"nostra-{picture.name}") + "\n"
    step = -(-len(screens) // _FRAMES)
    return animate(picture, [[], *screens[:-1:step], screens[-1]]) + "\n"


def read_screens(drawn: str) -> Iterator[list[str]]:
    """Yield the lines, with their colours, on the screen before each redraw and at the end.

    Knows what is used here: an erase is always at the first column.
    """
    lines, row = [""], 0
    for token in _TOKEN.findall(drawn):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token.endswith("A") and token[0] == "\x1b":
            row = max(0, row - int(token[2:-1] or "1"))
        elif token.endswith("J") and token[0] == "\x1b":
            yield list(lines)
            lines[row:] = [""]
        elif token.endswith("m") or token[0] not in "\x1b\r":
            lines[row] += token
    yield lines


def export(picture: Picture, screen: list[str], unique_id: str, height: int = 0) -> str:
    """Return a screen, below the command and in `height` lines at least, as SVG."""
    console = Console(
        record=True, width=picture.columns, file=io.StringIO(), force_terminal=True, highlight=False
    )
    console.print(Text("$ ", "bold green").append(picture.command, "bold default"))
    text = _DURATION.sub(" in 3.4 s", "\n".join(screen).rstrip("\n"))
    console.print(Text.from_ansi(text + "\n" * (height - text.count("\n") - 1)))
    return console.export_svg(title="nostra", unique_id=unique_id)


def animate(picture: Picture, screens: list[list[str]]) -> str:
    """Return screens as an SVG that shows one after the other and stays at the last."""
    height = max(len(screen) for screen in screens)
    frames = []
    for number, screen in enumerate(screens[:-1]):
        delay = f'style="animation-delay: {number * _FRAME_SECONDS:.2f}s"'
        svg = export(picture, screen, f"nostra-{picture.name}-{number}", height)
        frames.append(f'<g class="frame" {delay}>\n{svg}\n</g>')
    last = export(picture, screens[-1], f"nostra-{picture.name}", height)
    seconds = f'style="animation-duration: {len(frames) * _FRAME_SECONDS:.2f}s"'
    frames.append(f'<g class="last" {seconds}>\n{last}\n</g>')
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', last)
    assert size is not None
    root = f'<svg viewBox="0 0 {size[1]} {size[2]}" xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([root, _STYLE, *frames, "</svg>"])


def read_text(svg: str) -> list[str]:
    """Return the text of the final screen in an SVG."""
    _, _, last = svg.rpartition('<g class="last"')
    return re.findall(r"<text [^>]*>([^<]*)</text>", last)


def main() -> None:
    """Write every picture, or those that are named."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if not sys.argv[1:] or picture.name in sys.argv[1:]:
            (FOLDER / f"{picture.name}.svg").write_text(make(picture), encoding="utf-8")


if __name__ == "__main__":
    main()
