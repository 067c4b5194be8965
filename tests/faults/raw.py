"""Raw socket servers, for behaviour that server libraries do not allow."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Handler = Callable[[socket.socket, int], None]
"""Is given a connection and its number, from 0."""


@dataclass
class Raw:
    """A listening socket on loopback and the requests it received."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def listening(handler: Handler) -> Iterator[Raw]:
    """Run `handler` for each connection, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    raw = Raw(listener.getsockname()[1])
    stop = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            handler(connection, number)

    def accept() -> None:
        number = 0
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()
            number += 1

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield raw
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextlib.contextmanager
def nobody_takes() -> Iterator[int]:
    """Yield a port on which connections are neither accepted nor refused."""
    with socket.socket() as full, socket.socket() as filler, socket.socket() as more:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for other in (filler, more):  # the backlog is full: a further one gets no answer
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def head(connection: socket.socket) -> bytes:
    """Read one request's head; empty when the other side is gone."""
    got = b""
    while b"\r\n\r\n" not in got:
        data = connection.recv(65536)
        if not data:
            return b""
        got += data
    return got


def ok(body: bytes, *headers: str) -> bytes:
    """Write a whole answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def swallow(connection: socket.socket) -> None:
    """Read until the other side goes."""
    while connection.recv(65536):
        pass
