"""The commands of the app, with what the generated files say of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import typer.main

from nostra_cli.cli.app import command_module, make_app
from nostra_cli.cli.help import Row, option_row, usage
from nostra_cli.cli.params import SharedOptions


@dataclass(frozen=True)
class Leaf:
    """A command or a group of commands; its module has examples, exit codes and a page."""

    path: str
    help: str
    usage: str
    own: tuple[Row, ...]
    """Its operands and options, without those of every command."""
    module: ModuleType


def leaves() -> Iterator[Leaf]:
    """Give every command, groups and what is in them too, in the order of the help."""
    root = typer.main.get_command(make_app())
    yield from _below(root, typer.Context(root, info_name="nostra"))


def _below(group: Any, context: typer.Context) -> Iterator[Leaf]:
    for name in group.list_commands(context):
        command = group.commands[name]
        inner = typer.Context(command, info_name=name, parent=context)
        path = inner.command_path.removeprefix("nostra ")
        own = [param for param in command.params if param.name not in SharedOptions._fields]
        yield Leaf(
            path,
            command.help or "",
            usage(command),
            tuple(option_row(param) for param in own),
            command_module(path.split()[0]),
        )
        if hasattr(command, "commands"):
            yield from _below(command, inner)
