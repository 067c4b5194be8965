"""GitHub Actions: commands in the log, the outputs of a step, its summary.

The runner takes a line that begins with `::` or has `##[` anywhere as a command. It ignores white
space at the start, and invisible characters when it compares.
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


def escape_workflow_commands(line: str) -> str:
    r"""Return a line that is not a command: `\x3a` or `\x23` replaces what makes it one."""
    return _ANYWHERE.sub(r"\\x23", _AT_THE_START.sub(r"\1\\x3a", line))


def escape_json(text: str) -> str:
    """Return JSON text that is not a command; the value stays the same."""
    return _ANYWHERE.sub(r"\\u0023", text)


def command(name: str, text: str = "", title: str = "") -> str:
    """Return a command for the log: `error` or `warning`, with a title, `group` or `endgroup`."""
    parameters = f" title={_escape_parameter(title)}" if title else ""
    return f"::{name}{parameters}::{_escape_message(text)}"


def _escape_message(text: str) -> str:
    text = _ANYWHERE.sub(r"\\x23", text)
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_parameter(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")


def group_title(name: str, ids: Sequence[str]) -> str:
    """Return a title with the first of some ids."""
    more = f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""
    return " ".join([name, *ids[:_SHOWN_IDS]]) + more


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    return max(outcomes, key=_WORST_LAST.index)


@dataclass(slots=True)
class _Row:
    status: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)


class Report:
    """The outcome of each id, reported to GitHub at the end of a command."""

    def __init__(self, name: str, ids: Sequence[str], sanitize: Callable[[str], str]) -> None:
        """Begin without outcomes of `ids`; `sanitize` neutralises text for the summary."""
        self.name = name
        self._sanitize = sanitize
        self._rows = {id_: _Row() for id_ in ids}
        self._other_outcomes: list[Outcome] = []
        self._failures: list[str] = []

    def add(self, view: View[T], item: T) -> None:
        """Add an invocation, or a file, as `view` describes it."""
        described = view.as_json(item)
        row = self._rows[str(described["invocation"])]
        if "path" in view.columns:
            row.files.append((str(described["path"]), int(str(described["bytes"]))))
            row.outcomes.append(Outcome.COMPLETED)
        else:
            row.outcomes.append(Outcome(str(described["outcome"])))
            row.status = str(described["status"])

    def add_error(self, error: Exception) -> None:
        """Add an error, of one id or of the command."""
        late = isinstance(error, NotReady | DeadlinePassed)
        outcome = Outcome.IN_PROGRESS if late else Outcome.FAILED
        if not isinstance(error, NostraError):
            self._failures.append(f"internal error: {type(error).__name__}")
        else:
            self._failures.append(error.message)
            if error.invocation in self._rows:
                row = self._rows[error.invocation]
                row.outcomes.append(outcome)
                row.status = row.status or error.kind
                return
        self._other_outcomes.append(outcome)

    def write(self, env: Mapping[str, str]) -> str:
        """Append outputs and summary to the files that `env` names; return the problems."""
        problems = []
        for name, text in (
            ("GITHUB_OUTPUT", self.outputs()),
            ("GITHUB_STEP_SUMMARY", self.summary(artifacts_url(env))),
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
        """Return the outputs `status`, the worst of all ids, and `paths`, one a line."""
        unknown = [Outcome.IN_PROGRESS]  # it may not have ended
        each = [_worst(row.outcomes or unknown) for row in self._rows.values()]
        worst = _worst([*each, *self._other_outcomes])
        paths = [f"{path}\n" for row in self._rows.values() for path, _ in row.files]
        end = f"nostra-{os.urandom(16).hex()}"  # cannot be a line of a path
        return f"status={worst}\npaths<<{end}\n{''.join(paths)}{end}\n"

    def summary(self, url: str = "") -> str:
        """Return ids, statuses, files (with links to `url`, if any) and failures as Markdown."""
        rows = [
            f"| {self._text(id_)} | {self._text(self._status(row))} | {self._files(row, url)} |\n"
            for id_, row in self._rows.items()
        ]
        table = "".join(["| id | status | files |\n|---|---|---|\n", *rows])
        failures = "".join(f"- {self._text(message)}\n" for message in self._failures)
        if failures:
            failures = f"\nFailures:\n\n{failures}"
        return f"\n### {self.name}\n\n{table}{failures}\n"

    def _status(self, row: _Row) -> str:
        if row.files:
            return row.status or Outcome.COMPLETED
        failed = Outcome.FAILED in self._other_outcomes
        return row.status or ("unknown" if failed else Outcome.IN_PROGRESS)

    def _files(self, row: _Row, url: str) -> str:
        names = ((self._text(path), show_size(size)) for path, size in row.files)
        return "<br>".join(
            f"[{name}]({url}) ({size})" if url else f"{name} ({size})" for name, size in names
        )

    def _text(self, text: str) -> str:
        """Escape every character with a meaning in Markdown or HTML."""
        return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", self._sanitize(text))


def artifacts_url(env: Mapping[str, str]) -> str:
    """Return the URL that lists the run's artifacts, or an empty text."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (env.get(name) for name in names)
    known = server and repository and run
    return f"{server}/{repository}/actions/runs/{run}#artifacts" if known else ""
