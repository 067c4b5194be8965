"""HTTP, once: httpx goes in here and does not come out.

The token is bound to the origin of the base URL; redirects are followed here, so that every hop is
looked at; httpx's errors become ours.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from nostra_cli import __version__
from nostra_cli.config.credentials import Token
from nostra_cli.config.masking import mask_token
from nostra_cli.errors import NostraError, ServiceProblem, Transient, UsageProblem
from nostra_cli.http.connections import Lane, client, drop_leftovers
from nostra_cli.http.redirects import MOST_REDIRECTS, REDIRECTS, Asked, not_a_url, origin
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.tls import trust
from nostra_cli.http.watchdog import CONNECT_SECONDS, READ_SECONDS, Watchdog
from nostra_cli.models import Piece

HEAD_SECONDS = 60.0
"""For the head of an answer, and for the body of one that is no result."""
LARGE = 1 << 20
"""Bytes: a body from this length on is read straight from its socket, which is then lost."""
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

_HEADERS = {
    "User-Agent": f"nostra/{__version__}",
    "Accept-Encoding": "identity",
    "Accept": "*/*",
}

Trace = Callable[[str], None]


class Response(NamedTuple):
    """An answer whose body has not been read yet.

    `headers` has lower-case names; `chunks` gives the body as it came over the wire, not decoded,
    and raises Transient when it breaks off, Truncated when it ends too early. `foreign` says that a
    redirect led to another origin, `status_line` is what the head began with; `masked` masks the
    token in what the service wrote.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[Piece]
    host: str
    foreign: bool
    status_line: str = ""
    masked: Callable[[str], str] = str


