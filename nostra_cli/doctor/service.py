"""Check the service with one request: token and clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from nostra_cli.api.errors import error_of
from nostra_cli.config.credentials import Token
from nostra_cli.doctor.check import Check, failed, passed, skipped, warning
from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    NostraError,
    NotFound,
    ServiceProblem,
    UsageProblem,
)
from nostra_cli.http.encoding import decoded
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import HEAD_SECONDS, Response, Trace, Transport
from nostra_cli.units import show_duration

_PATH = "/api/collection?limit=1"
_WARN_SECONDS, _ERROR_SECONDS = 60, 300
_CLOCK_HINT = "set this machine's clock, best by NTP"


def request(
    base_url: str, token: Token | None, trace: Trace | None, seconds: float
) -> Iterator[Check]:
    """Request one collection within `seconds`; check that the token is accepted and the clock."""
    deadline = Deadline(seconds)
    transport = Transport(base_url, token, deadline, trace)
    clock = skipped("clock", "not compared: there was no response", "request")
    began = time.time()
    try:
        with transport.request(
            "GET", _PATH, {"Accept": "application/json"}, HEAD_SECONDS
        ) as response:
            ended = time.time()
            clock = _clock(response.headers, (began + ended) / 2)
            yield _check_response(response, token, ended - began)
    except NostraError as error:
        yield failed("request", error if deadline.remaining() else _too_slow(seconds))
    finally:
        transport.close()
    yield clock


def _too_slow(seconds: float) -> ServiceProblem:
    hint = "try again; `timeout` in the config file allows for more"
    return ServiceProblem(f"no response within {seconds:g} s", hint)


def _check_response(response: Response, token: Token | None, seconds: float) -> Check:
    summary = f"{response.host}: {response.status} in {seconds:.2f} s"
    if 200 <= response.status < 300:
        start = bytes(next(iter(decoded(response)), b"")).lstrip()[:1]
        if response.cross_origin or start not in (b"{", b"["):
            hint = "check the base URL; a proxy or a login page may stand in between"
            return failed("request", Corrupt(f"{summary}, but that is not the service", hint))
        return passed("request", summary)
    problem = error_of(response, NotFound("the token could not be checked", "check the base URL"))
    if isinstance(problem, AuthProblem) and token is None:
        return skipped("request", f"{summary}: it requires a token", "token")
    if isinstance(problem, NotFound) or response.status == 429:
        return warning("request", problem.message, problem.hint)
    return failed("request", problem)


def _clock(headers: Mapping[str, str], now: float) -> Check:
    """Compare the Date of the response with `now`, this machine's time."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return warning("clock", "not compared: the response has no Date", "see it with -v")
    ahead = now - date - 0.5  # a Date has no fractions
    if abs(ahead) <= _WARN_SECONDS:
        return passed("clock", f"within {_WARN_SECONDS} s of the service's")
    order = "ahead of" if ahead > 0 else "behind"
    detail = f"this machine is {show_duration(abs(ahead))} {order} the service"
    if abs(ahead) <= _ERROR_SECONDS:
        return warning("clock", detail, _CLOCK_HINT)
    return failed("clock", UsageProblem(detail, _CLOCK_HINT))
