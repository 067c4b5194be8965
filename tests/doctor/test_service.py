"""What the response to the one request means, and its Date."""

from __future__ import annotations

import pytest

from nostra_cli.config.credentials import Token
from nostra_cli.doctor import service
from nostra_cli.doctor.service import _clock
from tests.sandbox.calling import fault, faulty

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
MOMENT = 1_767_225_600.5  # in the middle of that second


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize(
    ("toml", "status", "code", "detail"),
    [
        ("delay = 0", "ok", 0, "127.0.0.1: 200 in "),
        ("status = 404", "warning", 0, "could not be checked"),
        ("status = 429", "warning", 0, "429"),
        ("status = 503", "error", 6, "503 from 127.0.0.1"),
        ("status = 400", "error", 6, "refused the request (400"),
        ("page = 'Sign in'", "error", 7, "not the service"),
        ("status = 204", "error", 7, "not the service"),
        ("status = 403", "error", 3, "refused the token"),
        ("drop = true", "error", 6, "broke off"),
        ("headers = {Content-Encoding = 'br'}", "error", 7, "encoded as 'br'"),
        ("stall_after = 1\nbody = '{}'\nframing = 'chunked'", "ok", 0, "200"),
    ],
)
def test_one_request_checks_the_service(toml: str, status: str, code: int, detail: str) -> None:
    with faulty(fault(toml, "/api/collection")) as sandbox:
        request, clock = service.request(sandbox.base_url, Token(sandbox.token), None, 20.0)
        [sent] = sandbox.requests
    assert (request.status, request.code, request.name) == (status, code, "request")
    assert detail in request.detail
    assert sent.query == "limit=1"
    assert clock.status == ("warning" if "drop" in toml else "ok")


def test_a_response_that_takes_too_long_is_an_error() -> None:
    with faulty(fault("delay = 60", "/api/collection")) as sandbox:
        request, clock = service.request(sandbox.base_url, None, None, 0.3)
    assert (request.status, request.code) == ("error", 6)
    assert request.detail == "no response within 0.3 s"
    assert clock.status == "warning"


@pytest.mark.parametrize(
    ("ahead", "status", "detail"),
    [
        (0, "ok", "within 60 s"),
        (60, "ok", "within 60 s"),
        (-61, "warning", "this machine is 1 min 1 s behind the service"),
        (300, "warning", "this machine is 5 min 0 s ahead of the service"),
        (301, "error", "this machine is 5 min 1 s ahead of the service"),
        (-7200, "error", "this machine is 2 h 0 min behind the service"),
    ],
)
def test_a_clock_may_differ_by_a_minute(ahead: float, status: str, detail: str) -> None:
    check = _clock({"date": DATE}, MOMENT + ahead)
    assert (check.status, check.code) == (status, 2 if status == "error" else 0)
    assert detail in check.detail


@pytest.mark.parametrize("date", [None, "", "never", "Thu, 99 Jan 2026 00:00:00 GMT", "\x00"])
def test_a_response_without_a_date_is_a_warning(date: str | None) -> None:
    headers = {} if date is None else {"date": date}
    assert _clock(headers, MOMENT).status == "warning"
