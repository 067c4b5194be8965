"""Format `--help`: purpose, usage, examples, options, exit codes, link to the docs."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import typer

from nostra_cli import DOCS_URL
from nostra_cli.cli.params import shared_params
from nostra_cli.errors import ExitCode

GET_STARTED = (
    ("nostra sandbox exec -- nostra download demo --wait", "without an account"),
    ("nostra login && nostra download 4711 --wait -f csv", "with your token"),
)
_MIN_WIDTH = 20
_TWO_COLUMNS = 60  # on a narrower terminal the text goes below the name
_NAME_WIDTH = 22


class Row(NamedTuple):
    """A command or an option as it is typed, and its description."""

    name: str
    text: str


class Page:
    """Format sections for the width of the terminal, with bold headings if it supports them."""

    def __init__(self, context: Any) -> None:
        """Read the width and the colour mode from the context."""
        self._width = max(context.terminal_width, _MIN_WIDTH)
        self._bold = bool(context.color)

    def paragraphs(self, docstring: str | None) -> list[str]:
        """Format each paragraph of a docstring; python -OO has no docstrings."""
        paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
        return ["\n".join(self._wrap(paragraph)) for paragraph in filter(None, paragraphs)]

    def line(self, heading: str, text: str) -> str:
        """Format a text that starts beside its heading."""
        wrapped = "\n".join(self._wrap(f"{heading}: {text}", indent="  "))
        return wrapped.replace(f"{heading}:", self._heading(heading), 1)

    def block(self, heading: str, lines: Iterable[str]) -> str:
        """Format a heading with lines below it."""
        return "\n".join([self._heading(heading), *lines])

    def columns(self, rows: Sequence[Row]) -> Iterator[str]:
        """Format names and texts, in two columns if there is room."""
        names = [len(row.name) for row in rows if len(row.name) <= _NAME_WIDTH]
        column = max(names, default=0) + 4 if self._width >= _TWO_COLUMNS else 6
        for name, text in rows:
            lines = self._wrap(" " * column + text, indent=" " * column) or [""]
            if len(name) + 4 <= column:
                lines[0] = f"  {name}".ljust(column) + lines[0][column:]
            else:
                lines.insert(0, f"  {name}")
            yield from lines

    def options(self, heading: str, params: Iterable[Any]) -> str:
        """Format the rows of options below a heading."""
        return self.block(heading, self.columns([option_row(param) for param in params]))

    def _heading(self, text: str) -> str:
        return typer.style(f"{text}:", bold=True) if self._bold else f"{text}:"

    def _wrap(self, text: str, indent: str = "") -> list[str]:
        return textwrap.wrap(
            text,
            self._width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def write_help(command: Any, context: Any, module: ModuleType) -> str:
    """Format the help of a command or a group; its module has examples, exit codes and a page."""
    page = Page(context)
    path = context.command_path
    arguments = page.columns([option_row(param) for param in operands(command)])
    sections = [
        *page.paragraphs(command.help),
        "\n".join([page.line("Usage", f"{path} {usage(command)}"), *arguments]),
        page.block("Examples", (f"  {example}" for example in module.EXAMPLES)),
    ]
    if hasattr(command, "commands"):
        sections.append(page.block("Commands", page.columns(command_rows(command, context))))
    options = (param for param in command.get_params(context) if not is_operand(param))
    codes = ", ".join(str(int(code)) for code in module.CODES)
    sections += [
        page.options("Options", options),
        page.line("Exit codes", f"{codes} (nostra --help explains them)")
        + "\n"
        + page.line("Docs", docs_url(module)),
    ]
    return "\n\n".join(sections) + "\n"


def write_overview(group: Any, context: Any, complete: bool = True) -> str:
    """Format the help of `nostra`; unless `complete`, the 24 rows it shows without arguments."""
    page = Page(context)
    sections = [
        *page.paragraphs(group.help),
        page.line("Usage", "nostra COMMAND [OPTIONS] [ID...]"),
        page.block("Get started", (f"  {typed}  # {how}" for typed, how in GET_STARTED)),
        page.block("Commands", page.columns(command_rows(group, context))),
    ]
    if complete:
        codes = [Row(str(int(code)), code.meaning) for code in ExitCode]
        sections += [
            page.options("Options", group.get_params(context)),
            page.options("Options of every command", shared_params()),
            page.block("Exit codes", page.columns(codes)),
            page.line("Docs", DOCS_URL),
        ]
    else:
        sections.append(page.line("More", "nostra --help, nostra COMMAND --help"))
    return "\n\n".join(sections) + "\n"


def docs_url(module: ModuleType) -> str:
    """Return the URL of the page that describes a command."""
    return f"{DOCS_URL}/{module.DOCS}.md"


def usage(command: Any) -> str:
    """Return the usage line of a command, without its name."""
    if hasattr(command, "commands"):
        return "COMMAND [OPTIONS]"
    return " ".join(["[OPTIONS]", *(param.metavar for param in operands(command))])


def operands(command: Any) -> list[Any]:
    """Return the parameters of a command that are not options."""
    return [param for param in command.params if is_operand(param)]


def command_rows(group: Any, context: Any) -> list[Row]:
    """Return the commands of a group, each with the first line of its help."""
    return [Row(name, group.commands[name].short_help) for name in group.list_commands(context)]


def option_row(param: Any) -> Row:
    """Describe an option or an argument, with its default if that is shown."""
    if is_operand(param):
        return Row(param.metavar, param.help)
    names = ", ".join(sorted([*param.opts, *param.secondary_opts], key=len))
    if param.name == "help":
        return Row(names, "Show this help")
    text = param.help
    if param.show_default and param.default not in (None, False):
        text += f" (default: {param.default})"
    return Row(names if param.is_flag else f"{names} {param.metavar}", text)


def is_operand(param: Any) -> bool:
    """Return whether a parameter is an operand, not an option."""
    return bool(param.param_type_name == "argument")
