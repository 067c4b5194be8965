"""Faults seen through a raw socket."""

from __future__ import annotations

import socket
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest

from nostra_cli.sandbox.samples import sample
from tests.sandbox.calling import fault, faulty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostra_cli.sandbox.server import Sandbox

WHOLE = sample("deduplication", "csv").data


@contextmanager
def asking(sandbox: Sandbox, method: str = "GET") -> Iterator[socket.socket]:
    """Send a request for the body with the fault."""
    port = int(sandbox.base_url.rpartition(":")[2])
    head = f"{method} /api/invocation/demo-dedup/csv HTTP/1.1\r\nHost: sandbox\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}Authorization: Token {sandbox.token}\r\n\r\n".encode())
        yield connection


def read(connection: socket.socket) -> bytes:
    """Read to the end."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def read_body(connection: socket.socket, size: int) -> bytes:
    """Read at least `size` bytes of the body."""
    received = b""
    while len(received.partition(b"\r\n\r\n")[2]) < size:
        piece = connection.recv(65_536)
        assert piece, "the connection ended"
        received += piece
    return received.partition(b"\r\n\r\n")[2]


def test_cut_ends_with_fin() -> None:
    with faulty(fault("cut_after = 100")) as sandbox, asking(sandbox) as connection:
        head, _, body = read(connection).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(WHOLE) in head
    assert b"Connection: close" not in head  # a server that breaks does not say so
    assert body == WHOLE[:100]


@pytest.mark.parametrize("keys", ["reset = true", "reset = true\ndrop = true"])
def test_reset_ends_with_rst(keys: str) -> None:
    with (
        faulty(fault(keys)) as sandbox,
        asking(sandbox) as connection,
        pytest.raises(ConnectionResetError),
    ):
        read(connection)


def test_reset_in_the_middle_of_a_body() -> None:
    with (
        faulty(fault("reset = true\ncut_after = 100\nrate = 1_000")) as sandbox,
        asking(sandbox) as connection,
    ):
        assert read_body(connection, 100) == WHOLE[:100]
        with pytest.raises(ConnectionResetError):
            read(connection)


def test_drop_ends_before_the_head() -> None:
    with faulty(fault("drop = true")) as sandbox, asking(sandbox) as connection:
        assert read(connection) == b""


def test_stall_sends_nothing_more() -> None:
    with faulty(fault("stall_after = 100")) as sandbox, asking(sandbox) as connection:
        assert read_body(connection, 100) == WHOLE[:100]
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


@pytest.mark.parametrize("keys", ["stall_after = 100", "rate = 100", "delay = 1000"])
def test_a_long_fault_ends_with_the_sandbox(keys: str) -> None:
    with ExitStack() as stack:
        with faulty(fault(keys)) as sandbox:
            connection = stack.enter_context(asking(sandbox))
            wait_for_request(sandbox)
            begun = monotonic()
        read(connection)
        assert monotonic() - begun < 10


def wait_for_request(sandbox: Sandbox) -> None:
    """Spin until the server has read the request."""
    while not sandbox.requests:
        sleep(0.001)


def test_endless_headers_never_end() -> None:
    with faulty(fault("endless_headers = true")) as sandbox, asking(sandbox) as connection:
        received = b""
        while len(received) < 3_000_000:
            received += connection.recv(65_536)
    assert b"\r\n\r\n" not in received
    assert received.count(b"\r\nX-Endless-") > 1_000


def test_a_cut_chunked_body_has_no_last_chunk() -> None:
    with (
        faulty(fault('framing = "chunked"\ncut_after = 1_000_000')) as sandbox,
        asking(sandbox) as connection,
    ):
        body = read(connection).partition(b"\r\n\r\n")[2]
    assert body == b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE)


@pytest.mark.parametrize("keys", ["", "etag = 'W/\"a\"'", 'gzip = "ok"', "status = 500"])
def test_a_connection_survives_a_fault_that_does_not_break_it(keys: str) -> None:
    with faulty(fault(keys)) as sandbox, asking(sandbox, "HEAD") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 ")
        connection.sendall(b"GET /none HTTP/1.1\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404")
