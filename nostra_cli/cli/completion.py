"""What can stand at the cursor of a command line: offline, quick, silent whatever goes wrong."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from nostra_cli.cli.words import TABLE

Candidates = Iterable[tuple[str, str]]
# A word that no shell would have to be told to leave alone. Others are not offered.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:@%+=/")
# What a shell completes better itself; a candidate with no word stands for it.
_SHELLS_OWN = {"FILE": "files", "DIR": "dirs"}


class Row(NamedTuple):
    """A line of the table: a command (without names) or one of its options."""

    path: str
    names: tuple[str, ...]
    takes: str
    help: str

    @property
    def repeatable(self) -> bool:
        """Whether it can be given again."""
        return self.takes.endswith("...")


class Line(NamedTuple):
    """A command line up to the cursor: what was typed of the command at hand."""

    command: Row
    options: Mapping[str, Row]
    given: Mapping[str, str]
    operands: tuple[str, ...]
    pending: Row | None
    """The option whose value is at the cursor."""
    ended: bool
    """Whether there was a `--`."""


def answer(env: Mapping[str, str]) -> str:
    """Answer a completion script: a line for each candidate, a tab between word and help.

    The scripts hand over what was typed in `_TYPER_COMPLETE_ARGS`; bash's own variables will do too
    (so it is with Typer's scripts), and are answered without help.
    """
    try:
        words, current = _typed(env)
        found = list(_candidates(words, current, env))
    except Exception:  # noqa: BLE001 - a person who presses TAB wants no talk of errors
        return ""
    bare = "_TYPER_COMPLETE_ARGS" not in env
    return "".join(f"{word}\n" if bare and word else f"{word}\t{text}\n" for word, text in found)


def _typed(env: Mapping[str, str]) -> tuple[list[str], str]:
    """Split what was typed into whole words, without the program, and the one at the cursor."""
    line = env.get("_TYPER_COMPLETE_ARGS")
    if line is None:
        words = _split(env["COMP_WORDS"])
        place = int(env["COMP_CWORD"])
        return words[1:place], words[place] if place < len(words) else ""
    words = _split(line)
    if line[-1:].isspace():
        return words[1:], ""
    return words[1:-1], words[-1]


def _split(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = []
    try:
        while (word := lexer.get_token()) is not None:
            words.append(word)
    except ValueError:  # a quote is still open
        words.append(lexer.token or "")
    return words


def _candidates(words: list[str], current: str, env: Mapping[str, str]) -> Candidates:
    rows = []
    for text in TABLE.splitlines():
        path, names, takes, help_ = text.split("\t")
        rows.append(Row(path, tuple(names.split()), takes, help_))
    commands = {row.path: row for row in rows if not row.names}
    below = "".join(f"{word} " for word in words)
    if any(path.startswith(below) for path in commands):
        return _names(below, current, commands)
    path = next((p for n in (2, 1) if (p := " ".join(words[:n])) in commands), "")
    if not path:
        return []
    options = {name: row for row in rows if row.path in (path, "*") for name in row.names}
    line = _read(words[len(path.split()) :], commands[path], options)
    return _matching(current, _behind(line, current, env))


def _names(below: str, current: str, commands: Mapping[str, Row]) -> Candidates:
    """Give the commands, or those of the group that was typed."""
    if current.startswith("-"):
        version = [] if below else [("--version", "Show the version.")]
        return _matching(current, [("--help", "Show the help."), *version])
    found: dict[str, str] = {}
    for path, row in commands.items():
        if path.startswith(below):
            found.setdefault(path.removeprefix(below).split()[0], row.help)
    return _matching(current, found.items())


def _read(words: Iterable[str], command: Row, options: Mapping[str, Row]) -> Line:
    given: dict[str, str] = {}
    operands: list[str] = []
    pending: Row | None = None
    ended = False
    for word in words:
        if pending is not None:
            given[pending.names[-1]], pending = word, None
        elif ended or word == "-" or not word.startswith("-"):
            operands.append(word)
        elif word == "--":
            ended = True
        else:
            row, value = _option(word, options)
            if row is not None:
                given[row.names[-1]] = value
                pending = row if row.takes and not value else None
    return Line(command, options, given, tuple(operands), pending, ended)


def _option(word: str, options: Mapping[str, Row]) -> tuple[Row | None, str]:
    """Give the option that a word is, the last one of `-qf`, and the value that is in the word."""
    if word.startswith("--"):
        name, _, value = word.partition("=")
        return options.get(name), value
    row = None
    for place, letter in enumerate(word[1:], 2):
        row = options.get(f"-{letter}")
        if row is None or row.takes:
            return row, word[place:]
    return row, ""


def _behind(line: Line, current: str, env: Mapping[str, str]) -> Candidates:
    if line.pending is not None:
        return _values(line.pending.takes, line, env)
    if current.startswith("-") and not line.ended:
        return _options(line, current, env)
    kinds = line.command.takes.split()
    place = len(line.operands)
    if place >= len(kinds) and not (kinds and kinds[-1].endswith("...")):
        kind = ""
    else:
        kind = kinds[min(place, len(kinds) - 1)]
    if line.ended and "ID" not in kind:
        return [("", _SHELLS_OWN["FILE"])]  # another command's line
    return list(_values(kind, line, env)) or ([] if current else _options(line, "-", env))


def _options(line: Line, current: str, env: Mapping[str, str]) -> Candidates:
    name, equals, _ = current.partition("=")
    if equals:
        takes = line.options[name].takes if name in line.options else ""
        return [(word and f"{name}={word}", text) for word, text in _values(takes, line, env)]
    found = {}
    for row in line.options.values():
        if row.repeatable or row.names[-1] not in line.given:
            # The long name, unless the short one is what was begun.
            fitting = [name for name in row.names if name.startswith(current)]
            found.update(dict.fromkeys(fitting[-1:], row.help))
    return found.items()


def _values(takes: str, line: Line, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give what an option or an operand may be: words, or what is known of their kind."""
    for kind in takes.removesuffix("...").split("|"):
        if kind.islower() and kind not in line.operands:
            yield kind, ""
        elif kind in _SHELLS_OWN:
            yield "", _SHELLS_OWN[kind]
        elif kind == "PROFILE":
            yield from ((name, "") for name in _profiles(env))
        elif kind == "KEY":
            yield from ((name, "") for name in _keys())
        elif kind in ("ID", "RESULT_ID"):
            yield from _used(kind, line, env)


def _profiles(env: Mapping[str, str]) -> Iterable[str]:
    from nostra_cli.config import file

    return file.read(env).profiles


def _keys() -> Iterable[str]:
    from nostra_cli.config.text import KEYS

    return KEYS


def _used(kind: str, line: Line, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give ids that were used with this service, or results of those that are on the line."""
    from nostra_cli.config import history, settings

    # A token file may be a pipe that can be read once, and is not needed here.
    safe = {key: value for key, value in env.items() if not key.startswith("NOSTRA_TOKEN")}
    flags = settings.Flags(line.given.get("--profile"), line.given.get("--base-url"))
    origin = history.origin_of(settings.load(flags, safe).base_url.value)
    for entry in history.read(env):
        if entry.origin == origin and kind == "ID" and entry.id not in line.operands:
            yield entry.id, entry.status
        elif entry.origin == origin and kind == "RESULT_ID" and entry.id in line.operands:
            yield from entry.results.items()


def _matching(current: str, candidates: Candidates) -> list[tuple[str, str]]:
    return [
        (word, _plain(text))
        for word, text in candidates
        if not word or (word.startswith(current) and _PLAIN.issuperset(word))
    ]


def _plain(text: str) -> str:
    """Give what a help text or the service says as one line that no terminal takes for more."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
