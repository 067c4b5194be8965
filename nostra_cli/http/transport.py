"""Send one HTTP request.

The token is bound to the origin of the base URL. Redirects are followed here, so that each is
checked. Errors of httpx and of sockets become NostraErrors.
"""

from __future__ import annotations

import math
import os
import re
import ssl
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from nostra_cli import __version__
from nostra_cli.config.credentials import Token
from nostra_cli.config.masking import mask_token
from nostra_cli.errors import ServiceProblem, Transient, UsageProblem
from nostra_cli.http.connections import PooledClient
from nostra_cli.http.errors import HTTP_ERRORS, convert_body_error, convert_error
from nostra_cli.http.redirects import (
    MAX_REDIRECTS,
    REDIRECTS,
    Request,
    invalid_url,
    is_idempotent,
    origin,
)
from nostra_cli.http.sockets import Connection, read_large_body
from nostra_cli.http.timeouts import CONNECT_SECONDS, READ_SECONDS, Deadline
from nostra_cli.models import Piece

HEAD_SECONDS = 60.0
"""Limit for the head of a response, and for a body that is not a result."""
LARGE_BODY = 1 << 20
"""Bytes from which a body is read straight from its socket, which is then not reused."""
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-amz-security-token"}
)
_QUERY = r"""(?i)(https?://[^\s<>"'?]*\?)[^\s<>"']*|(\?)[^\s<>"'?=]+=[^\s<>"']*"""
"""That of a complete URL, or `?key=value` of a relative one."""

_HEADERS = {
    "User-Agent": f"nostra/{__version__}",
    "Accept-Encoding": "identity",
    "Accept": "*/*",
}

Trace = Callable[[str], None]