class Transport:
    """One pool of connections to one service."""

    def __init__(
        self, base_url: str, token: Token | None, deadline: Deadline, trace: Trace | None = None
    ) -> None:
        """Bind `token`, if any, to the origin of `base_url`.

        `trace` gets a redacted line for each step.
        Raises UsageProblem for a base URL that is none to httpx.
        """
        try:
            self._origin = origin(httpx.URL(base_url))
        except httpx.InvalidURL as error:
            raise UsageProblem(
                "the base URL is not a URL", "check --base-url, NOSTRA_BASE_URL or the profile"
            ) from error
        self.base_url = base_url
        self._token = token
        self._deadline = deadline
        self._trace = trace
        self._watchdog = Watchdog()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._lanes: list[Lane] = []
        self._idle: list[Lane] = []

    def close(self) -> None:
        """Close every connection."""
        for lane in self._lanes:
            lane.client.close()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
        content: bytes | None = None,
    ) -> Iterator[Response]:
        """Send one request, follow its redirects, and give the answer while the block lasts.

        `path` is percent-encoded already, or a whole URL; `content` is the body to send. That of
        the answer has `body_seconds` to come, that of a refusal has a minute. Raises Transient for
        what may pass, ServiceProblem for what will not.
        """
        url = httpx.URL(self.base_url + path if path.startswith("/") else path)
        with self._lane() as lane:
            response = self._follow(lane, Asked(method, url, headers or {}, content))
            seconds = body_seconds if response.is_success else HEAD_SECONDS
            chunks = self._chunks(lane, response, seconds)
            try:
                yield Response(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    chunks,
                    response.url.host,
                    foreign=origin(response.url) != self._origin,
                    status_line=_status_line(response),
                    masked=self._masked,
                )
            finally:
                chunks.close()  # whoever keeps it: its limit must not cut off the next request
                response.close()
                drop_leftovers(response)

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        """Give a lane that nobody uses; the one used last has the freshest connection."""
        try:
            lane = self._idle.pop()
        except IndexError:
            lane = Lane(client(self._tls, _HEADERS))
            self._lanes.append(lane)
        try:
            yield lane
        finally:
            self._idle.append(lane)

    def _follow(self, lane: Lane, asked: Asked) -> httpx.Response:
        first = asked.url.host
        for _hop in range(MOST_REDIRECTS + 1):
            response = self._send(lane, asked)
            location = response.headers.get("location")
            if response.status_code not in REDIRECTS or location is None:
                return response
            response.close()
            asked = asked.redirected(response.status_code, location)
        raise ServiceProblem(f"{first}: more than {MOST_REDIRECTS} redirects", "check the base URL")

    def _send(self, lane: Lane, asked: Asked) -> httpx.Response:
        method, url = asked.method, asked.url
        headers = dict(asked.headers)
        if self._token is not None and origin(url) == self._origin:
            headers["Authorization"] = f"Token {self._token.value}"
        trust(self._tls, url.scheme)
        lane.fresh = False
        for last in (False, True):
            request = lane.client.build_request(
                method,
                url,
                headers=headers,
                content=asked.content,
                timeout=self._timeout(),
                extensions={"trace": lane.watch},
            )
            self._tell(f"> {method} {redact_url(str(url))}", request.headers)
            try:
                with self._at_most(lane, HEAD_SECONDS):
                    response = lane.client.send(request, stream=True)
            except (httpx.InvalidURL, UnicodeError, OverflowError) as error:
                # httpx reads Location though it is not to follow; a host or a port may be none.
                raise not_a_url(url) from error
            except httpx.HTTPError as error:
                # A kept connection that the server closed meanwhile says nothing about the service.
                gone = isinstance(
                    error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
                )
                if gone and asked.repeatable and not (lane.fresh or last):
                    continue
                raise _told(error, url) from error
            self._tell(f"< {response.status_code} {response.reason_phrase}", response.headers)
            return response
        raise AssertionError("unreachable")

    def _chunks(
        self, lane: Lane, response: httpx.Response, seconds: float | None
    ) -> Generator[Piece]:
        began = time.monotonic()
        try:
            with self._at_most(lane, seconds):
                yield from _pieces(response)
        except (EOFError, OSError, httpx.HTTPError) as error:
            if seconds is not None and time.monotonic() - began >= seconds:
                # It did not end: it was cut off here.
                late = f"{response.url.host}: the answer did not end within {seconds:g} s"
                raise Transient(late, "try again later") from error
            raise _told(error, response.url, response) from error

    @contextmanager
    def _at_most(self, lane: Lane, seconds: float | None) -> Iterator[None]:
        """Cut the lane off after `seconds`, or at the deadline, if the block still lasts.

        httpx limits each read, not all of them: a server that drips would never be done.
        """
        limits = [limit for limit in (seconds, self._deadline.remaining()) if limit is not None]
        if not limits:
            yield
            return
        with self._watchdog.limited(min(limits), lane.cut_off):
            yield

    def abort(self) -> None:
        """Cut every connection off: threads that wait for one go on at once, with an error."""
        for lane in self._lanes:
            lane.cut_off()

    def _timeout(self) -> httpx.Timeout:
        left = self._deadline.remaining()
        most = READ_SECONDS if left is None else max(0.001, min(READ_SECONDS, left))
        return httpx.Timeout(most, connect=min(CONNECT_SECONDS, most))

    def _tell(self, line: str, headers: httpx.Headers) -> None:
        if self._trace is None:
            return
        received = line.startswith("<")
        self._trace(self._masked(line) if received else line)
        for name, value in headers.items():
            shown = redact_url(value) if name.lower() == "location" else value
            shown = self._masked(shown) if received else shown
            secret = name.lower() in _SECRET_HEADERS
            self._trace(f"{line[0]} {name}: {'***' if secret else shown}")

    def _masked(self, text: str) -> str:
        """Return what the service wrote without the token."""
        return mask_token(self._token.value, text, by_service=True) if self._token else text


def _pieces(response: httpx.Response) -> Iterator[Piece]:
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) >= LARGE:
        from nostra_cli.http import fast_body  # for large bodies only

        if source := fast_body.socket_of(response):
            return fast_body.read(response, source, READ_SECONDS)
    return response.iter_raw()


def _told(error: Exception, url: httpx.URL, response: httpx.Response | None = None) -> NostraError:
    """Tell of an error in our words: of the request, or of the body of `response`."""
    from nostra_cli.http import errors as httpx_errors  # for a failure only

    return httpx_errors.told(error, url, response is not None)


def redact_url(url: str) -> str:
    """Give the URL without user name, password and query: a signed URL's query is a secret."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(not a URL)"
    query = "?***" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}" if netloc else parts.path + query


def _status_line(response: httpx.Response) -> str:
    return f"{response.http_version} {response.status_code} {response.reason_phrase}".rstrip()
