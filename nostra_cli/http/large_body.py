"""Read a large body straight from its socket: twice as fast as through httpx.

The connection cannot be reused: httpcore has not seen the end of the response.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Iterator

from nostra_cli.http.sockets import Connection, Selector
from nostra_cli.models import Piece

_BUFFER = 1 << 20
_LINGER = 0.02


def read_large_body(
    connection: Connection, source: socket.socket, length: int, seconds: float
) -> Iterator[Piece]:
    """Yield a body of `length` bytes in pieces that are valid until the next is requested.

    Waits `seconds` for each piece. Raises OSError (such as TimeoutError), and EOFError if the
    peer closes the connection too early.
    """
    left = length
    if first := connection.take_buffered(left):
        left -= len(first)
        yield first
    source.setblocking(False)
    buffer = bytearray(_BUFFER)
    with Selector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while left > 0:
            count = _fill(source, selector, memoryview(buffer)[:left], seconds)
            if not count:
                raise EOFError
            left -= count
            # A full buffer as it is: a bytearray can be searched without a copy.
            yield buffer if count == _BUFFER else memoryview(buffer)[:count]


def _fill(
    source: socket.socket, selector: selectors.BaseSelector, buffer: memoryview, seconds: float
) -> int:
    """Wait for bytes, then receive for 20 ms more; return 0 at the end of the stream."""
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
        except ssl.SSLEOFError:  # no close_notify: the bytes before it are still valid
            break
        if not more:
            break
        count += more
    return count
