"""What `--help` shows: purpose, usage, examples, options, exit codes, where to read on."""

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
from nostra_cli.output.streams import Color

GET_STARTED = (
    ("nostra sandbox exec -- nostra download demo --wait", "without an account"),
    ("nostra login && nostra download 4711 --wait -f csv", "with your token"),
)
_MIN_WIDTH = 20
_TWO_COLUMNS = 60  # on a narrower terminal the text goes below the name
_NAME_WIDTH = 22


class Row(NamedTuple):
    """A command or an option as it is typed, and what it means."""

    name: str
    text: str


class Page:
    """A help text: sections wrapped to the width of the terminal, headings bold where it can."""

    def __init__(self, context: Any) -> None:
        """Take from the context how wide the terminal is and whether it takes escape codes."""
        self._width = max(context.terminal_width, _MIN_WIDTH)
        never = context.params.get("color") == Color.NEVER
        self._bold = bool(context.color) and not never
        self._sections: list[str] = []

    def text(self) -> str:
        """Give the sections with an empty line between them."""
        return "\n\n".join(self._sections) + "\n"

    def add_paragraphs(self, docstring: str | None) -> None:
        """Add the paragraphs of a docstring, without a heading; python -OO leaves none."""
        for paragraph in filter(None, inspect.cleandoc(docstring or "").split("\n\n")):
            self._sections.append("\n".join(self._wrap(paragraph)))

    def add_line(self, heading: str, text: str) -> None:
        """Add a text that begins beside its heading."""
        self._sections.append("\n".join(self.line(heading, text)))

    def add_lines(self, heading: str, lines: Iterable[str]) -> None:
        """Add lines as they are below a heading."""
        self._sections.append("\n".join([self._heading(heading), *lines]))

    def add_rows(self, heading: str, rows: Sequence[Row]) -> None:
        """Add names and what they mean below a heading."""
        self.add_lines(heading, self.columns(rows))

    def add_more(self, lines: Iterable[str]) -> None:
        """Add lines to the last section."""
        self._sections[-1] = "\n".join([self._sections[-1], *lines])

    def line(self, heading: str, text: str) -> list[str]:
        """Give a text that begins beside its heading."""
        wrapped = self._wrap(f"{heading}: {text}", indent="  ")
        wrapped[0] = wrapped[0].replace(f"{heading}:", self._heading(heading), 1)
        return wrapped

    def columns(self, rows: Sequence[Row]) -> Iterator[str]:
        """Give names and what they mean: in two columns where there is room for them."""
        names = [len(row.name) for row in rows if len(row.name) <= _NAME_WIDTH]
        column = max(names, default=0) + 4 if self._width >= _TWO_COLUMNS else 6
        for name, text in rows:
            lines = self._wrap(" " * column + text, indent=" " * column) or [""]
            if len(name) + 4 <= column:
                lines[0] = f"  {name}".ljust(column) + lines[0][column:]
            else:
                lines.insert(0, f"  {name}")
            yield from lines

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
    """Write the help of a command or a group; its module has examples, exit codes and a page."""
    page = Page(context)
    page.add_paragraphs(command.help)
    page.add_line("Usage", f"{context.command_path} {usage(command)}")
    page.add_more(page.columns([option_row(param) for param in operands(command)]))
    page.add_lines("Examples", (f"  {example}" for example in module.EXAMPLES))
    if commands := command_rows(command, context):
        page.add_rows("Commands", commands)
    options = [param for param in command.get_params(context) if not is_operand(param)]
    page.add_rows("Options", [option_row(param) for param in options])
    codes = ", ".join(str(int(code)) for code in module.CODES)
    page.add_line("Exit codes", f"{codes} (nostra --help explains them)")
    page.add_more(page.line("Docs", docs_url(module)))
    return page.text()


def write_overview(group: Any, context: Any, complete: bool = True) -> str:
    """Write the help of `nostra`: where to begin, the commands; if `complete`, all that is shared.

    What is left out makes it fit 24 rows: it is what `nostra` shows without arguments.
    """
    page = Page(context)
    page.add_paragraphs(group.help)
    page.add_line("Usage", "nostra COMMAND [OPTIONS] [ID...]")
    page.add_lines("Get started", (f"  {typed}  # {how}" for typed, how in GET_STARTED))
    page.add_rows("Commands", command_rows(group, context))
    if not complete:
        page.add_line("More", "nostra --help, nostra COMMAND --help")
        return page.text()
    page.add_rows("Options", [option_row(param) for param in group.get_params(context)])
    page.add_rows("Options of every command", [option_row(param) for param in shared_params()])
    page.add_rows("Exit codes", [Row(str(int(code)), code.meaning) for code in ExitCode])
    page.add_line("Docs", DOCS_URL)
    return page.text()


def docs_url(module: ModuleType) -> str:
    """Give the address of the page that describes a command."""
    return f"{DOCS_URL}/{module.DOCS}.md"


def usage(command: Any) -> str:
    """Give what is typed after the path of a command."""
    if hasattr(command, "commands"):
        return "COMMAND [OPTIONS]"
    return " ".join(["[OPTIONS]", *(param.metavar for param in operands(command))])


def operands(command: Any) -> list[Any]:
    """Give the parameters of a command that are operands, not options."""
    return [param for param in command.params if is_operand(param)]


def command_rows(group: Any, context: Any) -> list[Row]:
    """Give the commands of a group, each with the first line of its help; none if it has none."""
    commands = getattr(group, "commands", {})
    names = group.list_commands(context) if commands else ()
    return [Row(name, commands[name].short_help) for name in names]


def option_row(param: Any) -> Row:
    """Describe an option or an argument as it is typed, with its default where that is shown."""
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
    """Tell whether a parameter is an operand, not an option."""
    return bool(param.param_type_name == "argument")
