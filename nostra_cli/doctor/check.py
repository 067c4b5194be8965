"""One result of `nostra doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nostra_cli.errors import ExitCode, NostraError


class Status(StrEnum):
    """How a check ended; only an error changes the exit code."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a check; `origin` is that of a setting, None otherwise.

    It was `skipped` if another check reports the reason.
    """

    name: str
    status: Status
    detail: str
    hint: str = ""
    origin: str | None = None
    code: ExitCode = ExitCode.DONE
    skipped: bool = False


def passed(name: str, detail: str, origin: str | None = None) -> Check:
    """Report that nothing is wrong."""
    return Check(name, Status.OK, detail, origin=origin)


def warning(name: str, detail: str, hint: str) -> Check:
    """Report a possible problem, or a check that was not possible."""
    return Check(name, Status.WARNING, detail, hint)


def skipped(name: str, detail: str, other: str) -> Check:
    """Report a check that was not possible; the check `other` reports the reason."""
    return Check(name, Status.WARNING, detail, f"see {other}", skipped=True)


def failed(name: str, problem: NostraError) -> Check:
    """Report an error that a command would end with."""
    return Check(name, Status.ERROR, problem.message, problem.hint, code=problem.code)
