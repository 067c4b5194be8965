"""The options and arguments that commands share, and their parsers."""

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.models import ArgumentInfo, OptionInfo

from nostra_cli import units
from nostra_cli.cli import completion
from nostra_cli.cli.usage import invalid_choice
from nostra_cli.errors import UsageProblem
from nostra_cli.models import decode_text
from nostra_cli.output.streams import Color, OutputOptions

if TYPE_CHECKING:
    from nostra_cli.config.settings import Flags

Parser = Callable[[str], object]
Completer = Callable[..., list[str]]


def _typer_parser(parse: Parser | None) -> Parser | None:
    """Convert the errors of a parser to Typer's."""

    def parsed(text: Any) -> object:
        if not isinstance(text, str):  # Typer parses the default, too
            return text
        try:
            return parse(text) if parse else text
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        except UsageProblem as problem:  # its hint is kept
            raise typer.BadParameter(problem.message) from problem

    return parsed if parse else None


def check_id(text: str) -> str:
    """Return an invocation id; raises ValueError if it cannot be one segment of a URL."""
    from nostra_cli.models import MAX_ID, is_segment, quote_id

    text = decode_text(text)
    if is_segment(text):
        return text
    if len(text) > MAX_ID / 4:
        reason = f"longer than {MAX_ID} bytes, or with control characters"
    else:
        reason = "empty, a dot name or with control characters"
    raise ValueError(f"{quote_id(text)} is not a valid id: {reason}")


def is_path(text: str) -> bool:
    """Return whether an operand is a file, not an id: it has a path separator."""
    return os.sep in text or bool(os.altsep and os.altsep in text)


def _target(text: str) -> str:
    return text if is_path(text) else check_id(text)


def option(
    declaration: str,
    help: str,
    *,
    parser: Parser | None = None,
    complete: Completer | None = None,
) -> OptionInfo:
    """Declare an option as help shows it: `-o, --output FILE`; its default is in the signature."""
    names, _, metavar = declaration.replace(", ", ",").partition(" ")
    info: OptionInfo = typer.Option(
        *names.split(","),
        help=help,
        metavar=metavar or None,
        parser=_typer_parser(parser),
        autocompletion=complete,
    )
    return info


def argument(
    metavar: str, help: str, *, parser: Parser | None = None, complete: Completer | None = None
) -> ArgumentInfo:
    """Declare an argument."""
    info: ArgumentInfo = typer.Argument(
        metavar=metavar, help=help, parser=_typer_parser(parser), autocompletion=complete
    )
    return info


def one_of(*values: str) -> dict[str, Any]:
    """Return the parser and the completion of an option or argument with a few valid values."""

    def parse(text: str) -> str:
        if text not in values:
            raise invalid_choice(text, values)
        return text

    return {"parser": parse, "complete": lambda: list(values)}  # Typer filters the candidates


def number(low: int, high: int) -> Parser:
    """Return the parser of a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) < 9
        if not digits or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a number from {low} to {high:,}")
        return int(text)

    return parse


def result_id(help: str) -> OptionInfo:
    """Declare the option that names a result."""
    complete = completion.results
    return option("-r, --result RESULT_ID", help, parser=check_id, complete=complete)


Ids = Annotated[
    list[str], argument("ID...", "Invocation ids; - reads them from stdin", complete=completion.ids)
]
Id = Annotated[
    str,
    argument(
        "ID", "Invocation id; - reads it from stdin", parser=check_id, complete=completion.ids
    ),
]
Target = Annotated[
    str,
    argument(
        "ID",
        "Invocation id, or the path of a local file (./FILE); - reads the id from stdin",
        parser=_target,
        complete=completion.ids_or_files,
    ),
]
Timeout = Annotated[
    float | None,
    option(
        "--timeout DURATION",
        "Deadline: 90, 90s, 15m, 2h (default: none)",
        parser=units.parse_duration,
    ),
]
Interval = Annotated[
    float | None,
    option(
        "--interval DURATION",
        "Fixed polling interval (default: grows from 1s to 30s)",
        parser=units.parse_duration,
    ),
]
Ci = Annotated[
    bool | None, option("--ci/--no-ci", "Plain output, annotations under GitHub Actions")
]


class SharedOptions(NamedTuple):
    """The options that every command takes."""

    profile: Annotated[
        str | None,
        option(
            "--profile NAME",
            "Profile of the config file",
            parser=decode_text,
            complete=completion.profiles,
        ),
    ] = None
    base_url: Annotated[str | None, option("--base-url URL", "Base URL of the service")] = None
    json: Annotated[bool, option("--json", "JSON on stdout, as in docs/machine-output.md")] = False
    quiet: Annotated[bool, option("-q, --quiet", "Only data and errors")] = False
    verbose: Annotated[bool, option("-v, --verbose", "HTTP trace on stderr, secrets redacted")] = (
        False
    )
    color: Annotated[
        Color,
        option("--color WHEN", "Colour: auto, always or never", **one_of(*Color)),
    ] = Color.AUTO

    @property
    def flags(self) -> "Flags":
        """The options that are settings."""
        from nostra_cli.config.settings import Flags

        return Flags(self.profile, self.base_url)

    @property
    def output(self) -> OutputOptions:
        """The options of the output."""
        return OutputOptions(self.json, self.quiet, self.verbose, Color(self.color))


@cache
def shared_params() -> tuple[Any, ...]:
    """Return Typer's parameters of the shared options."""
    app = typer.Typer(add_completion=False)
    app.command()(SharedOptions)
    return tuple(typer.main.get_command(app).params)
