"""Check the connection, the service and the token with one request."""

from __future__ import annotations

import time
from functools import partial

from nostra_cli.api.errors import error_of
from nostra_cli.concurrency import call_within
from nostra_cli.config.credentials import Token
from nostra_cli.doctor.check import Check, failed, passed, skipped, warning
from nostra_cli.errors import AuthProblem, Corrupt, NostraError, NotFound, ServiceProblem
from nostra_cli.http.encoding import decoded
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import HEAD_SECONDS, Response, Trace, Transport

_PATH = "/api/collection?limit=1"
_SPARE_SECONDS = 1.0


def check_request(base_url: str, token: Token | None, trace: Trace | None, seconds: float) -> Check:
    """Request one collection within `seconds`; check that the service accepts the token."""
    deadline = Deadline(seconds)
    request = partial(_request, base_url, token, trace, deadline)
    try:
        # The deadline does not end a resolver that hangs.
        return call_within(seconds + _SPARE_SECONDS, request)
    except (NostraError, TimeoutError) as error:
        if isinstance(error, NostraError) and deadline.remaining():
            return failed("request", error)
        hint = "try again; `timeout` in the config file allows for more"
        return failed("request", ServiceProblem(f"no response within {seconds:g} s", hint))


def _request(base_url: str, token: Token | None, trace: Trace | None, deadline: Deadline) -> Check:
    transport = Transport(base_url, token, deadline, trace)
    began = time.monotonic()
    try:
        with transport.request(
            "GET", _PATH, {"Accept": "application/json"}, HEAD_SECONDS
        ) as response:
            return _check_response(response, token, time.monotonic() - began)
    finally:
        transport.close()


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
