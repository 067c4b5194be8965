"""The service in Python: one method for each endpoint.

Strict about what the vendor documents, tolerant about what it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote

from nostra_cli.api import parsing as strict_json
from nostra_cli.api.errors import check, refusal
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
from nostra_cli.models import (
    Format,
    Invocation,
    JsonObject,
    JsonValue,
    Outcome,
    Piece,
    Result,
    is_segment,
    malformed,
    outcome_of,
)

if TYPE_CHECKING:
    from nostra_cli.api.request import Call
    from nostra_cli.http.timeouts import LowSpeed

T = TypeVar("T")


class Answer(NamedTuple):
    """What came back: the head as lines, the body decoded, and what it means if it is no 2xx."""

    head: Sequence[str]
    chunks: Iterator[Piece]
    problem: NostraError | None


class Service:
    """The Nostradamus invocation API."""

    def __init__(self, transport: Transport, retrier: Retrier) -> None:
        """Talk through `transport`, repeat by `retrier`."""
        self._transport = transport
        self.retrier = retrier
        self.seen: dict[str, Invocation] = {}
        """The last response about each id, as far as the history needs it."""

    def invocation(self, invocation: str, policy: Policy = NORMAL) -> Invocation:
        """Ask for the status of an invocation (API page, "Status"), repeating by `policy`.

        Raises NotFound, AuthProblem, ServiceProblem, Corrupt or DeadlinePassed.
        """

        def attempt() -> Invocation:
            with self._transport.request(
                "GET", _path(invocation), {"Accept": "application/json"}, HEAD_SECONDS
            ) as reply:
                check(reply, NotFound(f"no invocation {invocation!r}", _ID_HINT))
                what = f"status of {invocation!r}"
                return read_invocation(invocation, strict_json.read(decoded(reply), what))

        waiting_for = f"the status of {invocation!r} was known"
        found = self.retrier.run(attempt, waiting_for, policy)
        if invocation in self.seen or len(self.seen) < MAX_IDS:
            self.seen[invocation] = found._replace(raw={}, results=found.results[:MAX_RESULTS])
        return found

    def invocations(self, ids: Sequence[str], jobs: int) -> Iterator[Invocation | NostraError]:
        """Ask for the status of each id, up to `jobs` at once; yield them in the order asked.

        What is raised for one id is yielded in its place; AuthProblem and DeadlinePassed end all.
        """
        tasks = [partial(capture_error, id_, partial(self.invocation, id_)) for id_ in ids]
        if len(tasks) == 1:
            yield tasks[0]()
            return
        from nostra_cli import concurrency  # not loaded for one status

        yield from concurrency.run(tasks, jobs, self.give_up)

    def check_token(self) -> NostraError | None:
        """Ask for one collection, once; give what kept the token from being checked.

        None says that the service took it; raises AuthProblem where it was refused.
        """
        path, json = "/api/collection?limit=1", {"Accept": "application/json"}
        try:
            with self._transport.request("GET", path, json, HEAD_SECONDS) as reply:
                check(reply, NotFound(f"{reply.host} has no list of collections", _ID_HINT))
                start = bytes(next(iter(decoded(reply)), b""))
                if reply.cross_origin or start.lstrip()[:1] not in (b"{", b"["):
                    return Corrupt(f"{reply.host} does not answer as the service does", _ID_HINT)
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
    ) -> Iterator[Response]:
        with self._transport.request("GET", path, headers, seconds) as reply:
            if reply.status not in (206, 416):
                check(reply, missing)
            yield reply

    @contextmanager
    def call(self, call: Call, low_speed: LowSpeed) -> Iterator[Answer]:
        """Send any request, and give the answer while the block lasts, a refusal too.

        Repeats as the other methods do, but sends a POST or a PATCH once. Raises Transient or
        DeadlinePassed where no answer came.
        """
        refused: list[Answer] = []
        with ExitStack() as stack:

            def attempt() -> Answer:
                refused.clear()
                stack.close()
                reply = stack.enter_context(
                    self._transport.request(
                        call.method, call.url, call.headers, content=call.content
                    )
                )
                if 200 <= reply.status < 300:
                    return Answer(_head(reply), self._whole(reply, call, low_speed), None)
                answer = _refused(reply, call)
                if isinstance(answer.problem, Transient):
                    refused.append(answer)
                    raise answer.problem
                return answer

            yield self._answered(call, attempt, refused)

    def _answered(
        self, call: Call, attempt: Callable[[], Answer], refused: Sequence[Answer]
    ) -> Answer:
        """Run the attempts; the refusal that is left when they are spent is an answer, too."""
        once = not is_idempotent(call.method)
        try:
            return self.retrier.run(attempt, f"{call.what} was answered", ONCE if once else NORMAL)
        except (Transient, DeadlinePassed) as failure:
            if once:
                failure.add_note(f"a {call.method} is sent once; see first whether it was done")
            if not refused or isinstance(failure, DeadlinePassed):
                raise
            return refused[-1]

    def _whole(self, reply: Response, call: Call, low_speed: LowSpeed) -> Iterator[Piece]:
        from nostra_cli.http.timeouts import paced  # not loaded for a status

        try:
            yield from paced(decoded(reply), low_speed, call.what)
        except Transient as failure:
            self.retrier.deadline.check(f"the answer to {call.what} was whole")
            raise type(failure)(failure.message, "what was written is not all of it") from failure

    def give_up(self) -> None:
        """Make every request that is under way in another thread end soon, with an error."""
        self.retrier.give_up()
        self._transport.abort()


_ID_HINT = "check the id, the profile and the base URL"
_PATH_HINT = "check the path, the profile and the base URL"


def _segment(text: str) -> str:
    return quote(text, safe="")


def _path(invocation: str) -> str:
    return f"/api/invocation/{_segment(invocation)}"


def _body_path(invocation: str, result: str | None, format: Format) -> str:
    which = f"/result/{_segment(result)}" if result is not None else ""
    return f"{_path(invocation)}{which}/{format}"


def _head(reply: Response) -> list[str]:
    return [reply.status_line, *(f"{name}: {value}" for name, value in reply.headers.items())]


def _refused(reply: Response, call: Call) -> Answer:
    """Read a refusal, up to 16 MiB of its body, and say what it means."""
    content = bytearray()
    try:
        for piece in decoded(reply):
            content += piece
            if len(content) > strict_json.LARGEST:
                break
    except (Corrupt, Transient):
        pass  # what came of it is enough: the status says that it is a refusal
    body = bytes(content)
    plain = {name: value for name, value in reply.headers.items() if name != "content-encoding"}
    missing = NotFound(f"{call.what}: there is no such thing", _PATH_HINT)
    problem = refusal(reply._replace(headers=plain, chunks=iter([body])), missing)
    return Answer(_head(reply), iter([body]), problem)


class _Malformed(Exception):
    """What the service described is not as documented."""


def read_invocation(invocation: str, raw: JsonObject) -> Invocation:
    """Convert the service's status object (API page, "Status").

    A malformed result has a `problem`. Raises Corrupt, with the field's name, for a documented
    field that is missing or wrong, and if there is no result but malformed ones.
    """
    try:
        status = _field(raw, "status", str)
        described = raw
        if outcome_of(status) is Outcome.COMPLETED:
            described = _field(raw, "invocationResults", dict)
    except _Malformed as error:
        raise Corrupt(f"status of {invocation!r}: {error}", _FIELD_HINT) from error
    if described is raw:
        return Invocation(invocation, status, (), raw)
    found = [_result(name, value) for name, value in described.items()]
    problems = [problem for result in found if (problem := malformed(invocation, result))]
    if problems and len(problems) == len(found):
        raise problems[0]
    results = sorted(found, key=lambda result: (not result.primary, result.id))
    return Invocation(invocation, status, tuple(results), raw)


def _result(name: str, value: JsonValue) -> Result:
    try:
        if not is_segment(name):
            raise _Malformed("not a valid id")
        if not isinstance(value, dict):
            raise _Malformed("not an object")
        return Result(
            id=name,
            formats=frozenset(f for f in Format if _field(value, f"{f}Available", bool)),
            primary=_field(value, "primaryResult", bool),
            status=_field(value, "status", str),
        )
    except _Malformed as error:
        primary = isinstance(value, dict) and value.get("primaryResult") is True
        return Result(name, primary, "", frozenset(), str(error))


def _field(raw: Mapping[str, JsonValue], key: str, type_: type[T]) -> T:
    if key not in raw:
        raise _Malformed(f"the field {key!r} is missing")
    value = raw[key]
    if not isinstance(value, type_):
        raise _Malformed(f"the field {key!r} is not {_TYPE_NAMES[type_]}")
    return value


_TYPE_NAMES: Mapping[type, str] = {str: "a string", bool: "true or false", dict: "an object"}
_FIELD_HINT = "the service broke its contract: report it, and see the response with nostra api"
