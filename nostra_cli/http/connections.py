"""Connections: one client per request, through a proxy where the environment names one."""

from __future__ import annotations

import codecs
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping

import httpcore
import httpx

from nostra_cli.http.errors import (
    HTTP_ERRORS,
    connect_error,
    convert_error,
    not_http,
    proxy_refusal,
)
from nostra_cli.http.proxies import Proxy, proxy_for
from nostra_cli.http.sockets import Connection, framing_of
from nostra_cli.http.timeouts import TimeLimit

codecs.lookup("idna")  # loaded now: sockets need it where no file descriptor may be left

KEEP_ALIVE_SECONDS = 5.0
"""A connection that was idle for longer may be dead without a sign of it."""


class _Backend(httpcore.NetworkBackend):
    """Open the connections of one client, directly or to a proxy, and keep track of them."""

    def __init__(self, proxy: Proxy | None, limit: TimeLimit) -> None:
        self.connections: tuple[Connection, ...] = ()
        self.connects = 0
        self._proxy = proxy
        self._limit = limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 (part of the interface)
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> Connection:
        self.connects += 1
        peer = f"proxy {self._proxy}" if self._proxy else host
        try:
            sock = socket.create_connection((host, port), self._limit.next_wait(timeout))
        except (OSError, UnicodeError, OverflowError) as error:
            raise connect_error(peer, error) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        new = Connection(sock, peer, self._limit)
        # A new tuple: another thread may be iterating over the old one to abort them.
        self.connections = (*(c for c in self.connections if not c.is_closed), new)
        return new


class PooledClient(httpx.BaseTransport):
    """A client for one request at a time, so that all its connections belong to that request."""

    def __init__(self, context: Callable[[], ssl.SSLContext], headers: Mapping[str, str]) -> None:
        """Send `headers` with each request; `context` is called for the first https URL."""
        self.client = httpx.Client(transport=self, headers=headers, trust_env=False)
        self.limit = TimeLimit()
        self._context = context
        self._pools: dict[tuple[str, Proxy | None], tuple[httpcore.ConnectionPool, _Backend]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for httpx; `response.extensions` has the Connection.

        Raises Transient or ServiceProblem if a new connection failed, and what the socket or
        httpcore raises if a kept one did.
        """
        proxy = proxy_for(str(request.url))
        pool, backend = self._pool(request.url.scheme, proxy)
        connects = backend.connects
        try:
            response = pool.handle_request(_core_request(request))
        except httpcore.ProxyError as error:
            refused = backend.connections[-1]
            raise proxy_refusal(refused.peer, refused.status_line, request.url.host) from error
        except HTTP_ERRORS as error:
            if backend.connects == connects:
                raise
            failed = backend.connections[-1]
            if isinstance(error, httpcore.RemoteProtocolError) and not failed.ended:
                raise not_http(failed.peer) from error
            raise convert_error(error, failed.peer, self.limit.waited) from error
        connection: Connection = response.extensions["network_stream"]
        connection.begin_body(*framing_of(request.method, response))
        body = _Body(response)
        return httpx.Response(
            response.status, headers=response.headers, stream=body, extensions=response.extensions
        )

    def abort(self) -> None:
        """Abort the request under way: the thread that waits for it gets an error at once."""
        for _, backend in tuple(self._pools.values()):
            for connection in backend.connections:
                connection.abort()

    def close(self) -> None:
        """Close the connections; called by httpx when its client is closed."""
        for pool, _ in self._pools.values():
            pool.close()

    def _pool(self, scheme: str, proxy: Proxy | None) -> tuple[httpcore.ConnectionPool, _Backend]:
        key = (scheme, proxy)
        if key not in self._pools:
            backend = _Backend(proxy, self.limit)
            pool = httpcore.ConnectionPool(
                ssl_context=self._context() if scheme == "https" else None,
                proxy=_core_proxy(proxy) if proxy else None,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=backend,
            )
            self._pools[key] = pool, backend
        return self._pools[key]


def _core_proxy(proxy: Proxy) -> httpcore.Proxy:
    url = httpcore.URL(scheme="http", host=proxy.host, port=proxy.port, target="/")
    return httpcore.Proxy(url, auth=proxy.credentials)


class _Body(httpx.SyncByteStream):
    """The body of an httpcore response, for httpx."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


def _core_request(request: httpx.Request) -> httpcore.Request:
    url = request.url
    target = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    return httpcore.Request(
        request.method,
        target,
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )
