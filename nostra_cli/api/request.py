"""Requests and responses of `nostra api`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from nostra_cli.api.errors import error_of
from nostra_cli.api.parsing import MAX_BYTES
from nostra_cli.errors import Corrupt, NostraError, NotFound, Transient, UsageProblem, usage_errors
from nostra_cli.http.encoding import decoded
from nostra_cli.http.timeouts import Deadline, LowSpeed, paced
from nostra_cli.http.transport import Response
from nostra_cli.models import Piece

MAX_URL = 60_000
"""Characters: more than servers accept, less than httpx rejects."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SAFE = "%/:@!$&'()*+,;=~"
"""Characters not to encode in a path; `%` because the path may be encoded already."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request; `url` is complete, percent-encoded and of the base URL's origin."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None

    @property
    def name(self) -> str:
        """Method and path, for messages; the query may hold secrets."""
        return f"{self.method} {urlsplit(self.url).path}"


class ApiResponse(NamedTuple):
    """A response: the lines of its head, its decoded body, and its error, if any."""

    head: Sequence[str]
    chunks: Iterator[Piece]
    error: NostraError | None


def build_request(
    base_url: str,
    path: str,
    method: str | None = None,
    read_content: Callable[[], bytes] | None = None,
    headers: Sequence[str] = (),
    query: Sequence[str] = (),
) -> ApiRequest:
    """Build a request from options; without `method` it is GET, or POST with a body.

    The body is read last. Raises UsageProblem for a request that cannot or must not be sent.
    """
    url = _url(base_url, path, query)
    if len(url) > MAX_URL:
        raise UsageProblem(f"the URL has {len(url)} characters, more than {MAX_URL}", _PATH_HINT)
    verb = _method(method, "GET" if read_content is None else "POST")
    sent = _headers(headers)
    if read_content is None:
        return ApiRequest(verb, url, sent)
    if "content-type" not in map(str.lower, sent):
        sent["Content-Type"] = "application/json"
    return ApiRequest(verb, url, sent, read_content())


def success_response(
    response: Response, request: ApiRequest, low_speed: LowSpeed, deadline: Deadline
) -> ApiResponse:
    """Return a successful response whose body has not been read yet."""

    def chunks() -> Iterator[Piece]:
        try:
            received = paced(response.chunks, low_speed, request.name)
            yield from decoded(response._replace(chunks=received))
        except Transient as failure:
            deadline.check(f"the response to {request.name} was complete")
            raise type(failure)(failure.message, "what was written is not complete") from failure

    return ApiResponse(_head(response), chunks(), None)


def error_response(response: Response, request: ApiRequest) -> ApiResponse:
    """Return an error response with up to 16 MiB of its body."""
    content = bytearray()
    try:
        for piece in decoded(response):
            content += piece
            if len(content) > MAX_BYTES:
                break
    except (Corrupt, Transient):
        pass  # the status is an error anyway
    body = bytes(content)
    plain = {name: value for name, value in response.headers.items() if name != "content-encoding"}
    not_found = NotFound(f"{request.name}: not found", _NOT_FOUND_HINT)
    error = error_of(response._replace(headers=plain, chunks=iter([body])), not_found)
    return ApiResponse(_head(response), iter([body]), error)


def _head(response: Response) -> list[str]:
    return [
        response.status_line,
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]


def _method(method: str | None, default: str) -> str:
    if method is None:
        return default
    if method.upper() not in _METHODS:
        raise UsageProblem(
            f"-X {method[:20]!r} is not a method", f"choose one of {', '.join(_METHODS)}"
        )
    return method.upper()


def _url(base_url: str, path: str, query: Sequence[str]) -> str:
    if not path or _CONTROL.search(path):
        raise UsageProblem("PATH is empty or has control characters", _PATH_HINT)
    if "#" in path:
        raise UsageProblem("PATH has a fragment (#...), which is never sent", _PATH_HINT)
    before, mark, asked = _below(base_url, path).partition("?")
    pairs = [asked] if mark else []
    for pair in query:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageProblem(f"--query {pair!r} is not key=value", "as in --query limit=10")
        pairs.append(f"{_encoded(key, '')}={_encoded(value, '')}")
    whole = _encoded(before, _SAFE)
    return f"{whole}?{_encoded('&'.join(filter(None, pairs)), _SAFE + '?')}" if pairs else whole


def _encoded(text: str, safe: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=safe)


def _below(base_url: str, path: str) -> str:
    """Return the complete URL of a path, or of a URL of the same origin."""
    base = urlsplit(base_url)
    with usage_errors("PATH is not a URL", _PATH_HINT):
        given = urlsplit(path)
        if not given.scheme and not path.startswith("//"):
            return f"{base_url}/{path.removeprefix('/')}"
        if _origin(given) != _origin(base) or "@" in given.netloc:
            raise UsageProblem(
                f"PATH is not below {base.scheme}://{base.netloc}, where the token belongs",
                _PATH_HINT,
            )
    query = f"?{given.query}" if given.query else ""
    return f"{base.scheme}://{base.netloc}{given.path or '/'}{query}"


def _origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)


_PATH_HINT = "it looks like /api/collection"
_NOT_FOUND_HINT = "check the path, the profile and the base URL"


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise UsageProblem("-H takes 'Name: value'", "as in -H 'Accept-Language: it'")
        if name.lower() in _RESERVED_HEADERS:
            raise UsageProblem(
                f"-H cannot set {name}: nostra does that itself",
                "the token is that of the profile, and goes to the base URL only",
            )
        if not value.isascii() or _CONTROL.search(value):
            raise UsageProblem(
                f"-H {name}: its value has control or non-ASCII characters",
                "a header is one line of ASCII characters",
            )
        known = next((key for key in headers if key.lower() == name.lower()), None)
        if known is None:
            headers[name] = value
        else:
            headers[known] += f", {value}"
    return headers
