"""A large body straight from the socket behind the response.

httpx makes new bytes objects on the way and needs two to three times the wall time. The socket is
reached through `network_stream`, a documented extension of httpx's responses.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_BUFFER = 1 << 20
_LINGER = 0.02
_NO_BODY = frozenset({204, 304})
"""Statuses of answers that end with their head, whatever length it names (RFC 9112, 6.3)."""


def socket_of(response: httpx.Response) -> socket.socket | None:
    """Give the socket that a body with a length can be read from, None where httpx has to."""
    if response.request.method == "HEAD" or response.status_code in _NO_BODY:
        return None
    if response.headers.keys() & {"transfer-encoding", "content-encoding"}:
        return None
    stream = response.extensions.get("network_stream")
    if stream is None or isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject):
        # TLS inside the TLS of a proxy has no socket of its own: the one below gives ciphertext.
        return None
    found = stream.get_extra_info("socket")
    wanted = ssl.SSLSocket if response.url.scheme == "https" else socket.socket
    return found if isinstance(found, wanted) else None


def read(
    response: httpx.Response, source: socket.socket, seconds: float
) -> Iterator[bytes | bytearray | memoryview]:
    """Give the body in pieces that are valid until the next one is asked for.

    Waits `seconds` for each piece. Raises OSError, TimeoutError among them, and EOFError when the
    peer closes before the end.
    """
    # What httpx has read with the head comes from its iterator, which must stay alive: it would
    # close the connection.
    iterator = response.iter_raw()
    first = next(iterator, b"")
    left = int(response.headers["content-length"]) - len(first)
    yield first
    source.setblocking(False)
    buffer = bytearray(_BUFFER)
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while left > 0:
            count = _fill(source, selector, memoryview(buffer)[:left], seconds)
            if not count:
                raise EOFError
            left -= count
            # As it is where it is full, so that nobody has to copy it to look at it.
            yield buffer if count == _BUFFER else memoryview(buffer)[:count]


def _fill(
    source: socket.socket, selector: selectors.BaseSelector, buffer: memoryview, seconds: float
) -> int:
    """Wait for bytes, then take what comes in a moment; gives 0 at the end."""
    count, end = 0, time.monotonic() + _LINGER
    while count < len(buffer):
        try:
            more = source.recv_into(buffer[count:])
        except (BlockingIOError, ssl.SSLWantReadError):
            if not selector.select(end - time.monotonic() if count else seconds):
                if count:
                    break
                raise TimeoutError from None
            continue
        if not more:
            break
        count += more
    return count
