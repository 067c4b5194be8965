"""The Typer app: the commands and their options, parsed into jobs; their help; usage errors."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from nostra_cli import __version__
from nostra_cli.cli.params import Shared
from nostra_cli.errors import UsageProblem

if TYPE_CHECKING:
    from typer._click import Context
    from typer._click.formatting import HelpFormatter

    from nostra_cli.output.console import Output

Runnable = Callable[..., int]
Record = tuple[str, str]

# What every wrong option raises; Typer has no public name for it.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
_SHARED = frozenset({"help", *Shared._fields})


class ParsedCommand(NamedTuple):
    """A command with its options parsed, not yet run."""

    command: Runnable
    options: dict[str, Any]
    shared: Shared

    def run(self, out: Output) -> int:
        """Run it; operands are looked at only now, so this too may raise a UsageProblem."""
        from nostra_cli.cli.context import Session

        name = self.command.__module__.rpartition(".")[2]
        with usage_problems(f"nostra {name}"):
            return self.command(Session(self.shared, out), **self.options)


def parsed(command: Runnable) -> Callable[..., ParsedCommand]:
    """Make a Typer callback of a command: it also takes the shared options.

    The job runs outside Typer, which has its own ideas about interrupts and closed pipes.
    """

    def parse(**options: Any) -> ParsedCommand:
        shared = Shared(**{name: options.pop(name) for name in Shared._fields})
        return ParsedCommand(command, options, shared)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = list(inspect.signature(command).parameters.values())[1:]
    shared = inspect.signature(Shared).parameters.values()
    parse.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=keyword) for parameter in (*own, *shared)]
    )
    parse.__doc__ = command.__doc__
    return parse


class Command(TyperCommand):
    """A command whose help teaches: what it is for, examples, options, exit codes."""

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Name what comes behind the command, as it is typed."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help."""
        _teach(self, ctx, formatter)

    def help_by_heading(self, ctx: Context) -> dict[str, list[Record]]:
        """Give how each option is written and its help, those of every command apart."""
        found: dict[str, list[Record]] = {}
        for param in self.get_params(ctx):
            shared = param.name in _SHARED
            heading = "Options of every command" if shared else "Options"
            if param.param_type_name == "argument":
                heading = "Arguments"
            if record := param.get_help_record(ctx):
                found.setdefault(heading, []).append(record)
        return found


class Family(TyperGroup):
    """A command that has commands of its own."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the help."""
        _teach(self, ctx, formatter)

    def help_by_heading(self, ctx: Context) -> dict[str, list[Record]]:
        """Give its commands with what they are for, and its only option."""
        own = [(name, (one.help or "").split("\n")[0]) for name, one in self.commands.items()]
        records = (param.get_help_record(ctx) for param in self.get_params(ctx))
        return {"Commands": own, "Options": [record for record in records if record]}


def _teach(command: Command | Family, ctx: Context, formatter: HelpFormatter) -> None:
    """Write the help of a command; its module holds its examples and its exit codes."""
    module = importlib.import_module(f"nostra_cli.cli.commands.{ctx.command_path.split()[1]}")
    formatter.write_text(inspect.cleandoc(command.help or ""))
    formatter.write_paragraph()
    command.format_usage(ctx, formatter)
    with formatter.section("Examples"):
        formatter.write_text("\b\n" + "\n".join(module.EXAMPLES))
    for heading, records in command.help_by_heading(ctx).items():
        with formatter.section(heading):
            formatter.write_dl(records, col_max=22)
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(int(code)), code.meaning) for code in module.CODES])


class Root(TyperGroup):
    """All commands."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview, the same that needs no Typer."""
        from nostra_cli.cli.overview import overview

        formatter.write(overview())


def make_app(wanted: Sequence[str]) -> typer.Typer:
    """Build the Typer app with these commands; a command's module is loaded for it."""
    app = typer.Typer(
        name="nostra",
        cls=Root,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        suggest_commands=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(root)
    for name in wanted:
        module = importlib.import_module(f"nostra_cli.cli.commands.{name}")
        subcommands: dict[str, Runnable] | None = getattr(module, "SUBCOMMANDS", None)
        if subcommands is None:
            app.command(name, cls=Command)(parsed(getattr(module, name)))
        else:
            app.add_typer(_group(getattr(module, name), subcommands), name=name)
    return app


def _group(callback: Callable[..., None], subcommands: Mapping[str, Runnable]) -> typer.Typer:
    group = typer.Typer(cls=Family, rich_markup_mode=None, suggest_commands=False)
    group.callback(invoke_without_command=True)(callback)
    for name, command in subcommands.items():
        group.command(name, cls=Command)(parsed(command))
    return group


def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Follow invocations of the Nostradamus service and download their results."""
    if version:
        typer.echo(f"nostra {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def parse(argv: Sequence[str], commands: Sequence[str]) -> ParsedCommand | str:
    """Read a command line; gives the text to show where it asked for help or the version.

    Raises UsageProblem, with what was meant where that is clear.
    """
    first = argv[0]
    if first not in commands and not first.startswith("-"):
        hint = f"{_meant(first, commands)}see nostra --help"
        raise UsageProblem(f"there is no command {first!r}", hint)
    # What Typer would print goes the way of all data, with its errors.
    path = f"nostra {first}" if first in commands else "nostra"
    with usage_problems(path), redirect_stdout(StringIO()) as said:
        app = make_app([first] if first in commands else commands)
        job = app(args=list(argv), prog_name="nostra", standalone_mode=False)
    return job if isinstance(job, ParsedCommand) else said.getvalue()


@contextmanager
def usage_problems(path: str) -> Iterator[None]:
    """Turn Typer's errors of the block into ours, with what was meant where that is clear.

    `path` is whose help is the hint where the error does not know it: `nostra status`.
    """
    try:
        yield
    except _UsageError as error:
        raise _problem(error, path) from error


def _problem(error: Any, path: str) -> UsageProblem:
    path = error.ctx.command_path if error.ctx else path
    message, hint = str(error.format_message()), f"see {path} --help"
    param = getattr(error, "param", None)
    if hasattr(error, "possibilities"):  # no such option
        message, name = str(error.message), str(error.option_name)
        meant = _meant(name, error.possibilities or ())
        if path == "nostra" and not meant:
            meant = "options come behind the command; "
        hint = meant + hint
    elif commands := getattr(error.ctx and error.ctx.command, "commands", ()):
        hint = _meant(message.partition("'")[2].partition("'")[0], list(commands)) + hint
    elif choices := getattr(param and param.type, "choices", ()):
        typed = str(error.message).partition("' is not one of ")[0].removeprefix("'")
        # What there is to choose from is little: a distant likeness will do, excel for xlsx.
        hint = _meant(typed, [str(choice) for choice in choices], 0.4) + hint
    return UsageProblem(" ".join(message.split()), hint)


def _meant(typed: str, choices: Sequence[str], likeness: float = 0.7) -> str:
    from difflib import get_close_matches

    found = get_close_matches(typed.casefold(), choices, 1, likeness)
    return f"did you mean {found[0]}? " if found else ""
