"""Write `man/nostra.1` from the app; a test holds it equal."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path

from nostra_cli.cli.overview import EXAMPLES
from nostra_cli.config.settings import TABLE
from nostra_cli.errors import ExitCode
from scripts.app_tree import Leaf, leaves

TARGET = Path(__file__).parent.parent / "man" / "nostra.1"
SHARED = "Options of every command"
ENVIRONMENT = {
    "NOSTRA_CONFIG": "The config file.",
    **{variable.name: variable.help for row in TABLE for variable in row.variables},
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "Proxies, and the hosts that need none.",
    "SSL_CERT_FILE": "The certificate authorities to trust.",
    "NO_COLOR": "Not empty: no colour.",
    "XDG_CONFIG_HOME, XDG_STATE_HOME": "Where the files below are.",
}
FILES = {
    "~/.config/nostra/config.toml": "Profiles with their tokens and settings; give it mode 0600.",
    "~/.local/state/nostra/history.json": (
        "The ids that were used, for completion; never a token. "
        "history = false in a profile switches it off."
    ),
    ".NAME.part": "What came of a download that is not complete, beside its target.",
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
    module = importlib.import_module(f"nostra_cli.cli.commands.{leaf.path.split()[0]}")
    yield f'.SS "nostra {escaped(leaf.path)}"'
    yield f"\\fBnostra {escaped(leaf.path)}\\fR {escaped(leaf.usage)}"
    yield from paragraphs(leaf.help)
    for heading, records in leaf.by_heading.items():
        if heading != SHARED:
            yield from definitions(records)
    yield from examples(module.EXAMPLES)
    codes = ", ".join(str(int(code)) for code in module.CODES)
    yield from (".PP", f"Exit codes: {codes}.")


def page() -> Iterator[str]:
    """Give the lines of the page."""
    found = list(leaves())
    yield '.\\" Made by scripts/make_man.py from the app.'
    yield '.TH NOSTRA 1 "" "nostra" "User Commands"'
    yield from (".SH NAME", "nostra \\- follow invocations of the Nostradamus service")
    yield from (".SH SYNOPSIS", "\\fBnostra\\fR COMMAND [OPTIONS] [ID...]")
    yield ".SH DESCRIPTION"
    yield "Asks for the status of an invocation, waits for it, lists its results, downloads them."
    yield "Data go to stdout, all else to stderr. In a pipe they are lines with tabs in between."
    yield from (".PP", "Without an account, with the sandbox that is built in:")
    yield from examples(EXAMPLES[:1])
    yield from (".PP", "With the token of your account, which is asked for once:")
    yield from examples(EXAMPLES[1:])
    yield ".SH COMMANDS"
    for leaf in found:
        yield from command(leaf)
    yield ".SH OPTIONS"
    yield from (SHARED + ", behind its name:", *definitions(found[0].by_heading[SHARED]))
    yield from (".PP", "Alone:", *definitions([("--version", "Show the version.")]))
    yield ".SH EXIT STATUS"
    yield from definitions((str(int(code)), code.meaning) for code in ExitCode)
    yield from (".SH ENVIRONMENT", *definitions(ENVIRONMENT.items()))
    yield from (".SH FILES", *definitions(FILES.items()))


def text() -> str:
    """Give the text of the page."""
    return "\n".join(page()) + "\n"


def main() -> None:
    """Write it."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
