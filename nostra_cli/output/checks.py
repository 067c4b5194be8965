"""The checks of `nostra doctor` for a person: problems with their hints, then a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nostra_cli.output.render import Sanitize, paint_status
from nostra_cli.output.views import CHECKS

if TYPE_CHECKING:
    from nostra_cli.doctor.check import Check

_WIDTH = len("warning")


def lines(checks: Sequence[Check], every: bool, color: bool, sanitize: Sanitize) -> Iterator[str]:
    """Yield the lines: errors and warnings, with `every` all checks, and the verdict."""
    counts = {}
    for status in ("error", "warning", "ok") if every else ("error", "warning"):
        found = [c for c in checks if c.status == status and (every or not c.skipped)]
        counts[status] = len(found)
        for check in found:
            yield from _check(check, color, sanitize)
    yield _verdict(counts["error"], counts["warning"])


def _check(check: Check, color: bool, sanitize: Sanitize) -> Iterator[str]:
    status, name, detail, hint = map(sanitize, CHECKS.row(check))
    word = paint_status(status, CHECKS.outcome(status)) if color else status
    yield f"{word}{' ' * (_WIDTH - len(status))}  {name}: {detail}"
    if hint:
        yield f"{' ' * _WIDTH}  {hint}"


def _verdict(errors: int, warnings: int) -> str:
    counts = [(errors, "error"), (warnings, "warning")]
    parts = [f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count]
    return ", ".join(parts) or "No problems found."
