"""Status codes and headers of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import STATUS, Case, both, check, table
from tests.sandbox.calling import fault

PAST = "Sun, 06 Nov 1994 08:49:37 GMT"
WAIT = ("wait", "demo-dedup")
ONCE_RUNNING = '[invocation.demo-dedup]\nstatuses = ["running", "completed"]\n'


def brief(status: int) -> str:
    """Two failures, then well."""
    return fault(f"times = 2\nstatus = {status}\nretry_after = 0")


CASES = table(
    __name__,
    [
        *(
            Case("auth", f"{status}-body", fault(f"status = {status}"), 3, ("refused the token",))
            for status in (401, 403)
        ),
        Case("auth", "mid-wait", ONCE_RUNNING + fault("after = 1\nstatus = 401", STATUS), 3,
             ("refused the token",), WAIT, requests=2),
        Case("not-found", "id", "", 4, ("'nope'",), ("download", "nope", "-f", "csv"), requests=1),
        Case("not-found", "body", fault("status = 404"), 4, ("no csv",), requests=2),
        *(
            Case("final", str(status), fault(f'status = {status}\ndetail = "so it is"'), 6,
                 ("so it is", str(status)), requests=2)
            for status in (400, 409, 410, 501)
        ),
        *(
            Case("passing", str(status), brief(status), 0, ("retrying",), requests=4)
            for status in (408, 425, 429, 500, 502, 503, 504, 520, 529)
        ),
        Case("for-ever", "503", fault("status = 503"), 6, ("503 from 127.0.0.1",), requests=6),
        Case("for-ever", "status-429", fault("status = 429", STATUS), 6, ("429",), requests=5),
        Case("retry-after", "seconds", fault("times = 1\nstatus = 503\nretry_after = 1"), 0,
             ("in 1 s",)),
        Case("retry-after", "date", fault("times = 1\nstatus = 503\nretry_at = 2"), 0,
             ("retrying",)),
        Case("retry-after", "past", fault(f'times = 1\nstatus = 503\nretry_after = "{PAST}"'), 0,
             ("retrying now",)),
        *(
            Case("retry-after", f"odd-{value}",
                 fault(f'times = 1\nstatus = 503\nretry_after = "{value}"'), 0, ("retrying",))
            for value in ("-1", "soon", "", "1e", "Mon, 99 Nov 2026 99:00:00 GMT", "\\u00e9")
        ),
        *(
            Case("retry-after-deadline", value,
                 fault(f'status = 503\nretry_after = "{value}"'), 124, ("deadline",),
                 ("download", "demo-dedup", "-f", "csv", "--timeout", "15s"), requests=2, seconds=9)
            for value in ("1e9", "3600", "9" * 18)
        ),
        Case("html", "status", fault('page = "Log in"', STATUS), 7, ("web page", "base URL"),
             requests=1),
        Case("html", "by-type", fault('page = "Log in"'), 7, ("web page",), requests=2),
        Case("html", "by-content",
             fault('body = " \\n<!DOCTYPE html><p>x"\nheaders = { Content-Type = "text/csv" }'), 7,
             ("web page",), requests=2),
        Case("empty", "204", fault("status = 204"), 7, ("204",)),
        Case("empty", "no-bytes", fault('body = ""'), 7, ("empty",)),
        Case("empty", "white", fault('body = " \\n "'), 7, ("empty",)),
        Case("empty", "status-204", fault("status = 204", STATUS), 7, ("204",)),
        Case("empty", "status-no-bytes", fault('body = ""', STATUS), 7, ("empty",)),
        Case("lengths", "conflicting", fault('headers = { Content-Length = ["5", "6"] }'), 6),
        Case("lengths", "endless-headers", fault("endless_headers = true"), 6),
    ],
)  # fmt: skip


@pytest.mark.parametrize(("case", "old"), both(CASES), ids=str)
def test_case(case: Case, old: bool, home: Path, tmp_path: Path) -> None:
    check(case, home, tmp_path, old)
