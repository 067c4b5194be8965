"""TLS inside the TLS of a proxy, which Python's sockets do not support."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_RECORD_BYTES = 16 * 1024


class TlsInTls:
    """TLS over a TLS socket, with the methods of a socket that a connection uses."""

    def __init__(
        self, below: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str | None
    ) -> None:
        """Speak TLS over `below`."""
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )

    def do_handshake(self) -> None:
        """Make the handshake."""
        self._transfer(self._tls.do_handshake)

    def recv(self, max_bytes: int) -> bytes:
        """Receive some bytes, b"" at the end of the stream."""
        return self._transfer(lambda: self._tls.read(max_bytes))

    def sendall(self, data: bytes) -> None:
        """Send all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._transfer(lambda: self._tls.write(rest)) :]  # noqa: B023

    def pending(self) -> int:
        """Return a number of bytes that can be read without waiting."""
        return self._tls.pending() + self._incoming.pending + self._below.pending()

    def selected_alpn_protocol(self) -> str | None:
        """Return the protocol that was negotiated."""
        return self._tls.selected_alpn_protocol()

    def settimeout(self, seconds: float | None) -> None:
        """Set the timeout of each operation."""
        self._below.settimeout(seconds)

    def fileno(self) -> int:
        """Return the file descriptor of the socket below."""
        return self._below.fileno()

    def close(self) -> None:
        """Close the socket below."""
        self._below.close()

    def _transfer(self, step: Callable[[], T]) -> T:
        """Run a TLS operation; send and receive its data through the socket below."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._below.sendall(self._outgoing.read())
                if data := self._below.recv(_RECORD_BYTES):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                self._below.sendall(self._outgoing.read())  # the alert
                raise
            else:
                self._below.sendall(self._outgoing.read())
                return result
