"""One line of what `nostra doctor` has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nostra_cli.errors import ExitCode, NostraError


class Health(StrEnum):
    """How it is; only an error changes the exit code."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and found; `origin` is where a setting comes from, None for the rest."""

    check: str
    status: Health
    detail: str
    hint: str = ""
    origin: str | None = None
    code: ExitCode = ExitCode.DONE


def fine(check: str, detail: str, origin: str | None = None) -> Finding:
    """Find that nothing is wrong."""
    return Finding(check, Health.OK, detail, origin=origin)


def warning(check: str, detail: str, hint: str) -> Finding:
    """Find what may be wrong, or could not be looked at."""
    return Finding(check, Health.WARNING, detail, hint)


def wrong(check: str, problem: NostraError) -> Finding:
    """Find what a command would fail with."""
    return Finding(check, Health.ERROR, problem.message, problem.hint, code=problem.code)
