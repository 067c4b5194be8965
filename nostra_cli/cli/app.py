"""The Typer app, the only description of commands and options; parse argv into a command."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.completion import get_completion_inspect_parameters
from typer.core import TyperCommand, TyperGroup

from nostra_cli import __version__
from nostra_cli.cli import completion
from nostra_cli.cli.params import SharedOptions, shared_params
from nostra_cli.cli.usage import no_such_command, usage_problems

if TYPE_CHECKING:
    from nostra_cli.output.console import Output

COMMANDS = (
    "status",
    "wait",
    "results",
    "download",
    "preview",
    "login",
    "logout",
    "config",
    "doctor",
    "api",
    "completion",
    "sandbox",
)
_MAX_WIDTH = 100


class ParsedCommand(NamedTuple):
    """A command with its options parsed, not yet run."""

    command: Command
    context: typer.Context
    shared: SharedOptions

    def run(self, out: Output) -> int:
        """Run the command; raises UsageProblem, for example for ids on stdin."""
        from nostra_cli.cli.context import Session

        self.context.obj = Session(self.shared, out)
        with usage_problems(self.context.command_path):
            return self.command.run(self.context)


def _format_help(command: Any, ctx: Any, formatter: Any) -> None:
    from nostra_cli.cli.help import write_help  # commands do without it

    formatter.write(write_help(command, ctx, command_module(ctx.command_path.split()[1])))


class Command(TyperCommand):
    """A command that also takes the shared options."""

    format_help = _format_help

    def __init__(self, *args: Any, params: Sequence[Any], **settings: Any) -> None:
        """Add the shared options to the command's own parameters."""
        super().__init__(*args, params=[*params, *shared_params()], **settings)

    def invoke(self, ctx: Any) -> ParsedCommand:
        """Return the parsed command; it runs later, outside Typer."""
        shared = {name: ctx.params.pop(name) for name in SharedOptions._fields}
        return ParsedCommand(self, ctx, SharedOptions(**shared))

    def run(self, ctx: Any) -> int:
        """Run the command with the options of its context; return its exit code."""
        return int(super().invoke(ctx))

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of options, each with its help."""
        return _with_help(super().shell_complete(ctx, incomplete), incomplete)


class CommandGroup(TyperGroup):
    """A command with subcommands."""

    format_help = _format_help

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Find a command by its name; raises UsageProblem, with a suggestion."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise no_such_command(args[0], list(self.commands), ctx.command_path)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete the names of commands, each with its help."""
        return _with_help(super().shell_complete(ctx, incomplete), incomplete)


class Root(CommandGroup):
    """The group of all commands."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names in the order of COMMANDS; Typer would put groups last."""
        return [name for name in COMMANDS if name in self.commands]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the overview of all commands."""
        from nostra_cli.cli.help import write_overview

        formatter.write(write_overview(self, ctx))


def _with_help(items: list[Any], incomplete: str) -> list[Any]:
    """Move the help of completion items into their values, after a tab; `-` gets long names only.

    Typer would render the help with rich, which doubles the time (60 ms).
    """
    if incomplete == "-":
        items = [item for item in items if item.value.startswith("--")]
    for item in items:
        item.value, item.help = f"{item.value}\t{item.help or ''}", None
    return items


def command_module(name: str) -> ModuleType:
    """Load the module of a command."""
    return importlib.import_module(f"nostra_cli.cli.commands.{name}")


def make_app(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """Build the Typer app with these commands; only their modules are loaded."""
    app = typer.Typer(
        name="nostra",
        cls=Root,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(root)
    for name in names:
        module = command_module(name)
        subcommands: Mapping[str, Callable[..., int]] | None = getattr(module, "SUBCOMMANDS", None)
        if subcommands is None:
            _add(app, name, getattr(module, name))
            continue
        group = typer.Typer(cls=CommandGroup, rich_markup_mode=None)
        group.callback(invoke_without_command=True)(getattr(module, name))
        for subname, command in subcommands.items():
            _add(group, subname, command)
        app.add_typer(group, name=name, short_help=summary(getattr(module, name)))
    return app


def _add(app: typer.Typer, name: str, command: Callable[..., int]) -> None:
    app.command(name, cls=Command, short_help=summary(command))(command)


def summary(command: Callable[..., object]) -> str:
    """Return the first line of a docstring, without its full stop."""
    return (command.__doc__ or "").partition("\n")[0].rstrip(".")


def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version")] = False,
) -> None:
    """Follow invocations of the Nostradamus service and download their results."""
    if version:
        typer.echo(f"nostra {__version__}")
        raise typer.Exit  # whatever command follows
    if context.invoked_subcommand is None:
        from nostra_cli.cli.help import write_overview

        overview = write_overview(context.command, context, complete=False)
        typer.echo(overview, color=context.color, nl=False)


def command_for(words: Sequence[str]) -> Any:
    """Build the part of the command tree that a command line of these words needs."""
    first = words[0] if words else ""
    return typer.main.get_command(make_app([first] if first in COMMANDS else COMMANDS))


def parse(argv: Sequence[str], bold: bool = False) -> ParsedCommand | str:
    """Parse a command line; return the text to show if it asks for help or the version.

    `bold` allows escape codes in help. Raises UsageProblem, with a suggestion if there is one.
    """
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    path = f"nostra {argv[0]}" if argv and argv[0] in COMMANDS else "nostra"
    with usage_problems(path), redirect_stdout(StringIO()) as shown:
        command = command_for(argv)
        try:
            context = command.make_context("nostra", list(argv), color=bold, terminal_width=width)
            with context:
                parsed = command.invoke(context)
        except typer.Exit:
            parsed = None
    return parsed if isinstance(parsed, ParsedCommand) else shown.getvalue()


def complete(line: str) -> str:
    """Return the candidates for a completion script, one per line; nothing if anything fails.

    `line` is the text before the cursor. Typer reads it from the environment as well, with the
    kind of request.
    """
    words = line.split()[1:]
    current = "" if line[-1:].isspace() or not words else words.pop()
    if not line or (words and words[0] not in COMMANDS):
        return ""
    with redirect_stdout(StringIO()) as shown, suppress(Exception, SystemExit):
        get_completion_inspect_parameters()  # called only because it registers the shells
        command_for(words).main([], prog_name="nostra", complete_var=completion.VARIABLE)
    name, equals, _ = current.partition("=")
    before = name + equals if equals and name.startswith("--") else ""
    candidates = filter(None, shown.getvalue().splitlines())  # Typer prints an empty line for none
    return "".join(f"{before}{candidate}\n" for candidate in candidates)
