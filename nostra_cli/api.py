"""The service in Python: one method for each endpoint.

Strict about what the vendor documents, tolerant about what it does not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar
from urllib.parse import quote

from nostra_cli import strict_json
from nostra_cli.content_coding import decoded
from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    NostraError,
    NotFound,
    ServiceProblem,
    Transient,
)
from nostra_cli.models import (
    Format,
    Invocation,
    JsonObject,
    JsonValue,
    Outcome,
    Result,
    is_segment,
    outcome_of,
)
from nostra_cli.retry import NORMAL, Policy, Retrier, retry_after
from nostra_cli.transport import HEAD_SECONDS, Reply, Transport

T = TypeVar("T")

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_DETAIL = 300


class Service:
    """The Nostradamus invocation API."""

    def __init__(self, transport: Transport, retrier: Retrier) -> None:
        """Talk through `transport`, repeat by `retrier`."""
        self._transport = transport
        self.retrier = retrier

    def invocation(self, invocation: str, policy: Policy = NORMAL) -> Invocation:
        """Ask for the status of an invocation (API page, "Status"), repeating by `policy`.

        Raises NotFound, AuthProblem, ServiceProblem, Corrupt or DeadlinePassed.
        """

        def attempt() -> Invocation:
            with self._transport.request(
                "GET", _path(invocation), {"Accept": "application/json"}, HEAD_SECONDS
            ) as reply:
                _check(reply, NotFound(f"no invocation {invocation!r}", _ID_HINT))
                what = f"status of {invocation!r}"
                return read_invocation(invocation, strict_json.read(decoded(reply), what))

        return self.retrier.run(attempt, f"the status of {invocation!r} was known", policy)

    def body(
        self,
        invocation: str,
        result: str | None,
        format: Format,  # the field's own word
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> AbstractContextManager[Reply]:
        """Open the body of a result, the primary one where `result` is None ("Downloads").

        One attempt, not repeated: the caller keeps what it has got. The body has `seconds` to come.
        Answers 200, 206 and 416 are given, all others raise as `invocation` does.
        """
        what = f"result {result!r} of {invocation!r}" if result is not None else repr(invocation)
        missing = NotFound(
            f"the service has no {format} of {what}",
            f"see what there is: nostra results {invocation}",
        )
        return self._open(_body_path(invocation, result, format), headers or {}, missing, seconds)

    def url_of(self, invocation: str, result: str | None, format: Format) -> str:
        """Give the URL of a result's body, as `body` asks for it."""
        return self._transport.base_url + _body_path(invocation, result, format)

    @contextmanager
    def _open(
        self, path: str, headers: Mapping[str, str], missing: NotFound, seconds: float | None
    ) -> Iterator[Reply]:
        with self._transport.request("GET", path, headers, seconds) as reply:
            if reply.status not in (206, 416):
                _check(reply, missing)
            yield reply

    def give_up(self) -> None:
        """Make every request that is under way in another thread end soon, with an error."""
        self.retrier.give_up()
        self._transport.abort()


_ID_HINT = "check the id, the profile and the base URL"


def _segment(text: str) -> str:
    return quote(text, safe="")


def _path(invocation: str) -> str:
    return f"/api/invocation/{_segment(invocation)}"


def _body_path(invocation: str, result: str | None, format: Format) -> str:
    which = f"/result/{_segment(result)}" if result is not None else ""
    return f"{_path(invocation)}{which}/{format}"


def _check(reply: Reply, missing: NotFound) -> None:
    """Raise what a refusal means; pass for 200 (API page, "Errors")."""
    status = reply.status
    if status == 200:
        return
    if 200 < status < 300:
        raise Corrupt(f"{reply.host}: status {status} where a body was due")
    raise _refusal(reply, missing)


def _refusal(reply: Reply, missing: NotFound) -> NostraError:
    status = reply.status
    said = f" ({status}{_detail(reply)})"
    if status in _PASSING or (reply.foreign and status in (401, 403)):
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


def _detail(reply: Reply) -> str:
    """Give the `detail` of an error as Django REST Framework puts it, or nothing."""
    try:
        detail = strict_json.read(decoded(reply), "error").get("detail")
    except (Corrupt, Transient):
        return ""
    return f": {detail[:_LONGEST_DETAIL]}" if isinstance(detail, str) else ""


def read_invocation(invocation: str, raw: JsonObject) -> Invocation:
    """Turn the service's status object into a value (API page, "Status").

    Raises Corrupt, with the field's name, for a documented field that is missing or wrong.
    """
    status = _field(raw, "status", str, f"status of {invocation!r}")
    results: tuple[Result, ...] = ()
    if outcome_of(status) is Outcome.COMPLETED:
        described = _field(raw, "invocationResults", dict, f"status of {invocation!r}")
        found = [_result(invocation, name, value) for name, value in described.items()]
        results = tuple(sorted(found, key=lambda result: (not result.primary, result.id)))
    return Invocation(invocation, status, results, raw)


def _result(invocation: str, name: str, value: JsonValue) -> Result:
    what = f"result {name!r} of {invocation!r}"
    if not is_segment(name):
        raise Corrupt(f"{what}: that is not an id", _FIELD_HINT)
    if not isinstance(value, dict):
        raise Corrupt(f"{what}: it is not an object", _FIELD_HINT)
    available = [f for f in Format if _field(value, f"{f}Available", bool, what)]
    return Result(
        id=name,
        primary=_field(value, "primaryResult", bool, what),
        status=_field(value, "status", str, what),
        formats=frozenset(available),
    )


def _field(raw: Mapping[str, JsonValue], key: str, wanted: type[T], what: str) -> T:
    if key not in raw:
        raise Corrupt(f"{what}: the field {key!r} is missing", _FIELD_HINT)
    value = raw[key]
    if not isinstance(value, wanted):
        raise Corrupt(f"{what}: the field {key!r} is not {_WORDS[wanted]}", _FIELD_HINT)
    return value


_WORDS: Mapping[type, str] = {str: "a string", bool: "true or false", dict: "an object"}
_FIELD_HINT = (
    "the service broke its contract: report it, and see the answer with nostra status --json"
)
