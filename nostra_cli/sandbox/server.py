"""The sandbox on a socket: loopback only, one thread for each connection."""

from __future__ import annotations

import secrets
import signal
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nostra_cli.sandbox import responses, wire
from nostra_cli.sandbox.fault import Fault, Rules
from nostra_cli.sandbox.responses import Headers, Request, Response
from nostra_cli.sandbox.routes import respond
from nostra_cli.sandbox.scenario import Scenario
from nostra_cli.sandbox.shaping import shaped
from nostra_cli.sandbox.state import Clock, State, demos

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
LARGE_BYTES = 100_000_000
_LARGEST_REQUEST = 2_621_440  # Django's DATA_UPLOAD_MAX_MEMORY_SIZE
_REQUESTS_KEPT = 1_000
_SHUTDOWN_POLL = 0.05  # seconds


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: its URL, its only token, its invocations, the last requests."""

    base_url: str
    token: str
    ids: tuple[str, ...] = ()
    requests: deque[Request] = field(default_factory=lambda: deque(maxlen=_REQUESTS_KEPT))


@contextmanager
def serving(
    port: int = 0,
    large_bytes: int = LARGE_BYTES,
    scenario: Scenario | None = None,
    *,
    token: str | None = None,
    clock: Clock = time.monotonic,
) -> Iterator[Sandbox]:
    """Serve on 127.0.0.1 until the block ends; port 0 takes a free one.

    `large_bytes` is the size of each body of `demo-large`. Raises OSError if the port is taken
    and ValueError if `large_bytes` has no room for a row.
    """
    scenario = scenario or Scenario()
    state = State(scenario.applied(demos(large_bytes)), clock)
    secret = token or secrets.token_hex(20)  # as long as DRF's
    with _Server(port, state, Rules(scenario.faults), secret) as server:
        thread = threading.Thread(target=server.serve, name="sandbox", daemon=True)
        thread.start()
        try:
            yield server.sandbox
        finally:
            server.stopping.set()
            server.shutdown()
            server.close_connections()
            thread.join()


class _Server(ThreadingHTTPServer):
    """Threads that do not delay the end of the process, and connections that can be shut down."""

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # there it would share a port that is taken
    request_queue_size = 128

    def serve(self) -> None:
        """Serve; signals are for the main thread, which waits for them."""
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self.serve_forever(_SHUTDOWN_POLL)

    def __init__(self, port: int, state: State, rules: Rules, token: str) -> None:
        self.rules = rules
        self.stopping = threading.Event()
        self._state = state
        self._open: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)
        self.sandbox = Sandbox(f"http://{HOST}:{self.server_port}", token, state.ids)

    def respond(self, request: Request) -> Response:
        """Respond as the service does, without a fault."""
        return respond(self._state, self.sandbox.token, request)

    def server_bind(self) -> None:
        """Bind without the name look-up of HTTPServer, which may query a DNS server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        """Keep each connection, to shut it down with the server."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        """Forget a connection that has ended."""
        if isinstance(request, socket.socket):
            self._open.discard(request)
            super().shutdown_request(request)

    def close_connections(self) -> None:
        """Shut down open connections, so that their threads end."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its thread has closed it

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a client that went away; show anything else, which is a bug."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a head and its body are two writes
    server: _Server

    def version_string(self) -> str:
        """Name the sandbox in `Server`, so that it is not taken for the service."""
        return "nostra-sandbox"

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: stderr belongs to the command that runs the sandbox."""

    def _respond(self) -> None:
        """Handle one request, with the fault that the scenario has for it."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(responses.error(411, "A Content-Length is required."))
        elif int(length) > _LARGEST_REQUEST:
            self._refuse(responses.error(413, "The request body is too large."))
        else:
            self._serve(self._request(int(length)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815

    def _request(self, length: int) -> Request:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        return Request(self.command, target.path, target.query, headers, body)

    def _serve(self, request: Request) -> None:
        server = self.server
        server.sandbox.requests.append(request)
        hit = server.rules.take(request)
        server.stopping.wait(hit.fault.delay)
        if not hit.fault.drop:
            response = shaped(
                hit,
                request,
                port=server.server_port,
                token=server.sandbox.token,
                service=server.respond,
            )
            self._send(response, hit.fault)
        self._finish(hit.fault)

    def _refuse(self, response: Response) -> None:
        """Respond and close: a body that was not read would be taken for a request."""
        self.close_connection = True
        self._send(response, Fault())

    def _send(self, response: Response, fault: Fault) -> None:
        extra: Headers = (("Server", self.version_string()), ("Date", self.date_time_string()))
        if self.close_connection:
            extra = (*extra, ("Connection", "close"))
        head, body = wire.message(response, fault, extra, bodiless=self.command == "HEAD")
        self.wfile.write(head)
        for piece in wire.paced(body, fault.rate, self.server.stopping.wait):
            self.wfile.write(piece)

    def _finish(self, fault: Fault) -> None:
        """Leave the connection in the state that the fault asks for."""
        if fault.stall_after is not None and not fault.drop:
            wire.hang(self.connection)
        if fault.drop or wire.breaks(fault):
            self.close_connection = True
        if fault.reset:
            wire.reset(self.connection)
