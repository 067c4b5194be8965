"""A transport, and raw servers to test it with."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nostra_cli.config.credentials import Token
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import Transport
from tests.faults.raw import Handler, Raw, head, listening, ok

TOKEN = "s3cr3t-t0ken"


@contextmanager
def responding(respond: Callable[[int, bytes], bytes | None]) -> Iterator[Raw]:
    """Respond to each request by its number and head; None closes the connection."""
    raws: list[Raw] = []

    def handle(connection: socket.socket, _number: int) -> None:
        while request := head(connection):
            raws[0].heads.append(request)
            response = respond(len(raws[0].heads) - 1, request)
            if response is None:
                return
            connection.sendall(response)

    with listening(handle) as raw:
        raws.append(raw)
        yield raw


def serve_tls(context: ssl.SSLContext, response: bytes = ok(b"secure")) -> Handler:
    """Respond to each request over TLS with `response`."""

    def handle(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            while head(secure):
                secure.sendall(response)

    return handle


@contextmanager
def connect(base_url: str, trace: list[str] | None = None) -> Iterator[Transport]:
    log = trace.append if trace is not None else None
    transport = Transport(base_url, Token(TOKEN), Deadline(60), log)
    try:
        yield transport
    finally:
        transport.close()


def get(transport: Transport, path: str = "/x") -> tuple[int, bytes, bool]:
    with transport.request("GET", path) as response:
        body = b"".join(bytes(chunk) for chunk in response.chunks)
        return response.status, body, response.cross_origin


def redirect(location: str, status: int = 302) -> bytes:
    lines = [f"HTTP/1.1 {status} Found", f"Location: {location}", "Content-Length: 0"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def body_of(length: int) -> bytes:
    return (b"0123456789abcdefghijklmnopqrstu\n" * (length // 32 + 1))[:length]
