"""Complete values: Typer finds the option or argument, the local history has the ids.

A candidate is one string, a word, a tab and its help: Typer would render a separate help with rich,
which is slow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from nostra_cli.config.history import Entry

VARIABLE = "_NOSTRA_COMPLETE"
"""Set by the completion scripts: they all use Typer's protocol for fish."""
FILES, DIRECTORIES = "<files>", "<directories>"
"""The help of a candidate that leaves the completion to the shell."""
# Only words that need no quotes in any shell are offered.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:@%+=/")


def ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete ids that were used with this service and are not on the line yet."""
    others = [word for word in _line().split() if word != incomplete]
    return _candidates((e.id, e.status) for e in _history(ctx) if e.id not in others)


def ids_or_files(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete ids, or let the shell complete a word that has become a path."""
    return files(incomplete) if os.sep in incomplete else ids(ctx, incomplete)


def results(ctx: typer.Context) -> list[str]:
    """Complete known results of the invocations on the line."""
    words = _line().split()
    return _candidates(pair for e in _history(ctx) if e.id in words for pair in e.results.items())


def profiles() -> list[str]:
    """Complete the profiles of the config file."""
    from nostra_cli.config import file

    return _candidates((name, "") for name in file.read(os.environ).profiles)


def setting_keys() -> list[str]:
    """Complete the keys of `nostra config`."""
    from nostra_cli.config.text import KEYS

    return _candidates((key, "") for key in KEYS)


def files(incomplete: str) -> list[str]:
    """Let the shell complete a file."""
    return [f"{incomplete}\t{FILES}"]


def directories(incomplete: str) -> list[str]:
    """Let the shell complete a directory."""
    return [f"{incomplete}\t{DIRECTORIES}"]


def _line() -> str:
    """Return the line without quotes; Typer has no operands if an option lacks its value."""
    return os.environ.get("_TYPER_COMPLETE_ARGS", "").replace('"', "").replace("'", "")


def _history(ctx: typer.Context) -> Iterator[Entry]:
    from nostra_cli.config import history, settings

    # No token is needed, and a token file may be a pipe that can be read only once.
    env = {key: value for key, value in os.environ.items() if not key.startswith("NOSTRA_TOKEN")}
    flags = settings.Flags(ctx.params.get("profile"), ctx.params.get("base_url"))
    origin = history.origin_of(settings.load(flags, env).base_url.value)
    return (entry for entry in history.read(env) if entry.origin == origin)


def _candidates(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{word}\t{_one_line(text)}" for word, text in pairs if _PLAIN.issuperset(word)]


def _one_line(text: str) -> str:
    """Return a text of the service as one printable line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
