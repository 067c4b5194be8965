"""A response as bytes on a connection, and the ways in which they can fail to arrive."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from nostra_cli.sandbox.shaping import first_bytes, phrase

if TYPE_CHECKING:
    from nostra_cli.sandbox.fault import Fault
    from nostra_cli.sandbox.responses import Headers, Response

Wait = Callable[[float], object]

_TICK = 0.1  # seconds between two pieces of a slow body
_BODILESS = (204, 304)


def message(
    response: Response, fault: Fault, extra: Headers, *, bodiless: bool
) -> tuple[bytes, Iterator[bytes]]:
    """Return the head and the framed body, up to the point where the fault stops it.

    `extra` are headers that the response may override; `bodiless` is for HEAD.
    """
    framing = fault.framing or ("chunked" if response.length is None else "length")
    added = [pair for pair in extra if response.header(pair[0]) is None]
    headers = (*added, *response.headers, *_framing(response, fault, framing))
    lines = (f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {response.status} {phrase(response.status)}\r\n{''.join(lines)}".encode(
        "latin-1"
    )
    if fault.endless_headers:
        return head, (b"X-Endless-%d: %s\r\n" % (number, b"x" * 1000) for number in count())
    nothing = bodiless or response.status in _BODILESS
    return head + b"\r\n", iter(()) if nothing else _body(response, framing, _stop(fault))


def _framing(response: Response, fault: Fault, framing: str) -> Headers:
    """Return the headers that frame the body (RFC 9112, section 6), rightly or not."""
    if framing == "chunked":
        return (("Transfer-Encoding", "chunked"),)
    if framing == "close":
        return (("Connection", "close"),)
    known = response.header("Content-Length") is not None
    if known or response.length is None or response.status in _BODILESS:
        return ()
    return (("Content-Length", str(max(response.length + fault.length_off, 0))),)


def _body(response: Response, framing: str, stop: int | None) -> Iterator[bytes]:
    chunks = iter(response.chunks) if stop is None else first_bytes(response.chunks, stop)
    if framing != "chunked":
        yield from chunks
        return
    yield from (b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    if stop is None:
        yield b"0\r\n\r\n"


def _stop(fault: Fault) -> int | None:
    """Return how many bytes of the body are sent, None for all."""
    stops = [stop for stop in (fault.cut_after, fault.stall_after) if stop is not None]
    return min(stops, default=0 if fault.reset else None)


def breaks(fault: Fault) -> bool:
    """Return whether the connection cannot be used after the response."""
    wrong = fault.length_off != 0 or any(name.lower() == "content-length" for name in fault.headers)
    return wrong or fault.framing == "close" or _stop(fault) is not None or fault.endless_headers


def paced(pieces: Iterator[bytes], rate: int | None, wait: Wait) -> Iterator[bytes]:
    """Yield the bytes at `rate` bytes a second, or as they come for None."""
    if rate is None:
        yield from pieces
        return
    size = max(int(rate * _TICK), 1)
    for piece in pieces:
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            yield part
            wait(len(part) / rate)


def hang(connection: socket.socket) -> None:
    """Send nothing until the client goes away (or the sandbox ends)."""
    while connection.recv(65_536):
        pass


def reset(connection: socket.socket) -> None:
    """End the connection with RST: without lingering, and before anything can send FIN."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    socket.close(connection.detach())
