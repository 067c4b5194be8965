"""How each kind of value is shown: its columns, and its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from nostra_cli.models import (
    Format,
    Invocation,
    JsonObject,
    Outcome,
    Result,
    decode_text,
    outcome_of,
)
from nostra_cli.units import show_duration, show_size

if TYPE_CHECKING:
    from pathlib import Path

    from nostra_cli.api.schedule import Waited
    from nostra_cli.config.text import Shown
    from nostra_cli.doctor.check import Check
    from nostra_cli.downloads.transfer import TransferResult
    from nostra_cli.errors import KeptPart, NostraError, Signalled

T = TypeVar("T")


class View(NamedTuple, Generic[T]):
    """How values of one kind are shown.

    `as_lines`: JSON is one object a line, not one array. `bare`: lines on a terminal, too.
    `outcome` maps a word in the column `status` to its meaning, for the colour; `total` sums up
    items and the seconds that they took.
    """

    columns: tuple[str, ...]
    row: Callable[[T], tuple[str, ...]]
    as_json: Callable[[T], JsonObject]
    as_lines: bool = False
    bare: bool = False
    outcome: Callable[[str], Outcome] = outcome_of
    total: Callable[[Sequence[T], float], str] | None = None


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _invocation_json(invocation: Invocation) -> JsonObject:
    """Return the keys of the service, with the requested id and the outcome added."""
    return {**invocation.raw, "invocation": invocation.id, "outcome": str(invocation.outcome)}


def _waited_json(waited: Waited) -> JsonObject:
    end = waited.transitions[-1]
    return {
        **_invocation_json(waited.invocation),
        "at": _time_of_day(end.at),
        "waited": round(end.waited, 3),
        "transitions": [
            {"status": seen.status, "at": _time_of_day(seen.at)} for seen in waited.transitions
        ],
    }


def _time_of_day(seconds: float) -> str:
    """Format seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _result_row(result: Result) -> tuple[str, ...]:
    formats = (_yes(f in result.formats) for f in Format)
    return result.id, _yes(result.primary), result.status, *formats


def _result_json(result: Result) -> JsonObject:
    return {
        "result": result.id,
        "primary": result.primary,
        "status": result.status,
        **{str(f): f in result.formats for f in Format},
    }


def _transfer_json(result: TransferResult) -> JsonObject:
    return {
        "invocation": result.item.invocation,
        "result": result.item.result.id,
        "format": str(result.item.format),
        "path": decode_text(str(result.item.path)),
        "bytes": result.bytes,
        "sha256": result.sha256,
        "seconds": round(result.seconds, 3),
        "resumed": result.resumed,
        "status": result.status,
    }


def _downloads_total(results: Sequence[TransferResult], seconds: float) -> str:
    """Sum up downloads: `20 files, 231 KiB in 0.4 s`."""
    made = [result for result in results if result.status != "skipped"]
    skipped = len(results) - len(made)
    size = show_size(sum(result.bytes for result in made))
    took = f"{seconds:.1f} s" if seconds < 10 else show_duration(seconds)
    files = "1 file" if len(made) == 1 else f"{len(made)} files"
    return f"{files}, {size} in {took}" + (f", {skipped} skipped" if skipped else "")


def _check_row(check: Check) -> tuple[str, ...]:
    origin = f" ({check.origin})" if check.origin is not None else ""
    return str(check.status), check.name, f"{check.detail}{origin}", check.hint


def _check_json(check: Check) -> JsonObject:
    described: JsonObject = {
        "check": check.name,
        "status": str(check.status),
        "detail": check.detail,
        "hint": check.hint,
    }
    return described if check.origin is None else {**described, "origin": check.origin}


def _health(status: str) -> Outcome:
    return {"ok": Outcome.COMPLETED, "error": Outcome.FAILED}.get(status, Outcome.IN_PROGRESS)


def kept_text(parts: Sequence[KeptPart]) -> str:
    """Describe kept partial files: `141 MiB of a.csv`, `144 MiB of 2 files`."""
    what = parts[0].target if len(parts) == 1 else f"{len(parts)} files"
    return f"{show_size(sum(part.size for part in parts))} of {what}"


def advice(error: NostraError | Signalled) -> str:
    """Return the hint of an error, with the partial files that the next run continues."""
    if not error.kept:
        return error.advice
    kept = f"kept {kept_text(error.kept)}; the same command resumes"
    return f"{kept}; {error.advice}" if error.advice else kept


def error_json(error: NostraError | Signalled) -> JsonObject:
    """Describe an error as `--json` does."""
    return {
        "code": int(error.code),
        "kind": error.kind,
        "message": error.message,
        "hint": advice(error),
    }


STATUSES: View[Invocation] = View(
    ("invocation", "status"), lambda item: (item.id, item.status), _invocation_json
)
WAITED: View[Waited] = View(
    ("invocation", "status"),
    lambda item: (item.invocation.id, item.invocation.status or "(not known)"),
    _waited_json,
    as_lines=True,
)
RESULTS = View(
    ("result", "primary", "status", *(str(f) for f in Format)), _result_row, _result_json
)
DOWNLOADS: View[TransferResult] = View(
    ("path",),
    lambda result: (str(result.item.path),),
    _transfer_json,
    bare=True,
    total=_downloads_total,
)
SETTINGS: View[Shown] = View(
    ("key", "value", "origin"),
    lambda shown: (shown.key, shown.text, shown.origin),
    lambda shown: {"key": shown.key, "value": shown.value, "origin": shown.origin},
)
SETTING = SETTINGS._replace(
    columns=("value",), row=lambda shown: (shown.text,), as_lines=True, bare=True
)
PATH: View[Path] = View(
    ("path",), lambda path: (str(path),), lambda path: {"path": str(path)}, as_lines=True, bare=True
)
CHECKS = View(("status", "check", "detail", "hint"), _check_row, _check_json, outcome=_health)
