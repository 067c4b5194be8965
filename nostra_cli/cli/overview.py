"""What `nostra --help` says."""

from __future__ import annotations

from nostra_cli.cli.words import TABLE
from nostra_cli.errors import ExitCode

EXAMPLES = (
    "nostra sandbox exec -- nostra download demo --wait",
    "nostra login && nostra download 4711 --wait -f csv",
)
_TEXT = """\
Follow invocations of the Nostradamus service and download their results.

Usage: nostra COMMAND [OPTIONS] [ID...]

Where to begin:
  without an account, with the sandbox that is built in:
    {}
  with the token of your account, which is asked for once:
    {}

Commands:
{}

Options:
  --version   Show the version.
  -h, --help  Show this; behind a command, the help of that command.

Exit codes:
{}
"""


def overview() -> str:
    """Give the help of the whole: where to begin, each command in a line, the exit codes."""
    rows = [line.split("\t") for line in TABLE.splitlines()]
    lines = [f"  {path:<10}{text}" for path, names, _, text in rows if not (names or " " in path)]
    codes = [f"  {int(code):<5}{code.meaning}" for code in ExitCode]
    return _TEXT.format(*EXAMPLES, "\n".join(lines), "\n".join(codes))
