"""Write the snapshots of every `--help`, `tests/help/`; a test holds them equal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.app_tree import leaves

FOLDER = Path(__file__).parent.parent / "tests" / "help"


def names() -> list[str]:
    """Give the words of each command; none for the whole."""
    return ["", *(leaf.path for leaf in leaves())]


def help_of(name: str) -> str:
    """Give what the installed `nostra` says, on 80 columns."""
    program = str(Path(sys.executable).with_name("nostra"))
    done = subprocess.run(
        [program, *name.split(), "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def file_of(name: str) -> Path:
    """Tell where the snapshot of a command is."""
    return FOLDER / f"{'-'.join(['nostra', *name.split()])}.txt"


def main() -> None:
    """Write them all, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.iterdir():
        stale.unlink()
    for words in names():
        file_of(words).write_text(help_of(words), encoding="utf-8", newline="\n")
