"""Run a command line; the only place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nostra_cli import __version__
from nostra_cli.cli import interrupts
from nostra_cli.errors import (
    REPORT_HINT,
    Corrupt,
    ExitCode,
    FileProblem,
    NostraError,
    Signalled,
    system_error,
)
from nostra_cli.output.console import Output
from nostra_cli.output.streams import (
    Color,
    OutputOptions,
    flush_streams,
    secure_descriptors,
    use_color,
    wait_for_stdin,
)

if TYPE_CHECKING:
    from nostra_cli.cli.app import ParsedCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    secure_descriptors()
    wait_for_stdin()
    argv = sys.argv[1:] if argv is None else argv
    own = list(argv)[: argv.index("--")] if "--" in argv else argv
    options = output_options(own)
    out = Output(options, sys.stdout, sys.stderr)
    if "--ci" in own:
        out.in_lines()
    signals = interrupts.Signals(out)
    with signals.handled():  # until all is written: a TERM may follow an INT at any moment
        try:
            with signals.raised():
                parsed = _parsed(argv, use_color(sys.stdout, options.color, os.environ))
                if isinstance(parsed, str):
                    out.data.text(parsed)
                    code: int = ExitCode.DONE
                else:
                    out = signals.out = Output(parsed.shared.output, sys.stdout, sys.stderr)
                    code = parsed.run(out)
        except Signalled as signalled:
            _report_signal(out, signalled, argv)
            code = signalled.code
        except BrokenPipeError:
            code = ExitCode.PIPE
        except Exception as raised:  # noqa: BLE001 - no traceback for a user
            error = unexpected_error(raised)
            if signals.code is None:  # else the error is a consequence of the signal
                out.error(error)
            code = error.code
        finally:
            out.close()
            flush_streams()
    return code if signals.code is None else signals.code


def output_options(words: Sequence[str]) -> OutputOptions:
    """Return what words that may not be a valid command line ask of help and usage errors."""
    color = Color.AUTO
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        wanted = value if equals else following
        if name == "--color" and wanted in set(Color):
            color = Color(wanted)
    return OutputOptions(json="--json" in words, color=color)


def _parsed(argv: Sequence[str], bold: bool) -> ParsedCommand | str:
    """Return the command to run, or a text to show: help, the version, completions."""
    from nostra_cli.cli import app, completion  # loads Typer, which is slow

    if completion.VARIABLE in os.environ:
        return app.complete(os.environ.get("_TYPER_COMPLETE_ARGS", ""))
    return app.parse(argv, bold)


def _report_signal(out: Output, signalled: Signalled, argv: Sequence[str]) -> None:
    """Report what the run leaves behind, or with --json what ended it, too."""
    if out.options.json:
        out.error_object(signalled)
        return
    for note in getattr(signalled, "__notes__", ()):
        out.info(note)
    if signalled.kept:
        import shlex

        from nostra_cli.output.views import kept_text

        out.info(f"Kept {kept_text(signalled.kept)}. Run the same command to resume:")
        out.info(f"  nostra {shlex.join(argv)}")


def unexpected_error(error: Exception) -> NostraError:
    """Convert any exception: a limit of this machine, or a bug, whose text may be secret."""
    if isinstance(error, NostraError):
        return error
    if isinstance(error, MemoryError):
        return FileProblem("not enough memory", "free some memory, or use -j 1")
    if isinstance(error, RecursionError):
        return Corrupt("the data is nested too deeply", "report it to the service's support")
    if isinstance(error, OSError) and error.strerror:
        return system_error(error)
    return NostraError(
        f"internal error: {type(error).__name__} at {_place(error)} (nostra {__version__})",
        REPORT_HINT,
    )


def _place(error: Exception) -> str:
    """Return the line of this package that raised an error: `output/progress.py:114`."""
    import traceback

    package = Path(__file__).parents[1]
    place = "unknown"
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(package):
            place = f"{path.relative_to(package).as_posix()}:{line}"
    return place
