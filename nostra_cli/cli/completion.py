"""What can stand at the cursor: Typer finds the option or argument, the local history its values.

A candidate is a word, a tab and a help text, in one string: Typer would render a help of its own
with rich, which takes longer than all the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nostra_cli.config.history import Entry

VARIABLE = "_NOSTRA_COMPLETE"
"""Set by the completion scripts, as Typer's own would: its protocol for fish, for every shell."""
FILES, DIRECTORIES = "<files>", "<directories>"
"""The help of a candidate that stands for what the shell completes better itself."""
# Words that need no quotes in any shell; others are not offered.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:@%+=/")


def ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Give the ids that were used with this service and are not on the line yet."""
    others = [word for word in _line().split() if word != incomplete]
    return _candidates((e.id, e.status) for e in _history(ctx) if e.id not in others)


def results(ctx: typer.Context) -> list[str]:
    """Give the results of the invocations on the line, as far as they were seen."""
    words = _line().split()
    return _candidates(pair for e in _history(ctx) if e.id in words for pair in e.results.items())


def profiles() -> list[str]:
    """Give the profiles of the config file."""
    from nostra_cli.config import file

    return _candidates((name, "") for name in file.read(os.environ).profiles)


def setting_keys() -> list[str]:
    """Give the keys that `nostra config` takes."""
    from nostra_cli.config.text import KEYS

    return _candidates((key, "") for key in KEYS)


def files(incomplete: str) -> list[str]:
    """Leave it to the shell to complete a file."""
    return [f"{incomplete}\t{FILES}"]


def directories(incomplete: str) -> list[str]:
    """Leave it to the shell to complete a directory."""
    return [f"{incomplete}\t{DIRECTORIES}"]


def _line() -> str:
    """Give the line without quotes: Typer reads no operands where an option lacks its value."""
    return os.environ.get("_TYPER_COMPLETE_ARGS", "").replace('"', "").replace("'", "")


def _history(ctx: typer.Context) -> Iterator[Entry]:
    from nostra_cli.config import history, settings

    # A token file may be a pipe that can be read once, and is not needed here.
    env = {key: value for key, value in os.environ.items() if not key.startswith("NOSTRA_TOKEN")}
    flags = settings.Flags(ctx.params.get("profile"), ctx.params.get("base_url"))
    origin = history.origin_of(settings.load(flags, env).base_url.value)
    return (entry for entry in history.read(env) if entry.origin == origin)


def _candidates(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{word}\t{_one_line(text)}" for word, text in pairs if _PLAIN.issuperset(word)]


def _one_line(text: str) -> str:
    """Give a text of the service as one line that no terminal takes for more."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
