"""Error responses: their errors, and which of them are retried."""

from __future__ import annotations

import pytest

from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    DeadlinePassed,
    NostraError,
    NotFound,
    ServiceProblem,
    Transient,
)
from nostra_cli.http.retry import NORMAL, Policy
from nostra_cli.models import Format
from tests.asking import STATUS, World, meeting
from tests.sandbox.calling import fault, faulty
from tests.transports import redirect, responding

PASSING = [408, 425, 429, 500, 502, 503, 504, 507, 522, 599]
FINAL = [400, 402, 409, 418, 501]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def refused(kind: type[NostraError], toml: str) -> tuple[NostraError, int]:
    """Ask for a status and for a body: both are refused alike; return the error of the status."""
    with meeting(toml) as (world, sandbox):
        with pytest.raises(kind) as caught:
            world.status()
        sent = len(sandbox.requests)
        with pytest.raises(kind) as body:
            world.body()
        assert len(sandbox.requests) == sent + 1, "the caller of a body repeats it, not the api"
    assert type(caught.value) is type(body.value) is kind
    return caught.value, sent


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_an_auth_problem(status: int) -> None:
    error, sent = refused(AuthProblem, fault(f"status = {status}", "*"))
    assert error.message.startswith(f"127.0.0.1 refused the token ({status}: ")
    assert ("NOSTRA_TOKEN" in error.hint, sent) == (True, 1)


def test_a_wrong_token_is_refused_and_not_shown() -> None:
    with faulty("") as sandbox:
        world = World(sandbox.base_url, "wr0ng-t0ken")
        with pytest.raises(AuthProblem) as caught:
            world.status()
        world.transport.close()
    assert "wr0ng-t0ken" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("status", FINAL)
def test_a_permanent_error_is_requested_once_and_reported_with_its_detail(status: int) -> None:
    toml = fault(f'status = {status}\ndetail = "so it is"', "*")
    error, sent = refused(ServiceProblem, toml)
    assert error.message == f"127.0.0.1 refused the request ({status}: so it is)"
    assert sent == 1


@pytest.mark.parametrize("status", PASSING)
def test_a_temporary_error_is_retried_until_the_attempts_are_spent(status: int) -> None:
    error, sent = refused(Transient, fault(f'status = {status}\ndetail = "busy"', "*"))
    assert error.message == f"{status} from 127.0.0.1: busy"
    assert sent == NORMAL.attempts


@pytest.mark.parametrize("status", [201, 202, 204, 206])
def test_another_success_code_is_not_a_status(status: int) -> None:
    with meeting(fault(f'status = {status}\nbody = "{{}}"', STATUS)) as (world, sandbox):
        with pytest.raises(Corrupt, match=f"unexpected status {status}"):
            world.status()
        assert len(sandbox.requests) == 1


def test_a_missing_invocation_result_or_format_is_named() -> None:
    with meeting() as (world, _):
        with pytest.raises(NotFound, match=r"^no invocation 'nope' \(404: .*\)$"):
            world.status("nope")
        with pytest.raises(NotFound) as caught, world.service.body("nope", "r1", Format.XLSX):
            pass
    assert caught.value.message.startswith("no xlsx of result 'r1' of 'nope'")
    assert caught.value.hint == "list them: nostra results nope"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"detail": "%s"}' % ("x" * 301), ": " + "x" * 300),
        (
            '{"detail": "see https://a.example?s=1 now"}',
            ": see https://a.example?*** now",
        ),
        ('{"detail": "no /a/b?X-Sig=1&s=2 here?"}', ": no /a/b?*** here?"),
        ('{"detail": ["x"]}', ""),
        ('{"error": "x"}', ""),
        ('["x"]', ""),
        ("<html>busy", ""),
        ("", ""),
    ],
)
def test_the_detail_of_an_error_response_is_reported(body: str, detail: str) -> None:
    toml = fault(f"status = 400\nbody = '{body}'", STATUS)
    with meeting(toml) as (world, _), pytest.raises(ServiceProblem) as caught:
        world.status()
    assert caught.value.message == f"127.0.0.1 refused the request (400{detail})"


def test_an_error_response_with_a_truncated_body_is_still_that_error() -> None:
    toml = fault('status = 404\ndetail = "no such thing"\ncut_after = 5', STATUS)
    with meeting(toml) as (world, _), pytest.raises(NotFound, match=r"\(404\)$"):
        world.status()


def test_a_service_that_recovers_has_answered() -> None:
    with meeting(fault("status = 503\ntimes = 2", STATUS)) as (world, sandbox):
        assert world.status().status == "completed"
        assert len(sandbox.requests) == 3
    assert world.slept == [NORMAL.first_pause, 2 * NORMAL.first_pause]


def test_the_wish_of_the_service_replaces_the_pause() -> None:
    with meeting(fault('status = 429\ntimes = 1\nretry_after = "7"', STATUS)) as (world, _):
        assert world.status().status == "completed"
    assert world.slept == [7]


def test_a_retry_after_beyond_the_deadline_ends_it_without_a_sleep() -> None:
    toml = fault('status = 429\nretry_after = "61"', STATUS)
    with meeting(toml, seconds=60) as (world, sandbox):
        with pytest.raises(DeadlinePassed, match="before the status of 'demo-dedup' was known"):
            world.status()
        assert (len(sandbox.requests), world.slept) == (1, [])


@pytest.mark.parametrize("status", [401, 403])
def test_a_storage_that_refuses_its_url_is_not_a_refused_token(status: int) -> None:
    expired = b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status
    with responding(lambda _n, _head: expired) as storage:
        link = redirect(f"{storage.base_url}/object?sig=s3cr3t")
        with responding(lambda _n, _head: link) as raw:
            world = World(raw.base_url, "t0ken")
            with pytest.raises(Transient) as caught:
                world.body()
            world.transport.close()
    assert type(caught.value) is Transient
    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_a_poll_is_repeated_as_often_as_its_policy_says() -> None:
    with meeting(fault("status = 503", STATUS)) as (world, sandbox):
        with pytest.raises(Transient):
            world.status(policy=Policy(attempts=2))
        assert len(sandbox.requests) == 2


def test_nothing_is_attempted_again_after_give_up() -> None:
    with meeting(fault("status = 503", STATUS)) as (world, sandbox):
        world.service.give_up()
        with pytest.raises(Transient):
            world.status()
        assert (len(sandbox.requests), world.slept) == (1, [])


def test_a_status_is_decoded_and_strictly_read() -> None:
    with meeting(fault('gzip = "ok"', STATUS)) as (world, _):
        assert world.status().status == "completed"
    for fault_, reason in (('gzip = "truncated"', "gzip"), ("keep = 20", "not valid JSON")):
        with meeting(fault(fault_, STATUS)) as (world, sandbox):
            with pytest.raises(Corrupt, match=reason):
                world.status()
            assert len(sandbox.requests) == 1
