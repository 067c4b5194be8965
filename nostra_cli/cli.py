"""The command line: every command by name; the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer

from nostra_cli import __version__, interrupts
from nostra_cli.errors import ExitCode, NostraError, Signalled, UsageProblem
from nostra_cli.options import Shared
from nostra_cli.output.show import Output
from nostra_cli.output.streams import Look, secure_descriptors, settle_streams

Command = Callable[..., int]

COMMANDS = (
    "status",
    "wait",
    "results",
    "download",
    "login",
    "logout",
    "config",
    "doctor",
    "api",
    "sandbox",
)
_COMPLETE = "_NOSTRA_COMPLETE"
# What every wrong option raises; Typer has no public name for it.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class Job(NamedTuple):
    """A command with its options parsed, not yet run."""

    command: Command
    options: dict[str, Any]
    shared: Shared

    def run(self, out: Output) -> int:
        """Run it."""
        from nostra_cli.session import Session

        return self.command(Session(self.shared, out), **self.options)


def parsed(command: Command) -> Callable[..., Job]:
    """Make a Typer callback of a command: it takes the shared options too, and gives a Job.

    The job runs outside Typer, which has its own ideas about interrupts and closed pipes.
    """

    def parse(**options: Any) -> Job:
        shared = Shared(**{name: options.pop(name) for name in Shared._fields})
        return Job(command, options, shared)

    keyword = inspect.Parameter.KEYWORD_ONLY
    own = list(inspect.signature(command).parameters.values())[1:]
    shared = inspect.signature(Shared).parameters.values()
    parse.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=keyword) for parameter in (*own, *shared)]
    )
    parse.__doc__ = command.__doc__
    return parse


def make_app(wanted: Sequence[str] = COMMANDS) -> typer.Typer:
    """Build the Typer app with these commands; a command's module is loaded for it."""
    app = typer.Typer(
        name="nostra",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    codes = "\n".join(f"  {int(code):<5}{code.meaning}" for code in ExitCode)
    app.callback(invoke_without_command=True, epilog=f"\b\nExit codes:\n{codes}")(root)
    for name in wanted:
        module = importlib.import_module(f"nostra_cli.commands.{name}")
        subcommands: dict[str, Command] | None = getattr(module, "SUBCOMMANDS", None)
        if subcommands is None:
            app.command(name)(parsed(getattr(module, name)))
        else:
            app.add_typer(_group(getattr(module, name), subcommands), name=name)
    return app


def _group(callback: Callable[..., None], subcommands: Mapping[str, Command]) -> typer.Typer:
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(callback)
    for name, command in subcommands.items():
        group.command(name)(parsed(command))
    return group


def completion_init() -> None:
    """Teach Typer the shells; it does so by itself only with its own completion options."""
    from typer import completion

    completion.completion_init()  # type: ignore[attr-defined] # imported there for this use


def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Follow invocations of the Nostradamus service and download their results."""
    if version:
        typer.echo(f"nostra {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and give its exit code."""
    secure_descriptors()
    argv = sys.argv[1:] if argv is None else argv
    own = list(argv)[: argv.index("--")] if "--" in argv else argv
    out = Output(Look(json="--json" in own), sys.stdout, sys.stderr)
    if "--ci" in own:
        out.in_lines()
    if _COMPLETE in os.environ:
        completion_init()
    try:
        with interrupts.raised():
            job = make_app(argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS)(
                args=list(argv), prog_name="nostra", standalone_mode=False, complete_var=_COMPLETE
            )
            if not isinstance(job, Job):
                return int(job or 0)
            out = Output(job.shared.look, sys.stdout, sys.stderr)
            return job.run(out)
    except NostraError as error:
        out.error(error)
        return error.code
    except _UsageError as error:
        out.error(UsageProblem(_first_line(error), "see nostra COMMAND --help"))
        return ExitCode.USAGE
    except Signalled as signalled:
        return _ended(out, signalled, argv)
    except BrokenPipeError:
        return ExitCode.PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback for a user
        out.error(_bug(error))
        return ExitCode.BUG
    finally:
        settle_streams()


def _first_line(error: Exception) -> str:
    message = getattr(error, "format_message", lambda: str(error))()
    return " ".join(str(message).split())


def _ended(out: Output, signalled: Signalled, argv: Sequence[str]) -> ExitCode:
    import shlex

    notes = [str(note) for note in getattr(signalled, "__notes__", ())]
    for note in notes[:-1]:
        out.talk(note.partition(";")[0])  # what to do is said once, with the last of them
    for note in notes[-1:]:
        out.talk(f"{note}: nostra {shlex.join(argv)}")
    return signalled.code


def _bug(error: Exception) -> NostraError:
    """Describe an error nobody thought of, without its text: that could hold anything."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_name}, line {frame.tb_lineno}" if frame else "unknown"
    return NostraError(
        f"nostra has a bug: {type(error).__name__} in {place} (version {__version__})",
        "please report it with the command you ran",
    )
