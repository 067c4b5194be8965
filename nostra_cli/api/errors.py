"""What the service means by an answer that is no success."""

from __future__ import annotations

import time

from nostra_cli.api import parsing as strict_json
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

_LONGEST_DETAIL = 300


def check(reply: Response, missing: NotFound) -> None:
    """Raise what a refusal means (`missing` for 404); pass for 200 (API page, "Errors")."""
    status = reply.status
    if status == 200:
        return
    if 200 < status < 300:
        raise Corrupt(f"{reply.host}: status {status} where a body was due", _REFUSED_HINT)
    raise refusal(reply, missing)


def refusal(reply: Response, missing: NotFound) -> NostraError:
    """Give what an answer that is no success means (API page, "Errors")."""
    status = reply.status
    said = f" ({status}{_detail(reply)})"
    if status in RETRYABLE_STATUSES or (reply.cross_origin and status in (401, 403)):
        # A storage that a redirect led to knows nothing of the token: its link may have expired.
        wait = retry_after(reply.headers.get("retry-after"), time.time())
        return Transient(f"{reply.host}: the service is not available{said}", _LATER_HINT, wait)
    if status in (401, 403):
        return AuthProblem(f"{reply.host} refused the token{said}", _TOKEN_HINT)
    if status == 404:
        return NotFound(missing.message + said, missing.hint)
    return ServiceProblem(f"{reply.host}: the service refused the request{said}", _REFUSED_HINT)


_LATER_HINT = "try again later"
_TOKEN_HINT = "check NOSTRA_TOKEN, or the token in the profile, and the base URL"  # noqa: S105
_REFUSED_HINT = "see the whole exchange with -v"


def _detail(reply: Response) -> str:
    """Give the `detail` of an error as Django REST Framework puts it, or nothing.

    Where a body was refused it is what is wrong with each field: `{"name": ["why", ...]}`.
    """
    try:
        said = strict_json.read(decoded(reply), "error")
    except (Corrupt, Transient):
        return ""
    detail = said.get("detail")
    if reply.status == 400 and "detail" not in said:
        detail = "; ".join(
            f"{field}: {' '.join(map(str, why))}"
            for field, why in said.items()
            if isinstance(why, list)
        )
    if not detail or not isinstance(detail, str):
        return ""
    return f": {reply.masked(detail)[:_LONGEST_DETAIL]}"
