"""Write `nostra_cli/cli/words.py`, what completion and `nostra --help` know of the app.

A test holds the file equal to what this would write. The scripts of `completions/` need no making:
they only ask the installed `nostra`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.app_tree import Option, leaves

TARGET = Path(__file__).parent.parent / "nostra_cli" / "cli" / "words.py"
_HEAD = '''\
# ruff: noqa: E501
"""Made by scripts/make_words.py: the commands and their options, a line each.

Path (`*` is every command), names (none for the command itself), what it takes (a word as it is, or
what kind of word it is; `...` is any number of them), help; with tabs in between.
"""

TABLE = """\\
'''


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Give each command with what it takes, behind it its options; those of all (`*`) last."""
    found = list(leaves())
    full = [leaf for leaf in found if leaf.options]
    shared = [one for one in full[0].options if all(one in leaf.options for leaf in full)]
    for leaf in found:
        summary = leaf.help.strip().partition("\n")[0]
        operands = [_takes(option) for option in leaf.options if not option.names]
        yield leaf.path, "", " ".join(operands), summary
        yield from _options(leaf.path, (one for one in leaf.options if one not in shared))
    yield from _options("*", shared)


def _options(path: str, options: Iterable[Option]) -> Iterator[tuple[str, str, str, str]]:
    for option in options:
        if option.names:
            yield path, " ".join(option.names), _takes(option), option.help


def _takes(option: Option) -> str:
    kind = "PROFILE" if "--profile" in option.names else option.takes
    kind = re.sub(r" .*|[^\w|-]", "", kind)
    return kind + "..." * option.repeatable


def text() -> str:
    """Give the text of the file."""
    lines = ["\t".join(row).replace("\\", r"\\") for row in rows()]
    return _HEAD + "\n".join(lines) + '\n"""\n'


def main() -> None:
    """Write it."""
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
