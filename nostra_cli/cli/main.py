"""The command line: every command by name; the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nostra_cli import __version__
from nostra_cli.cli import interrupts
from nostra_cli.errors import ExitCode, NostraError, Signalled
from nostra_cli.output.console import Output
from nostra_cli.output.streams import OutputOptions, flush_streams, secure_descriptors

if TYPE_CHECKING:
    from nostra_cli.cli.app import ParsedCommand

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
    "sandbox",
)
_COMPLETE = "_NOSTRA_COMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and give its exit code."""
    secure_descriptors()
    argv = sys.argv[1:] if argv is None else argv
    own = list(argv)[: argv.index("--")] if "--" in argv else argv
    out = Output(OutputOptions(json="--json" in own), sys.stdout, sys.stderr)
    if "--ci" in own:
        out.in_lines()
    try:
        with interrupts.raised():
            job = _parsed(argv)
            if isinstance(job, str):
                out.data.write(job.encode())
                return ExitCode.DONE
            out = Output(job.shared.look, sys.stdout, sys.stderr)
            return job.run(out)
    except NostraError as error:
        out.error(error)
        return error.code
    except Signalled as signalled:
        return _ended(out, signalled, argv)
    except BrokenPipeError:
        return ExitCode.PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback for a user
        out.error(_bug(error))
        return ExitCode.BUG
    finally:
        flush_streams()


def _parsed(argv: Sequence[str]) -> ParsedCommand | str:
    """Give the job that a command line asks for, or a text: help, the version, completions."""
    if _COMPLETE in os.environ:
        from nostra_cli.cli.completion import answer

        return answer(os.environ)
    if list(argv) in ([], ["-h"], ["--help"]):
        from nostra_cli.cli.overview import overview

        return overview()
    from nostra_cli.cli import app  # loads Typer, which takes longer than all the rest

    return app.parse(argv, COMMANDS)


def _ended(out: Output, signalled: Signalled, argv: Sequence[str]) -> ExitCode:
    if signalled.kept:
        import shlex

        from nostra_cli.output.views import kept_text

        out.info(f"Kept {kept_text(signalled.kept)}. Run the same command to resume:")
        out.info(f"  nostra {shlex.join(argv)}")
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
