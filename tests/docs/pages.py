"""The README and the pages of `docs/` as data: their blocks, sessions, headings and links.

Each fenced block has a mark in the line above it, `<!-- session -->` for example, which says how a
test runs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block; `start` and `end` are the offsets of its text in the page."""

    mark: str
    text: str
    start: int
    end: int


def page(name: str) -> Path:
    """Return the path of a page of `docs/`."""
    return ROOT / "docs" / f"{name}.md"


def read_blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    text = path.read_text(encoding="utf-8")
    return [Block(m[1] or "", m[3], m.start(3), m.end(3)) for m in _BLOCK.finditer(text)]


def block(path: Path, mark: str) -> str:
    """Return the text of the one block with a mark."""
    [found] = [one.text for one in read_blocks(path) if one.mark == mark]
    return found


def steps(session: str) -> list[tuple[str, str]]:
    """Split a session into its commands and what each of them printed."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def without_blocks(path: Path) -> str:
    """Return the text of a page without its fenced blocks."""
    return _BLOCK.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Return the targets of a page's links and pictures."""
    return _LINK.findall(without_blocks(path))


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = _HEADING.findall(without_blocks(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
