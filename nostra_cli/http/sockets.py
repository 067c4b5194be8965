"""Sockets for httpcore that return one response at a time and can be aborted.

httpcore itself would buffer bytes beyond a response and use them as the next one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any

import httpcore

from nostra_cli.http.errors import tls_error
from nostra_cli.http.timeouts import TimeLimit
from nostra_cli.models import Piece

_HEAD_BYTES = 16 * 1024
Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)
"""poll where available: it needs no file descriptor, which matters when they run out."""
_END_OF_CHUNKS = b"\r\n\r\n"
_BUFFER = 1 << 20
_LINGER = 0.02


class Framing(Enum):
    """What a connection receives next, and how its end is found (RFC 9112, 6.3)."""

    HEAD = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


class Connection(httpcore.NetworkStream):
    """A socket whose reads stop at the end of a response."""

    def __init__(self, sock: socket.socket, peer: str, limit: TimeLimit) -> None:
        """Wrap a connected socket; `peer` names the other end in messages."""
        self.socket = sock
        self.peer = peer
        self.limit = limit
        self.status_line = b""
        self.ended = False
        """Whether the peer has ended the stream."""
        self._framing = Framing.HEAD
        self._left = 0
        self._buffer = b""
        self._last_read = b""

    def begin_body(self, framing: Framing, length: int = 0) -> None:
        """Set how the body after the head ends, before any of it is read."""
        self._framing, self._left, self._last_read = framing, length, b""

    @property
    def body_length(self) -> int:
        """The number of body bytes left, 0 without a Content-Length."""
        return self._left if self._framing is Framing.LENGTH else 0

    def take_buffered(self, max_bytes: int) -> bytes:
        """Take what was received with the head of the response."""
        data, self._buffer = self._buffer[:max_bytes], self._buffer[max_bytes:]
        return data

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return some bytes of the response, of its head a line; b"" at the end of the stream."""
        if self._framing is Framing.LENGTH:
            max_bytes = min(max_bytes, self._left)
        elif self._framing is Framing.HEAD:
            max_bytes = _HEAD_BYTES
        data = self.take_buffered(max_bytes)
        if not data:
            self.socket.settimeout(self.limit.next_wait(timeout))
            data = self.socket.recv(max_bytes)
            self.ended = not data
        if self._framing is Framing.HEAD:
            end = data.find(b"\n") + 1 or len(data)
            data, self._buffer = data[:end], data[end:] + self._buffer
            self.status_line = self.status_line or data
        elif self._framing is Framing.LENGTH:
            self._left -= len(data)
        else:
            self._last_read = self._last_read[-3:] + data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a request, or a part of it."""
        self._framing, self.status_line = Framing.HEAD, b""
        self.socket.settimeout(self.limit.next_wait(timeout))
        try:
            self.socket.sendall(buffer)
        except TimeoutError:
            raise
        except OSError as error:
            # The response may have arrived anyway: httpcore then reads it.
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def abort(self) -> None:
        """Make the thread that reads or writes fail at once."""
        with contextlib.suppress(OSError):
            # Not SSLSocket's own method: another thread is still reading from it.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Connection:
        """Make the handshake; raises Transient or ServiceProblem."""
        self.peer = server_hostname or self.peer
        try:
            self.socket.settimeout(self.limit.next_wait(timeout))
            # The handshake comes after the assignment, so that `abort` reaches it.
            self.socket = wrapped = ssl_context.wrap_socket(
                self.socket,
                server_hostname=server_hostname,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
            wrapped.do_handshake()
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            self.close()
            raise tls_error(self.peer, error) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for; "is_readable" means that bytes follow the response."""
        if info == "is_readable":
            return self._has_more()
        is_tls = isinstance(self.socket, ssl.SSLSocket)
        return self.socket if info == "ssl_object" and is_tls else None

    @property
    def is_closed(self) -> bool:
        """Whether the socket was closed."""
        return self.socket.fileno() < 0

    def _has_more(self) -> bool:
        """Return whether anything follows the response: bytes, or the end of the stream."""
        if self._framing is Framing.CHUNKED:
            end = self._last_read.find(_END_OF_CHUNKS)
            if end != len(self._last_read) - len(_END_OF_CHUNKS):
                return True  # perhaps not, but blank lines in the content look the same
        if self._buffer or self.is_closed:
            return True
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        with Selector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            return bool(selector.select(0))


def framing_of(method: str, response: httpcore.Response) -> tuple[Framing, int]:
    """Return how the body of a response ends, and its length if that defines it."""
    headers = {name.lower(): value for name, value in response.headers}
    if method == "HEAD" or response.status in (204, 304):
        return Framing.LENGTH, 0
    if b"transfer-encoding" in headers:
        return Framing.CHUNKED, 0
    length = headers.get(b"content-length", b"").strip()
    # httpcore rejects contradicting lengths but accepts "3, 3".
    first = length.split(b",")[0].strip()
    return (Framing.LENGTH, int(first)) if first.isdigit() else (Framing.UNTIL_CLOSE, 0)


def read_large_body(connection: Connection, length: int) -> Iterator[Piece]:
    """Read a body of `length` bytes straight from its socket: twice as fast as through httpx.

    Yields pieces that are valid until the next is requested. Raises OSError (such as
    TimeoutError), and EOFError if the peer closes the connection too early.
    The connection cannot be reused: httpcore has not seen the end of the response.
    """
    left, source = length, connection.socket
    if first := connection.take_buffered(left):
        left -= len(first)
        yield first
    source.setblocking(False)
    buffer = bytearray(_BUFFER)
    with Selector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while left > 0:
            count = _fill(connection, selector, memoryview(buffer)[:left])
            if not count:
                raise EOFError
            left -= count
            # A full buffer as it is: a bytearray can be searched without a copy.
            yield buffer if count == _BUFFER else memoryview(buffer)[:count]


def _fill(connection: Connection, selector: selectors.BaseSelector, buffer: memoryview) -> int:
    """Wait for bytes, then receive for 20 ms more; return 0 at the end of the stream."""
    count, end = 0, time.monotonic() + _LINGER
    while count < len(buffer):
        try:
            more = connection.socket.recv_into(buffer[count:])
        except (BlockingIOError, ssl.SSLWantReadError):
            wait = end - time.monotonic() if count else connection.limit.next_wait()
            if not selector.select(wait):
                if count:
                    break
                raise TimeoutError from None
            continue
        except ssl.SSLEOFError:  # no close_notify: the bytes before it are still valid
            break
        if not more:
            break
        count += more
    return count
