"""The options and arguments that commands share, and their parsers."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

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

T = TypeVar("T")
Completer = Callable[..., list[str]]


def _parser(parse: Callable[[str], T]) -> Callable[[str], T]:
    def parsed(text: str | T) -> T:
        if not isinstance(text, str):  # Typer parses the default, too
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        except UsageProblem as problem:  # its hint is kept
            raise typer.BadParameter(problem.message) from problem

    return parsed


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
    *names: str,
    help: str,
    metavar: str | None = None,
    parser: Callable[[str], object] | None = None,
    complete: Completer | None = None,
    show_default: bool = True,
    is_eager: bool = False,
) -> OptionInfo:
    """Declare an option; its default is in the command's signature."""
    info: OptionInfo = typer.Option(
        *names,
        help=help,
        metavar=metavar,
        parser=_parser(parser) if parser else None,
        autocompletion=complete,
        show_default=show_default,
        is_eager=is_eager,
    )
    return info


def choice(
    *names: str,
    values: Sequence[str],
    help: str,
    metavar: str | None = None,
    is_eager: bool = False,
) -> OptionInfo:
    """Declare an option with a few valid values."""
    return option(
        *names,
        help=help,
        metavar=metavar or "|".join(values),
        parser=_one_of(values),
        complete=_words(values),
        is_eager=is_eager,
    )


def choice_argument(metavar: str, values: Sequence[str], help: str) -> ArgumentInfo:
    """Declare an argument with a few valid values."""
    info: ArgumentInfo = typer.Argument(
        metavar=metavar,
        help=help,
        parser=_parser(_one_of(values)),
        autocompletion=_words(values),
    )
    return info


def _one_of(values: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise invalid_choice(text, values)
        return text

    return parse


def _words(values: Sequence[str]) -> Completer:
    return lambda: list(values)  # Typer filters them by what was typed


Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Invocation ids; - reads them from stdin",
        autocompletion=completion.ids,
    ),
]
Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Invocation id; - reads it from stdin",
        parser=_parser(check_id),
        autocompletion=completion.ids,
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Invocation id, or the path of a local file (./FILE); - reads the id from stdin",
        parser=_parser(_target),
        autocompletion=completion.ids,
    ),
]
Timeout = Annotated[
    float | None,
    option(
        "--timeout",
        metavar="DURATION",
        help="Deadline: 90, 90s, 15m, 2h (default: none)",
        parser=units.parse_duration,
    ),
]
Interval = Annotated[
    float | None,
    option(
        "--interval",
        metavar="DURATION",
        help="Fixed polling interval (default: grows from 1s to 30s)",
        parser=units.parse_duration,
    ),
]
Ci = Annotated[
    bool | None,
    option("--ci/--no-ci", help="Plain output, annotations under GitHub Actions"),
]


class SharedOptions(NamedTuple):
    """The options that every command takes."""

    profile: Annotated[
        str | None,
        option(
            "--profile",
            metavar="NAME",
            help="Profile of the config file",
            parser=decode_text,
            complete=completion.profiles,
        ),
    ] = None
    base_url: Annotated[
        str | None, option("--base-url", metavar="URL", help="Base URL of the service")
    ] = None
    json: Annotated[bool, option("--json", help="JSON on stdout, as in docs/machine-output.md")] = (
        False
    )
    quiet: Annotated[bool, option("-q", "--quiet", help="Only data and errors")] = False
    verbose: Annotated[
        bool, option("-v", "--verbose", help="HTTP trace on stderr, secrets redacted")
    ] = False
    color: Annotated[
        Color,
        choice(
            "--color",
            values=tuple(Color),
            metavar="WHEN",
            help="Colour: auto, always or never",
            is_eager=True,
        ),
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
