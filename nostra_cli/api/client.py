"""The Nostradamus API: one method per endpoint.

Documented fields are checked strictly, undocumented ones are tolerated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from nostra_cli.api.errors import check_status
from nostra_cli.api.parsing import read_invocation, read_object
from nostra_cli.config.history import MAX_IDS, MAX_RESULTS
from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    DeadlinePassed,
    NostraError,
    NotFound,
    Transient,
    capture_error,
)
from nostra_cli.http.encoding import decoded
from nostra_cli.http.redirects import is_idempotent
from nostra_cli.http.retry import NORMAL, ONCE, Policy, Retrier
from nostra_cli.http.transport import HEAD_SECONDS, Response, Transport
from nostra_cli.models import Format, Invocation

if TYPE_CHECKING:
    from nostra_cli.api.request import ApiRequest, ApiResponse
    from nostra_cli.http.timeouts import LowSpeed

_JSON = {"Accept": "application/json"}
_ID_HINT = "check the id, the profile and the base URL"


class Service:
    """The Nostradamus invocation API."""

    def __init__(self, transport: Transport, retrier: Retrier) -> None:
        self._transport = transport
        self.retrier = retrier
        self.seen: dict[str, Invocation] = {}
        """The last response for each id, reduced to what the history needs."""

    def invocation(self, invocation: str, policy: Policy = NORMAL) -> Invocation:
        """Request the status of an invocation (API page, "Status"), retried as `policy` says.

        Raises NotFound, AuthProblem, ServiceProblem, Corrupt or DeadlinePassed.
        """
        found = self.retrier.run(
            partial(self._status, invocation), f"the status of {invocation!r} was known", policy
        )
        if invocation in self.seen or len(self.seen) < MAX_IDS:
            self.seen[invocation] = found._replace(raw={}, results=found.results[:MAX_RESULTS])
        return found

    def invocations(self, ids: Sequence[str], jobs: int) -> Iterator[Invocation | NostraError]:
        """Request the status of each id, up to `jobs` at once; yield them in the order of `ids`.

        The error of one id is yielded in its place; AuthProblem and DeadlinePassed are raised.
        """
        tasks = [partial(capture_error, id_, partial(self.invocation, id_)) for id_ in ids]
        if len(tasks) == 1:
            yield tasks[0]()
            return
        from nostra_cli import concurrency  # not loaded for one status

        yield from concurrency.run(tasks, jobs, self.give_up)

    def _status(self, invocation: str) -> Invocation:
        path = _invocation_path(invocation)
        with self._transport.request("GET", path, _JSON, HEAD_SECONDS) as response:
            check_status(response, NotFound(f"no invocation {invocation!r}", _ID_HINT))
            raw = read_object(decoded(response), f"status of {invocation!r}")
            return read_invocation(invocation, raw)

    def check_token(self) -> NostraError | None:
        """Check the token with one request, for one collection.

        Returns None if the service accepts the token, the error if it cannot be checked. Raises
        AuthProblem if it is refused.
        """
        path = "/api/collection?limit=1"
        try:
            with self._transport.request("GET", path, _JSON, HEAD_SECONDS) as response:
                check_status(
                    response, NotFound(f"{response.host} has no list of collections", _ID_HINT)
                )
                start = bytes(next(iter(decoded(response)), b""))
                if response.cross_origin or start.lstrip()[:1] not in (b"{", b"["):
                    return Corrupt(f"{response.host} does not respond like the service", _ID_HINT)
        except AuthProblem as error:
            raise AuthProblem(error.message, "check the token and the base URL") from error
        except NostraError as error:
            return error
        return None

    @contextmanager
    def body(
        self,
        invocation: str,
        result: str | None,
        format: Format,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
        max_pause: float | None = None,
    ) -> Iterator[Response]:
        """Open the body of a result, the primary one if `result` is None ("Downloads").

        One attempt: the caller retries from where it stopped. The body may take `seconds`, and
        each piece of it `max_pause`.
        Responses 200, 206 and 416 are yielded, all others raise as in `invocation`.
        """
        what = f"result {result!r} of {invocation!r}" if result is not None else repr(invocation)
        path = _body_path(invocation, result, format)
        with self._transport.request(
            "GET", path, headers, seconds, max_pause=max_pause
        ) as response:
            if response.status not in (206, 416):
                hint = f"list them: nostra results {invocation}"
                check_status(response, NotFound(f"no {format} of {what}", hint))
            yield response

    def url_of(self, invocation: str, result: str | None, format: Format) -> str:
        """Return the URL of a result's body, as `body` requests it."""
        return self._transport.base_url + _body_path(invocation, result, format)

    @contextmanager
    def send(self, request: ApiRequest, low_speed: LowSpeed) -> Iterator[ApiResponse]:
        """Send any request; yield its response, even an error response, while the block lasts.

        Retried like the other methods, but a POST or a PATCH is sent once. Raises Transient or
        DeadlinePassed if there is no response.
        """
        once = not is_idempotent(request.method)
        responses: list[ApiResponse] = []
        with ExitStack() as stack:
            try:
                for attempt in self.retrier.attempts(
                    f"{request.name} was answered", ONCE if once else NORMAL
                ):
                    with attempt:
                        stack.close()
                        responses.clear()
                        responses.append(stack.enter_context(self._respond(request, low_speed)))
                        if isinstance(responses[0].error, Transient):
                            raise responses[0].error
            except (Transient, DeadlinePassed) as failure:
                if once:
                    failure.add_note(f"a {request.method} is sent once: check whether it was done")
                if not responses or isinstance(failure, DeadlinePassed):
                    raise
            yield responses[0]

    @contextmanager
    def _respond(self, request: ApiRequest, low_speed: LowSpeed) -> Iterator[ApiResponse]:
        from nostra_cli.api.request import error_response, success_response

        with self._transport.request(
            request.method,
            request.url,
            request.headers,
            content=request.content,
            max_pause=low_speed.max_pause,
        ) as response:
            if 200 <= response.status < 300:
                yield success_response(response, request, low_speed, self.retrier.deadline)
            else:
                yield error_response(response, request)

    def give_up(self) -> None:
        """Abort the requests of all threads, and retry none."""
        self.retrier.give_up()
        self._transport.abort()


def _invocation_path(invocation: str) -> str:
    return f"/api/invocation/{quote(invocation, safe='')}"


def _body_path(invocation: str, result: str | None, format: Format) -> str:
    which = f"/result/{quote(result, safe='')}" if result is not None else ""
    return f"{_invocation_path(invocation)}{which}/{format}"
