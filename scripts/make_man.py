"""Write `man/nostra.1` from the app; a test holds it equal."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

from nostra_cli import DOCS_URL
from nostra_cli.cli.help import GET_STARTED, docs_url, option_row
from nostra_cli.cli.params import shared_params
from nostra_cli.config.settings import TABLE
from nostra_cli.errors import ExitCode
from scripts.app_tree import Leaf, leaves

TARGET = Path(__file__).parent.parent / "man" / "nostra.1"
ENVIRONMENT = {
    "NOSTRA_CONFIG": "The config file.",
    **{variable.name: variable.help for row in TABLE for variable in row.variables},
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "Proxies, and the hosts that are reached without one.",
    "SSL_CERT_FILE, SSL_CERT_DIR": "Certificate authorities to trust instead of the system's.",
    "NO_COLOR": "No colour, if not empty.",
    "XDG_CONFIG_HOME, XDG_STATE_HOME": "Directories of the files below.",
}
FILES = {
    "~/.config/nostra/config.toml": "Profiles with their tokens and settings, mode 0600.",
    "~/.local/state/nostra/history.json": (
        "Ids that were used, for completion; never a token. "
        "history = false in a profile switches it off."
    ),
    ".NAME.part": "Partial file of a download, beside its target.",
}


def escaped(text: str) -> str:
    """Give text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    text = text.replace("'", "\\(aq").replace("^", "\\(ha").replace("`", "\\(ga")
    return "\n".join(f"\\&{line}" if line[:1] == "." else line for line in text.split("\n"))


def paragraphs(text: str) -> Iterator[str]:
    """Give a docstring's paragraphs."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        yield ".PP"
        yield escaped(" ".join(paragraph.split()))


def definitions(records: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Give a list of words and what they mean."""
    for word, text in records:
        yield from (".TP", f"\\fB{escaped(word)}\\fR", escaped(" ".join(text.split())))


def examples(lines: Iterable[str]) -> Iterator[str]:
    """Give command lines as they are typed."""
    yield from (".PP", ".RS 4", ".EX", *(escaped(line) for line in lines), ".EE", ".RE")


def command(leaf: Leaf) -> Iterator[str]:
    """Give the section of a command."""
    yield f'.SS "nostra {escaped(leaf.path)}"'
    yield f"\\fBnostra {escaped(leaf.path)}\\fR {escaped(leaf.usage)}"
    yield from paragraphs(leaf.help)
    yield from definitions(leaf.own)
    yield from examples(leaf.module.EXAMPLES)
    codes = ", ".join(str(int(code)) for code in leaf.module.CODES)
    yield from (".PP", f"Exit codes: {codes}.", ".br", escaped(docs_url(leaf.module)))


def page() -> Iterator[str]:
    """Give the lines of the page."""
    yield '.\\" Made by scripts/make_man.py from the app.'
    yield '.TH NOSTRA 1 "" "nostra" "User Commands"'
    yield from (".SH NAME", "nostra \\- follow invocations of the Nostradamus service")
    yield from (".SH SYNOPSIS", "\\fBnostra\\fR COMMAND [OPTIONS] [ID...]")
    yield ".SH DESCRIPTION"
    yield "Shows the status of invocations, waits for them, lists and downloads their results."
    yield "Data go to stdout, messages to stderr. A pipe gets tab\\-separated lines."
    for typed, how in GET_STARTED:
        yield from (".PP", f"{how.capitalize()}:", *examples([typed]))
    yield ".SH COMMANDS"
    for leaf in leaves():
        yield from command(leaf)
    yield ".SH OPTIONS"
    yield "Options of every command, after its name:"
    yield from definitions(option_row(param) for param in shared_params())
    yield from definitions([("-h, --help", "Show the help of the command")])
    yield from (".PP", "Without a command:", *definitions([("--version", "Show the version")]))
    yield ".SH EXIT STATUS"
    yield from definitions((str(int(code)), code.meaning) for code in ExitCode)
    yield from (".SH ENVIRONMENT", *definitions(ENVIRONMENT.items()))
    yield from (".SH FILES", *definitions(FILES.items()))
    yield from (".SH SEE ALSO", escaped(DOCS_URL))


def text() -> str:
    """Give the text of the page."""
    return "\n".join(page()) + "\n"


def main() -> None:
    """Write it."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
