"""Where bodies end: short ones are never taken for whole, and nothing comes behind them."""

from __future__ import annotations

import socket

import pytest

from nostra_cli.errors import Transient, Truncated
from nostra_cli.http import transport as transports
from nostra_cli.http.transport import LARGE
from tests.faults.raw import head, listening, ok, swallow
from tests.talking import answering, body_of, get, talking


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def cut(sent: bytes) -> tuple[bytes, type[Exception] | None]:
    """Ask a server that sends this much and closes; give what came and what it ended in."""

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(sent)

    got = b""
    with listening(handle) as raw, talking(raw.base_url) as transport:
        try:
            with transport.request("GET", "/x") as reply:
                for chunk in reply.chunks:
                    got += bytes(chunk)
        except Transient as error:
            return got, type(error)
    return got, None


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("missing", [1, 1000, LARGE])
def test_a_body_that_is_short_is_truncated_after_all_that_came(
    fast: bool, missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(transports, "LARGE", 1 << 60)
    body = body_of(LARGE)[: LARGE - missing]
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE + body
    assert cut(sent) == (body, Truncated)


@pytest.mark.parametrize("sent", [b"", b"ab"])
def test_a_small_body_that_is_short_is_truncated(sent: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    assert cut(said + sent) == (sent, Truncated)


@pytest.mark.parametrize("end", [b"", b"0", b"0\r\n", b"3\r\nab", b"3\r\nabc"])
def test_chunks_that_do_not_end_are_truncated(end: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    got, ended = cut(said + end)
    assert got.startswith(b"abc")
    assert ended is Truncated


@pytest.mark.parametrize("size", [b"x", b"-3", b"fffffffffffffffffffffffff"])
def test_a_size_of_a_chunk_that_is_none_is_truncated(size: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    assert cut(said + size + b"\r\nabc\r\n0\r\n\r\n") == (b"abc", Truncated)


def test_a_body_without_a_length_ends_with_its_connection() -> None:
    assert cut(b"HTTP/1.1 200 OK\r\n\r\nabc") == (b"abc", None)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"\x16\x03"])
def test_a_head_that_does_not_end_is_transient(said: bytes) -> None:
    assert cut(said) == (b"", Transient)


def test_what_comes_behind_a_whole_body_is_not_part_of_it() -> None:
    for length in (3, LARGE):
        body = body_of(length)
        said = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
        assert cut(said + body + b"HTTP/1.1 500 more") == (body, None)


@pytest.mark.parametrize("fast", [True, False])
def test_a_body_that_stands_still_is_told_of_as_such(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "READ_SECONDS", 0.1)
    if not fast:
        monkeypatch.setattr(transports, "LARGE", 1 << 60)

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % LARGE)
        swallow(connection)

    with (
        listening(handle) as raw,
        talking(raw.base_url) as transport,
        transport.request("GET", "/x") as reply,
        pytest.raises(Transient, match=r"^127\.0\.0\.1: no answer within"),
    ):
        list(reply.chunks)


@pytest.mark.parametrize("length", [0, 100, LARGE])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_comes_behind_an_answer_is_never_the_next_one(length: int, chunked: bool) -> None:
    body = body_of(length)

    def answer(number: int, _head: bytes) -> bytes:
        said = ok(b"%d" % number + body)
        if chunked:
            lines = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            said = lines + b"%x\r\n%d%b\r\n0\r\n\r\n" % (length + 1, number, body)
        return said + ok(b"forged")

    with answering(answer) as raw, talking(raw.base_url) as transport:
        for number in range(3):
            assert get(transport) == (200, b"%d" % number + body, False)
    assert len(raw.heads) == 3


def test_a_connection_is_kept_when_nothing_is_left_on_it() -> None:
    connections: list[int] = []

    def handle(connection: socket.socket, number: int) -> None:
        connections.append(number)
        while head(connection):
            connection.sendall(ok(b"x"))

    with listening(handle) as raw, talking(raw.base_url) as transport:
        for _ in range(3):
            assert get(transport) == (200, b"x", False)
    assert connections == [0]
