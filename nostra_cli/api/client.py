"""The Nostradamus API: one method per endpoint.

Strict about what the vendor documents, tolerant about what it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
        """Send through `transport`, retry by `retrier`."""
        self._transport = transport
        self.retrier = retrier
        self.seen: dict[str, Invocation] = {}
        """The last response about each id, as far as the history needs it."""

    def invocation(self, invocation: str, policy: Policy = NORMAL) -> Invocation:
        """Request the status of an invocation (API page, "Status"), attempted by `policy`.

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

        What is raised for one id is yielded in its place; AuthProblem and DeadlinePassed end all.
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
        """Request one collection, once; return what kept the token from being checked.

        None means that the service accepted it; raises AuthProblem if it was refused.
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

    def body(
        self,
        invocation: str,
        result: str | None,
        format: Format,  # the field's own word
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> AbstractContextManager[Response]:
        """Open the body of a result, the primary one if `result` is None ("Downloads").

        One attempt, not repeated: the caller keeps what it received. The body has `seconds` to
        come. Responses 200, 206 and 416 are yielded, all others raise as `invocation` does.
        """
        what = f"result {result!r} of {invocation!r}" if result is not None else repr(invocation)
        not_found = NotFound(f"no {format} of {what}", f"list them: nostra results {invocation}")
        return self._open(_body_path(invocation, result, format), headers or {}, not_found, seconds)

    def url_of(self, invocation: str, result: str | None, format: Format) -> str:
        """Return the URL of a result's body, as `body` requests it."""
        return self._transport.base_url + _body_path(invocation, result, format)

    @contextmanager
    def _open(
        self, path: str, headers: Mapping[str, str], not_found: NotFound, seconds: float | None
    ) -> Iterator[Response]:
        with self._transport.request("GET", path, headers, seconds) as response:
            if response.status not in (206, 416):
                check_status(response, not_found)
            yield response

    @contextmanager
    def send(self, request: ApiRequest, low_speed: LowSpeed) -> Iterator[ApiResponse]:
        """Send any request; yield the response while the block lasts, an error response, too.

        Retried as the other methods are, but a POST or a PATCH is sent once. Raises Transient or
        DeadlinePassed if no response came.
        """
        once = not is_idempotent(request.method)
        refused: list[ApiResponse] = []
        with ExitStack() as stack:
            try:
                response = self.retrier.run(
                    partial(self._respond, stack, request, low_speed, refused),
                    f"{request.name} was answered",
                    ONCE if once else NORMAL,
                )
            except (Transient, DeadlinePassed) as failure:
                if once:
                    failure.add_note(f"a {request.method} is sent once: check whether it was done")
                if not refused or isinstance(failure, DeadlinePassed):
                    raise
                response = refused[-1]
            yield response

    def _respond(
        self,
        stack: ExitStack,
        request: ApiRequest,
        low_speed: LowSpeed,
        refused: list[ApiResponse],
    ) -> ApiResponse:
        """Attempt a request; raises Transient for an error response that is added to `refused`."""
        from nostra_cli.api.request import error_response, success_response

        refused.clear()
        stack.close()
        response = stack.enter_context(
            self._transport.request(
                request.method, request.url, request.headers, content=request.content
            )
        )
        if 200 <= response.status < 300:
            return success_response(response, request, low_speed, self.retrier.deadline)
        failed = error_response(response, request)
        if isinstance(failed.error, Transient):
            refused.append(failed)
            raise failed.error
        return failed

    def give_up(self) -> None:
        """Abort the requests of all threads: they end soon, with an error."""
        self.retrier.give_up()
        self._transport.abort()


def _invocation_path(invocation: str) -> str:
    return f"/api/invocation/{quote(invocation, safe='')}"


def _body_path(invocation: str, result: str | None, format: Format) -> str:
    which = f"/result/{quote(result, safe='')}" if result is not None else ""
    return f"{_invocation_path(invocation)}{which}/{format}"
