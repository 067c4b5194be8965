"""What the service says to one request, and whose clock is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from nostra_cli.api.errors import refusal
from nostra_cli.config.credentials import Token
from nostra_cli.doctor.finding import Finding, fine, warning, wrong
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
_WARN_SECONDS, _WRONG_SECONDS = 60, 300
_CLOCK_HINT = "set this machine's clock, best by NTP"


def ask(
    base_url: str, token: Token | None, trace: Trace | None, seconds: float
) -> Iterator[Finding]:
    """Ask for one collection, once and within `seconds`: is the token taken, are clocks equal?"""
    deadline = Deadline(seconds)
    transport = Transport(base_url, token, deadline, trace)
    clock = warning("clock", "not compared: there was no answer", "see request")
    began = time.time()
    try:
        with transport.request("GET", _PATH, {"Accept": "application/json"}, HEAD_SECONDS) as reply:
            ended = time.time()
            clock = _clock(reply.headers, (began + ended) / 2)
            yield _judged(reply, token, ended - began)
    except NostraError as error:
        yield wrong("request", error if deadline.remaining() else _too_slow(seconds))
    finally:
        transport.close()
    yield clock


def _too_slow(seconds: float) -> ServiceProblem:
    hint = "try again; `timeout` in the config file allows for more"
    return ServiceProblem(f"no answer within {seconds:g} s", hint)


def _judged(reply: Response, token: Token | None, seconds: float) -> Finding:
    said = f"{reply.host}: {reply.status} in {seconds:.2f} s"
    if 200 <= reply.status < 300:
        start = bytes(next(iter(decoded(reply)), b"")).lstrip()[:1]
        if reply.cross_origin or start not in (b"{", b"["):
            hint = "check the base URL; a proxy or a login page may stand in between"
            return wrong("request", Corrupt(f"{said}, but that is not the service", hint))
        return fine("request", said)
    problem = refusal(reply, NotFound("the token could not be checked", "check the base URL"))
    if isinstance(problem, AuthProblem) and token is None:
        return warning("request", f"{said}: it wants a token", "see token")
    if isinstance(problem, NotFound) or reply.status == 429:
        return warning("request", problem.message, problem.hint)
    return wrong("request", problem)


def _clock(headers: Mapping[str, str], now: float) -> Finding:
    """Compare the service's Date with `now`, this machine's time when it was written."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return warning("clock", "not compared: the service tells no time", "see it with -v")
    ahead = now - date - 0.5  # a Date has no fractions
    if abs(ahead) <= _WARN_SECONDS:
        return fine("clock", f"within {_WARN_SECONDS} s of the service's")
    way = "ahead of" if ahead > 0 else "behind"
    detail = f"this machine is {show_duration(abs(ahead))} {way} the service"
    if abs(ahead) <= _WRONG_SECONDS:
        return warning("clock", detail, _CLOCK_HINT)
    return wrong("clock", UsageProblem(detail, _CLOCK_HINT))
