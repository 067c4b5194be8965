"""HTTP, once: httpx goes in here and does not come out.

The token is bound to the origin of the base URL; redirects are followed here, so that every hop is
looked at; httpx's errors become ours.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from nostra_cli import __version__, fast_body
from nostra_cli.base_url import is_loopback
from nostra_cli.errors import ServiceProblem, Truncated, UsageProblem
from nostra_cli.httpx_errors import AGAIN, CONNECT_SECONDS, READ_SECONDS, broken_off, told
from nostra_cli.models import Piece
from nostra_cli.retry import Deadline
from nostra_cli.tls import trust
from nostra_cli.tokens import Token
from nostra_cli.watchdog import Watchdog

HEAD_SECONDS = 60.0
"""For the head of an answer, and for the body of one that is no result."""
MOST_REDIRECTS = 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

Trace = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read yet.

    `headers` has lower-case names; `chunks` gives the body as it came over the wire, not decoded,
    and raises Transient when it breaks off, Truncated when it ends too early. `foreign` says that a
    redirect led to another origin.
    """

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[Piece]
    host: str
    foreign: bool


class Transport:
    """One pool of connections to one service."""

    def __init__(
        self, base_url: str, token: Token, deadline: Deadline, trace: Trace | None = None
    ) -> None:
        """Bind `token` to the origin of `base_url`; `trace` gets a redacted line for each step.

        Raises UsageProblem for a base URL that is none to httpx.
        """
        try:
            httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise UsageProblem(
                "the base URL is not a URL", "check --base-url, NOSTRA_BASE_URL or the profile"
            ) from error
        self.base_url = base_url
        self._token = token
        self._deadline = deadline
        self._trace = trace
        self._threads = threading.local()
        self._watchdog = Watchdog()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.Client(
            verify=self._tls,
            headers={
                "User-Agent": f"nostra/{__version__}",
                "Accept-Encoding": "identity",
                "Accept": "*/*",
            },
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
    ) -> Iterator[Reply]:
        """Send one request, follow its redirects, and give the answer while the block lasts.

        `path` is percent-encoded already. The body has `body_seconds` to come, that of a refusal
        has a minute. Raises Transient for what may pass, ServiceProblem for
        what will not.
        """
        url = httpx.URL(self.base_url + path)
        response = self._follow(method, url, headers or {})
        try:
            yield Reply(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                self._chunks(response, body_seconds if response.is_success else HEAD_SECONDS),
                response.url.host,
                foreign=_origin(response.url) != _origin(url),
            )
        finally:
            response.close()

    def _follow(self, method: str, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        own = _origin(url)
        for _hop in range(MOST_REDIRECTS + 1):
            auth = {"Authorization": f"Token {self._token.value}"} if _origin(url) == own else {}
            response = self._send(method, url, {**headers, **auth})
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or location is None:
                return response
            response.close()
            url = _next_hop(url, location)
        raise ServiceProblem(
            f"{url.host}: more than {MOST_REDIRECTS} redirects", "check the base URL"
        )

    def _send(self, method: str, url: httpx.URL, headers: Mapping[str, str]) -> httpx.Response:
        trust(self._tls, url.scheme)
        fresh = False

        def watch(event: str, info: Mapping[str, Any]) -> None:
            nonlocal fresh
            fresh = fresh or event == "connection.connect_tcp.started"
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                connection = info["return_value"].get_extra_info("socket")
                self._newest()[:] = [connection]
                self._sockets.add(connection)

        for last in (False, True):
            request = self._client.build_request(
                method, url, headers=headers, timeout=self._timeout(), extensions={"trace": watch}
            )
            self._tell(f"> {method} {public_url(str(url))}", request.headers)
            try:
                with self._at_most(HEAD_SECONDS):
                    response = self._client.send(request, stream=True)
            except (httpx.InvalidURL, UnicodeError, OverflowError) as error:
                # httpx reads Location though it is not to follow; a host or a port may be none.
                raise _not_a_url(url) from error
            except httpx.HTTPError as error:
                # A kept connection that the server closed meanwhile says nothing about the service.
                if not (fresh or last) and isinstance(
                    error, (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
                ):
                    continue
                raise told(error, url) from error
            line = f"< {response.status_code} {response.reason_phrase}"
            self._tell(line, response.headers)
            return response
        raise AssertionError("unreachable")

    def _chunks(self, response: httpx.Response, seconds: float | None) -> Iterator[Piece]:
        source = fast_body.socket_of(response)
        try:
            with self._at_most(seconds):
                if source is None:
                    yield from response.iter_raw()
                else:
                    yield from fast_body.read(response, source, READ_SECONDS)
        except (EOFError, httpx.RemoteProtocolError) as error:
            raise Truncated(f"{response.url.host}: the body ended too early", AGAIN) from error
        except httpx.HTTPError as error:
            raise told(error, response.url) from error
        except OSError as error:
            raise broken_off(response.url.host, [error]) from error

    @contextmanager
    def _at_most(self, seconds: float | None) -> Iterator[None]:
        """Cut the connection off after `seconds`, or at the deadline, if the block still lasts.

        httpx limits each read, not all of them: a server that drips would never be done.
        """
        limits = [limit for limit in (seconds, self._deadline.remaining()) if limit is not None]
        if not limits:
            yield
            return
        with self._watchdog.limited(min(limits), partial(_cut_off, self._newest())):
            yield

    def _newest(self) -> list[socket.socket]:
        """Give the list that holds the connection which this thread made last."""
        if not hasattr(self._threads, "newest"):
            self._threads.newest = []
        newest: list[socket.socket] = self._threads.newest
        return newest

    def abort(self) -> None:
        """Cut every connection off: threads that wait for one go on at once, with an error."""
        _cut_off(list(self._sockets))

    def _timeout(self) -> httpx.Timeout:
        left = self._deadline.remaining()
        most = READ_SECONDS if left is None else max(0.001, min(READ_SECONDS, left))
        return httpx.Timeout(most, connect=min(CONNECT_SECONDS, most))

    def _tell(self, line: str, headers: httpx.Headers) -> None:
        if self._trace is None:
            return
        self._trace(line)
        for name, value in headers.items():
            shown = public_url(value) if name.lower() == "location" else value
            secret = name.lower() in _SECRET_HEADERS
            self._trace(f"{line[0]} {name}: {'***' if secret else shown}")


def _cut_off(connections: list[socket.socket]) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            # Not SSLSocket's own method: another thread is still reading from it.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


def public_url(url: str) -> str:
    """Give the URL without user name, password and query: a signed URL's query is a secret."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(not a URL)"
    query = "?***" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}" if netloc else parts.path + query


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _next_hop(url: httpx.URL, location: str) -> httpx.URL:
    """Give the URL a redirect leads to; raise ServiceProblem for one that must not be followed."""
    try:
        target = url.join(location).copy_with(username=None, password=None)
        host = target.host  # a host that cannot be decoded is found out here
    except (httpx.InvalidURL, ValueError) as error:
        raise _not_a_url(url) from error
    hint = "check the base URL; a proxy or a login page may stand in between"
    if target.scheme not in ("http", "https") or not host:
        raise ServiceProblem(f"{url.host} redirects to a {target.scheme}: URL", hint)
    if target.scheme == "http" and (url.scheme == "https" or not is_loopback(target.host)):
        raise ServiceProblem(
            f"{url.host} redirects to http://{target.host}, which is not encrypted", hint
        )
    return target


def _not_a_url(url: httpx.URL) -> ServiceProblem:
    where = url.netloc.decode("ascii", "replace").rpartition("@")[2]
    return ServiceProblem(
        f"{where} is not a host, or redirects to what is not a URL", "check the base URL"
    )
