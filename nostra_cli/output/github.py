"""What GitHub Actions reads: commands in the log, the outputs of a step, its summary.

The runner takes a line for a command that begins with `::`, and one that has `##[` anywhere. It
passes over white space at the start, and over invisible characters when it compares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nostra_cli.errors import DeadlinePassed, NostraError, NotReady
from nostra_cli.models import Outcome
from nostra_cli.units import show_size

if TYPE_CHECKING:
    from nostra_cli.output.views import View

T = TypeVar("T")

_AT_THE_START = re.compile(r"^([^!-~]*):(?=[^\x00-\x7f]*:)")
_ANYWHERE = re.compile(r"#(?=[^\x00-\x7f]*#[^\x00-\x7f]*\[)")
_MARKUP = re.compile(r"[!-,:-@\[-^`{-~]")  # all of ASCII's punctuation but - . / _
_WORST_LAST = (Outcome.COMPLETED, Outcome.IN_PROGRESS, Outcome.FAILED)
_SHOWN_IDS = 3
_MOST_ROWS = 1000  # GitHub drops a summary of more than 1 MiB


def harmless(line: str) -> str:
    r"""Give a line that is no command: what makes it one is an escape, `\x3a` or `\x23`."""
    return _ANYWHERE.sub(r"\\x23", _AT_THE_START.sub(r"\1\\x3a", line))


def harmless_json(text: str) -> str:
    """Give JSON text that is no command; the value stays the same."""
    return _ANYWHERE.sub(r"\\u0023", text)


def command(name: str, text: str = "") -> str:
    """Write a command for the log: `error`, `warning`, `group` or `endgroup`."""
    text = _ANYWHERE.sub(r"\\x23", text)
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{name}::{text}"


def title(words: str, ids: Sequence[str]) -> str:
    """Name the work on some ids, of which only the first ones are said."""
    more = f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""
    return " ".join([words, *ids[:_SHOWN_IDS]]) + more


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    return max(outcomes, key=_WORST_LAST.index)


@dataclass(slots=True)
class _Row:
    status: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)


class Report:
    """What became of each id, told to GitHub at the end of a command."""

    def __init__(self, name: str, ids: Sequence[str], sanitize: Callable[[str], str]) -> None:
        """Begin with nothing known of `ids`; `sanitize` neutralises what others wrote."""
        self._name = name
        self._sanitize = sanitize
        self._rows = {id_: _Row() for id_ in ids}
        self._beyond: list[Outcome] = []

    def add(self, view: View[T], item: T) -> None:
        """Take in an invocation, or a file, as `view` describes it."""
        said = view.as_json(item)
        row = self._rows[str(said["invocation"])]
        if "path" in view.columns:
            row.files.append((str(said["path"]), int(str(said["bytes"]))))
            row.outcomes.append(Outcome.COMPLETED)
        else:
            row.outcomes.append(Outcome(str(said["outcome"])))
            row.status = str(said["status"])

    def add_error(self, error: Exception) -> None:
        """Take in an error, of one id or of the whole command."""
        late = isinstance(error, NotReady | DeadlinePassed)
        outcome = Outcome.IN_PROGRESS if late else Outcome.FAILED
        if isinstance(error, NostraError) and error.invocation is not None:
            row = self._rows[error.invocation]
            row.outcomes.append(outcome)
            row.status = row.status or error.kind
        else:
            self._beyond.append(outcome)

    def write(self, env: Mapping[str, str]) -> str:
        """Append outputs and summary to the files that `env` names.

        Gives what went wrong in one line for a person, or nothing.
        """
        problems = []
        for name, text in (
            ("GITHUB_OUTPUT", self.outputs()),
            ("GITHUB_STEP_SUMMARY", self.summary()),
        ):
            if not env.get(name):
                problems.append(f"{name} is not set")
                continue
            try:
                with Path(env[name]).open("ab") as file:
                    file.write(text.encode("utf-8", "surrogateescape"))
            except (OSError, ValueError) as error:
                problems.append(f"cannot write to {name}: {getattr(error, 'strerror', error)}")
        return "; ".join(problems)

    def outputs(self) -> str:
        """Write the outputs `status`, the worst of all ids, and `paths`, one a line."""
        unknown = [Outcome.IN_PROGRESS]  # nobody said that it ended
        each = [_worst(row.outcomes or unknown) for row in self._rows.values()]
        paths = [f"{path}\n" for row in self._rows.values() for path, _ in row.files]
        end = f"nostra-{os.urandom(16).hex()}"  # no path can have it as a line of its own
        return f"status={_worst([*each, *self._beyond])}\npaths<<{end}\n{''.join(paths)}{end}\n"

    def summary(self) -> str:
        """Write the table of ids, their statuses and their files with sizes, as Markdown."""
        rows = [
            f"| {self._cell(id_)} | {self._cell(self._status(row))} | {self._files(row)} |\n"
            for id_, row in list(self._rows.items())[:_MOST_ROWS]
        ]
        left = len(self._rows) - len(rows)
        more = f"\nand {left} more\n" if left else ""
        table = "".join(["| id | status | files |\n|---|---|---|\n", *rows])
        return f"\n### nostra {self._name}\n\n{table}{more}\n"

    def _status(self, row: _Row) -> str:
        if row.files:
            return row.status or Outcome.COMPLETED
        return row.status or ("unknown" if Outcome.FAILED in self._beyond else Outcome.IN_PROGRESS)

    def _files(self, row: _Row) -> str:
        return "<br>".join(f"{self._cell(path)} ({show_size(size)})" for path, size in row.files)

    def _cell(self, text: str) -> str:
        """Give text for a cell: no character of it has a meaning in Markdown or HTML."""
        return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", self._sanitize(text))
