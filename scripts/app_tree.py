"""The app as it was built, command by command: what the generated files are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer.main

from nostra_cli.app import Record, make_app
from nostra_cli.cli import COMMANDS


@dataclass(frozen=True)
class Option:
    """An option, or an argument where it has no names; `takes` is how its value is written."""

    names: tuple[str, ...]
    takes: str
    help: str
    repeatable: bool


@dataclass(frozen=True)
class Leaf:
    """A command that can be run."""

    path: str
    help: str
    usage: str
    options: tuple[Option, ...]
    by_heading: dict[str, list[Record]]


def leaves() -> Iterator[Leaf]:
    """Give every command, sub-commands too, in the order of the help."""
    app = typer.main.get_command(make_app(COMMANDS))
    yield from _below(
        app, typer.Context(app, info_name="nostra", help_option_names=["-h", "--help"])
    )


def _below(group: Any, context: typer.Context) -> Iterator[Leaf]:
    for name, command in group.commands.items():
        inner = command.context_class(command, info_name=name, parent=context)
        if hasattr(command, "commands"):
            yield from _below(command, inner)
            continue
        yield Leaf(
            inner.command_path.removeprefix("nostra "),
            command.help or "",
            " ".join(command.collect_usage_pieces(inner)),
            tuple(_option(param, inner) for param in command.get_params(inner) if not param.hidden),
            command.options_by_heading(inner),
        )


def _option(param: Any, context: typer.Context) -> Option:
    # Typer keeps those of --help in a set: in any order.
    names = sorted(param.opts, key=len) if param.param_type_name == "option" else []
    flag = bool(names) and (param.is_flag or param.count)
    takes = "" if flag else param.make_metavar(context).strip("<>{}")
    return Option(tuple(names), takes, param.help or "", param.nargs == -1 or bool(param.multiple))