class Response(NamedTuple):
    """A response whose body has not been read yet.

    `headers` has lower-case names. `chunks` yields the body as received, not decoded; it raises
    Transient if the connection fails, Truncated if the body ends too early. `cross_origin`: a
    redirect led to another origin. `masked` masks secrets in text of the service.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[Piece]
    host: str
    cross_origin: bool
    status_line: str = ""
    masked: Callable[[str], str] = str


class Transport:
    """The connections to one service, for many threads."""

    def __init__(
        self, base_url: str, token: Token | None, deadline: Deadline, trace: Trace | None = None
    ) -> None:
        """Bind `token` to the origin of `base_url`; raises UsageProblem for an invalid one.

        `trace` is called with a redacted line for each step.
        """
        try:
            self._origin = origin(httpx.URL(base_url))
        except (httpx.InvalidURL, ValueError) as error:  # ValueError: a host such as `xn--`
            raise UsageProblem(
                "the base URL is not a valid URL",
                "check --base-url, NOSTRA_BASE_URL or the profile",
            ) from error
        self.base_url = base_url
        self._token = token
        self._deadline = deadline
        self._trace = trace
        self._trace_lock = threading.Lock()
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None
        self._clients: list[PooledClient] = []
        self._idle: list[PooledClient] = []
        self._aborted = False

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients:
            client.client.close()

    def abort(self) -> None:
        """Abort every request: threads that wait for one get an error at once, and try no more."""
        self._aborted = True
        for client in self._clients:
            client.abort()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
        content: bytes | None = None,
        max_pause: float | None = None,
    ) -> Iterator[Response]:
        """Send one request, follow its redirects, and yield the response while the block lasts.

        `path` is percent-encoded, or a complete URL; `content` is the body to send. The body of the
        response may take `body_seconds`, that of an error response a minute, and each piece of it
        `max_pause` (default: READ_SECONDS). Raises Transient for temporary failures, ServiceProblem
        for permanent ones.
        """
        url = httpx.URL(self.base_url + path if path.startswith("/") else path)
        with self._client() as client:
            response = self._follow(client, Request(method, url, headers or {}, content))
            status_line = f"{response.http_version} {response.status_code}"
            seconds = body_seconds if response.is_success else HEAD_SECONDS
            chunks = self._chunks(client, response, seconds, max_pause or READ_SECONDS)
            try:
                yield Response(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    chunks,
                    response.url.host,
                    cross_origin=origin(response.url) != self._origin,
                    status_line=f"{status_line} {response.reason_phrase}".rstrip(),
                    masked=self._masked,
                )
            finally:
                chunks.close()  # nothing may read from the next response
                response.close()

    @contextmanager
    def _client(self) -> Iterator[PooledClient]:
        """Yield an idle client; the last one used has the newest connection."""
        try:
            client = self._idle.pop()
        except IndexError:
            client = PooledClient(self._context, _HEADERS)
            self._clients.append(client)
        try:
            yield client
        finally:
            self._idle.append(client)

    def _context(self) -> ssl.SSLContext:
        """Return the TLS context that all clients share, created for the first https URL."""
        from nostra_cli.http.tls import tls_context  # not loaded for http

        with self._lock:
            if self._tls is None:
                self._tls = tls_context(os.environ)
            return self._tls

    def _follow(self, client: PooledClient, request: Request) -> httpx.Response:
        first = request.url.host
        for _hop in range(MAX_REDIRECTS + 1):
            response = self._send(client, request)
            location = response.headers.get("location")
            if response.status_code not in REDIRECTS or location is None:
                return response
            response.close()
            request = request.redirected(response.status_code, location)
        raise ServiceProblem(f"{first}: more than {MAX_REDIRECTS} redirects", "check the base URL")

    def _send(self, client: PooledClient, request: Request) -> httpx.Response:
        """Send a request, and once more if a kept connection was closed by the server meanwhile."""
        for again in (is_idempotent(request.method), False):
            try:
                return self._send_once(client, request)
            except HTTP_ERRORS as error:
                if not again or self._aborted or isinstance(error, TimeoutError):
                    raise convert_error(error, request.url.host, client.limit.waited) from error
        raise AssertionError("unreachable")

    def _send_once(self, client: PooledClient, request: Request) -> httpx.Response:
        method, url = request.method, request.url
        headers = dict(request.headers)
        if self._token is not None and origin(url) == self._origin:
            headers["Authorization"] = f"Token {self._token.value}"
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        built = client.client.build_request(
            method, url, headers=headers, content=request.content, timeout=timeout
        )
        self._log(f"> {method} {redact_url(str(url))}", built.headers)
        try:
            self._limit(client, HEAD_SECONDS)
            response = client.client.send(built, stream=True)
        except (httpx.InvalidURL, httpx.HTTPError, UnicodeError, OverflowError) as error:
            # httpx parses Location even if it does not follow it; host or port may be invalid.
            raise invalid_url(url) from error
        self._log(f"< {response.status_code} {response.reason_phrase}", response.headers)
        return response

    def _chunks(
        self,
        client: PooledClient,
        response: httpx.Response,
        seconds: float | None,
        max_pause: float,
    ) -> Generator[Piece]:
        self._limit(client, seconds, max_pause)
        try:
            for piece in _body(response):
                yield piece
                client.limit.progressed()
        except HTTP_ERRORS as error:
            if seconds is not None and client.limit.waited >= seconds:
                late = f"{response.url.host}: the response did not end within {seconds:g} s"
                raise Transient(late, "try again later") from error
            raise convert_body_error(error, response.url.host, max_pause) from error

    def _limit(
        self, client: PooledClient, seconds: float | None, max_pause: float | None = None
    ) -> None:
        """Let what follows take `seconds`, and no longer than the deadline."""
        limits = [limit for limit in (seconds, self._deadline.remaining()) if limit is not None]
        client.limit.start(min(limits, default=math.inf), max_pause)

    def _log(self, line: str, headers: httpx.Headers) -> None:
        if self._trace is None:
            return
        received = line.startswith("<")
        with self._trace_lock:  # the lines of one head stay together
            self._trace(self._masked(line) if received else line)
            for name, value in headers.items():
                shown = redact_url(value) if name.lower() == "location" else value
                shown = self._masked(shown) if received else shown
                secret = name.lower() in _SECRET_HEADERS
                self._trace(f"{line[0]} {name}: {'***' if secret else shown}")

    def _masked(self, text: str) -> str:
        """Mask the token, and the queries of URLs, in text of the service."""
        text = re.sub(_QUERY, r"\1\2***", text)
        return mask_token(self._token.value, text, by_service=True) if self._token else text


def _body(response: httpx.Response) -> Iterator[Piece]:
    connection: Connection = response.extensions["network_stream"]
    length = connection.body_length
    if length < LARGE_BODY:
        return response.iter_raw()
    return read_large_body(connection, length)


def redact_url(url: str) -> str:
    """Remove user name, password and query from a URL: a signed URL's query is a secret."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(not a URL)"
    query = "?***" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}" if netloc else parts.path + query
