"""The app as it was built, command by command: what the generated files are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer.main

from nostra_cli.cli.app import Record, make_app
from nostra_cli.cli.main import COMMANDS


@dataclass(frozen=True)
class Option:
    """An option, or an argument where it has no names; `takes` is how its value is written."""

    names: tuple[str, ...]
    takes: str
    help: str
    repeatable: bool


@dataclass(frozen=True)
class Leaf:
    """A command; a group of commands has no options here."""

    path: str
    help: str
    usage: str
    options: tuple[Option, ...]
    by_heading: dict[str, list[Record]]


def leaves() -> Iterator[Leaf]:
    """Give every command, groups and what is in them too, in the order of the help."""
    app = typer.main.get_command(make_app(COMMANDS))
    yield from _below(
        app, typer.Context(app, info_name="nostra", help_option_names=["-h", "--help"])
    )


def _below(group: Any, context: typer.Context) -> Iterator[Leaf]:
    # Typer puts groups last; the order that was meant is that of COMMANDS.
    names = sorted(group.commands, key=lambda name: name in COMMANDS and COMMANDS.index(name))
    for name in names:
        command = group.commands[name]
        inner = command.context_class(command, info_name=name, parent=context)
        family = hasattr(command, "commands")
        params = [] if family else command.get_params(inner)
        yield Leaf(
            inner.command_path.removeprefix("nostra "),
            command.help or "",
            " ".join(command.collect_usage_pieces(inner)),
            tuple(option for param in params for option in _options(param, inner)),
            command.help_by_heading(inner),
        )
        if family:
            yield from _below(command, inner)


def _options(param: Any, context: typer.Context) -> Iterator[Option]:
    """Give an option, or both of a pair such as --ci and --no-ci."""
    repeatable = param.nargs == -1 or bool(param.multiple)
    if param.param_type_name == "argument":
        yield Option((), param.make_metavar(context).strip("{}"), param.help or "", repeatable)
        return
    takes = "" if param.is_flag or param.count else param.make_metavar(context).strip("<>")
    for names in filter(None, (param.opts, param.secondary_opts)):
        # Typer keeps those of --help in a set: in any order.
        yield Option(tuple(sorted(names, key=len)), takes, param.help or "", repeatable)
