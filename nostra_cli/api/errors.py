"""Map the status codes of error responses to errors."""

from __future__ import annotations

import time

from nostra_cli.api.parsing import read_object
from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    NostraError,
    NotFound,
    ServiceProblem,
    Transient,
)
from nostra_cli.http.encoding import decoded
from nostra_cli.http.retry import RETRYABLE_STATUSES, retry_after
from nostra_cli.http.transport import Response

_MAX_DETAIL = 300


def check_status(response: Response, not_found: NotFound) -> None:
    """Raise the error of a response (`not_found` for 404), unless its status is 200."""
    status = response.status
    if status == 200:
        return
    if 200 < status < 300:
        raise Corrupt(f"{response.host}: unexpected status {status}", _TRACE_HINT)
    raise error_of(response, not_found)


def error_of(response: Response, not_found: NotFound) -> NostraError:
    """Return the error of a response that is not a success (API page, "Errors")."""
    status, host, detail = response.status, response.host, _detail(response)
    reason = f" ({status}{detail})"
    if status in RETRYABLE_STATUSES or (response.cross_origin and status in (401, 403)):
        # Another origin, such as a store, got no token: its signed URL may have expired.
        wait = retry_after(response.headers.get("retry-after"), time.time())
        return Transient(f"{status} from {host}{detail}", "try again later", wait)
    if status in (401, 403):
        return AuthProblem(f"{host} refused the token{reason}", _TOKEN_HINT)
    if status == 404:
        return NotFound(not_found.message + reason, not_found.hint)
    return ServiceProblem(f"{host} refused the request{reason}", _TRACE_HINT)


_TOKEN_HINT = "check NOSTRA_TOKEN, or the token in the profile, and the base URL"  # noqa: S105
_TRACE_HINT = "-v shows the request and the response"


def _detail(response: Response) -> str:
    """Return the `detail` of an error of Django REST Framework, or "".

    For an invalid request body these are the errors of its fields: `{"name": ["why", ...]}`.
    """
    try:
        body = read_object(decoded(response), "error")
    except (Corrupt, Transient):
        return ""
    detail = body.get("detail")
    if response.status == 400 and "detail" not in body:
        detail = "; ".join(
            f"{field}: {' '.join(map(str, reasons))}"
            for field, reasons in body.items()
            if isinstance(reasons, list)
        )
    if not detail or not isinstance(detail, str):
        return ""
    return f": {response.masked(detail)[:_MAX_DETAIL]}"
