"""The ends of bodies: short ones are truncated, and nothing follows them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trustme

from nostra_cli.errors import Transient, Truncated
from nostra_cli.http import transport as transports
from nostra_cli.http.transport import LARGE_BODY, Transport
from tests.faults.catalogue import covers
from tests.faults.raw import head, listening, ok, swallow
from tests.faults.secured import proxy, server_context
from tests.transports import body_of, connect, get, responding, serve_tls


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def cut(sent: bytes) -> tuple[bytes, type[Exception] | None]:
    """Request from a server that sends this and closes; return the bytes and the error."""

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(sent)

    with listening(handle) as raw, connect(raw.base_url) as transport:
        return received(transport)


def received(transport: Transport) -> tuple[bytes, type[Exception] | None]:
    """Read a body to its end; return its bytes and the error."""
    got = bytearray()
    try:
        with transport.request("GET", "/x") as response:
            for chunk in response.chunks:
                got += chunk
    except Transient as error:
        return bytes(got), type(error)
    return bytes(got), None


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("missing", [1, 1000, LARGE_BODY])
def test_a_short_body_is_truncated_after_its_last_byte(
    fast: bool, missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(transports, "LARGE_BODY", 1 << 60)
    body = body_of(LARGE_BODY)[: LARGE_BODY - missing]
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE_BODY + body
    assert cut(sent) == (body, Truncated)


@pytest.mark.parametrize("sent", [b"", b"ab"])
def test_a_small_body_that_is_short_is_truncated(sent: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    assert cut(start + sent) == (sent, Truncated)


@pytest.mark.parametrize("end", [b"", b"0", b"0\r\n", b"3\r\nab", b"3\r\nabc"])
def test_chunks_that_do_not_end_are_truncated(end: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    got, ended = cut(start + end)
    assert got.startswith(b"abc")
    assert ended is Truncated


@pytest.mark.parametrize("size", [b"x", b"-3", b"fffffffffffffffffffffffff"])
def test_an_invalid_chunk_size_is_truncated(size: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    assert cut(start + size + b"\r\nabc\r\n0\r\n\r\n") == (b"abc", Truncated)


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    assert cut(b"HTTP/1.1 200 OK\r\n\r\nabc") == (b"abc", None)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"\x16\x03"])
def test_a_head_that_does_not_end_is_transient(start: bytes) -> None:
    assert cut(start) == (b"", Transient)


def test_bytes_after_a_complete_body_are_not_part_of_it() -> None:
    for length in (3, LARGE_BODY):
        body = body_of(length)
        start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
        assert cut(start + body + b"HTTP/1.1 500 more") == (body, None)


@pytest.mark.parametrize("fast", [True, False])
def test_a_body_that_stalls_is_reported_as_such(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "READ_SECONDS", 0.1)
    if not fast:
        monkeypatch.setattr(transports, "LARGE_BODY", 1 << 60)

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % LARGE_BODY)
        swallow(connection)

    with (
        listening(handle) as raw,
        connect(raw.base_url) as transport,
        transport.request("GET", "/x") as response,
        pytest.raises(Transient, match=r"^127\.0\.0\.1: no data for"),
    ):
        list(response.chunks)


@pytest.mark.parametrize("length", [0, 100, LARGE_BODY])
@pytest.mark.parametrize("chunked", [False, True])
def test_bytes_after_a_response_are_never_the_next_one(length: int, chunked: bool) -> None:
    body = body_of(length)

    def answer(number: int, _head: bytes) -> bytes:
        start = ok(b"%d" % number + body)
        if chunked:
            lines = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            start = lines + b"%x\r\n%d%b\r\n0\r\n\r\n" % (length + 1, number, body)
        return start + ok(b"forged")

    with responding(answer) as raw, connect(raw.base_url) as transport:
        for number in range(3):
            assert get(transport) == (200, b"%d" % number + body, False)
    assert len(raw.heads) == 3


def test_a_connection_without_unread_bytes_is_kept() -> None:
    connections: list[int] = []

    def handle(connection: socket.socket, number: int) -> None:
        connections.append(number)
        while head(connection):
            connection.sendall(ok(b"x"))

    with listening(handle) as raw, connect(raw.base_url) as transport:
        for _ in range(3):
            assert get(transport) == (200, b"x", False)
    assert connections == [0]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def _trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def cut_tls(sent: bytes, authority: trustme.CA, notify: bool) -> tuple[bytes, type | None]:
    """Send over TLS and close, with or without close_notify; return what `cut` does."""
    context = server_context(authority.issue_cert("localhost"))

    def handle(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            head(secure)
            secure.sendall(sent)
            if notify:
                secure.unwrap()

    with listening(handle) as raw, connect(f"https://localhost:{raw.port}") as transport:
        return received(transport)


@covers("cut-tls")
@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\n\r\n" + body_of(3 * LARGE_BODY), body_of(3 * LARGE_BODY)),
    ],
)
@pytest.mark.parametrize("notify", [True, False])
def test_tls_that_ends_without_close_notify_has_not_ended_a_body_without_a_length(
    sent: bytes, body: bytes, notify: bool, authority: trustme.CA
) -> None:
    assert cut_tls(sent, authority, notify) == (body, None if notify else Truncated)


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("length", [0, 3, LARGE_BODY])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_with_a_known_end_needs_no_close_notify(
    length: int, chunked: bool, authority: trustme.CA
) -> None:
    body = body_of(length)
    sent = ok(body)
    if chunked:
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (length, body) if length else b"0\r\n\r\n"
        sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert cut_tls(sent, authority, notify=False) == (body, None)


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("length", [3, LARGE_BODY])
def test_a_short_body_over_tls_is_truncated(length: int, authority: trustme.CA) -> None:
    sent = ok(body_of(length))[:-1]
    assert cut_tls(sent, authority, notify=False) == (body_of(length)[:-1], Truncated)


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize(("length", "chunked"), [(1, False), (20_000, False), (1, True)])
def test_bytes_after_a_response_over_tls_are_never_the_next_one(
    length: int, chunked: bool, authority: trustme.CA
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    connections: list[int] = []

    def handle(connection: socket.socket, number: int) -> None:
        connections.append(number)
        start = ok(b"%d" % number * length)
        if chunked:
            start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            start += b"1\r\n%d\r\n0\r\nTrailer: x\r\n\r\n" % number
        serve_tls(context, start + ok(b"forged"))(connection, number)

    with (
        listening(handle) as raw,
        connect(f"https://localhost:{raw.port}") as transport,
    ):
        assert [get(transport)[1][-1:] for _ in range(3)] == [b"0", b"1", b"2"]


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("proxied", [False, True])
def test_a_connection_over_tls_is_kept(
    chunked: bool, proxied: bool, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    connections: list[int] = []
    start = ok(b"abc")
    if chunked:
        start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

    def handle(connection: socket.socket, number: int) -> None:
        connections.append(number)
        serve_tls(context, start)(connection, number)

    with (
        proxy() as through,
        listening(handle) as raw,
        connect(f"https://localhost:{raw.port}") as transport,
    ):
        if proxied:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{through.port}")
            monkeypatch.delenv("NO_PROXY")
        for _ in range(3):
            assert get(transport) == (200, b"abc", False)
    assert (connections, len(through.heads)) == ([0], int(proxied))
