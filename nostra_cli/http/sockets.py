"""Sockets for httpcore that return one response at a time and can be aborted.

httpcore itself would buffer bytes beyond a response and use them as the next one.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
from enum import Enum, auto
from typing import Any

import httpcore

from nostra_cli.http.errors import tls_error
from nostra_cli.http.tls_in_tls import TlsInTls

_HEAD_BYTES = 16 * 1024
Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)
"""poll where available: it needs no file descriptor, which matters when they run out."""
_END_OF_CHUNKS = b"\r\n\r\n"


class Framing(Enum):
    """What a connection receives next, and how its end is found (RFC 9112, 6.3)."""

    HEAD = auto()
    LENGTH = auto()
    CHUNKED = auto()
    UNTIL_CLOSE = auto()


class Connection(httpcore.NetworkStream):
    """A socket that returns the bytes of a response and none beyond it."""

    def __init__(self, sock: socket.socket, peer: str, tls_proxy: bool) -> None:
        """Wrap a connected socket; `peer` names the other end in messages.

        With `tls_proxy`, the first TLS handshake is with a proxy, not with the service behind it.
        """
        self.socket: socket.socket | TlsInTls = sock
        self.peer = peer
        self.status_line = b""
        self.ended = False
        """Whether the peer has ended the stream."""
        self.max_pause: float | None = None
        """The seconds to wait for each piece of a body, if not those of the request."""
        self._tls_proxy = tls_proxy
        self._abortable = sock
        self._framing = Framing.HEAD
        self._left = 0
        self._buffer = b""
        self._last_read = b""

    def begin_body(self, framing: Framing, length: int = 0) -> None:
        """Set how the body after the head ends, before any of it is read."""
        self._framing, self._left, self._last_read = framing, length, b""
        self.max_pause = None

    @property
    def body_length(self) -> int:
        """The bytes of the body still to come, 0 if no length was given."""
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
            in_head = self._framing is Framing.HEAD
            self.socket.settimeout(timeout if in_head else self.max_pause or timeout)
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
        self.socket.settimeout(timeout)
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
            socket.socket.shutdown(self._abortable, socket.SHUT_RDWR)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Connection:
        """Make the handshake; raises Transient or ServiceProblem."""
        below = self._abortable
        if isinstance(below, ssl.SSLSocket) or not self._tls_proxy:
            self.peer = server_hostname or self.peer
        try:
            below.settimeout(timeout)
            if isinstance(below, ssl.SSLSocket):
                self.socket = TlsInTls(below, ssl_context, server_hostname)
            else:
                self.socket = self._abortable = ssl_context.wrap_socket(
                    below,
                    server_hostname=server_hostname,
                    do_handshake_on_connect=False,
                    suppress_ragged_eofs=False,
                )
            self.socket.do_handshake()
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            self.close()
            raise tls_error(self.peer, error) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for; "is_readable" means that bytes follow the response."""
        if info == "is_readable":
            return self._has_more()
        is_tls = isinstance(self.socket, (ssl.SSLSocket, TlsInTls))
        return self.socket if info == "ssl_object" and is_tls else None

    @property
    def is_closed(self) -> bool:
        """Whether the socket was closed."""
        return self._abortable.fileno() < 0

    def _has_more(self) -> bool:
        """Return whether anything follows the response: bytes, or the end of the stream."""
        if self._framing is Framing.CHUNKED:
            end = self._last_read.find(_END_OF_CHUNKS)
            if end != len(self._last_read) - len(_END_OF_CHUNKS):
                return True  # perhaps not, but blank lines in the content look the same
        if self._buffer or self.is_closed:
            return True
        if isinstance(self.socket, (ssl.SSLSocket, TlsInTls)) and self.socket.pending():
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
