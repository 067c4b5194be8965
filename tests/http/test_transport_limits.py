"""The time limits of the transport, and how its requests are aborted."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nostra_cli.config.credentials import Token
from nostra_cli.errors import ExitCode, Transient
from nostra_cli.http import transport as transports
from nostra_cli.http.connections import PooledClient
from nostra_cli.http.errors import HTTP_ERRORS
from nostra_cli.http.timeouts import Deadline, TimeLimit
from nostra_cli.http.transport import HEAD_SECONDS, LARGE_BODY, Transport
from tests.faults.raw import Handler, Raw, head, listening, ok, swallow
from tests.transports import body_of, connect, get, redirect, responding

BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
LATE = 0.2


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    # A request without a limit ends all the same: the test is red, not stuck.
    monkeypatch.setattr(transports, "READ_SECONDS", 3.0)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the limits that are set."""
    found: list[float] = []
    start = TimeLimit.start

    def record(self: TimeLimit, seconds: float, max_pause: float | None = None) -> None:
        found.append(seconds)
        start(self, seconds, max_pause)

    monkeypatch.setattr(TimeLimit, "start", record)
    return found


@contextlib.contextmanager
def connected(base_url: str, seconds: float | None = None) -> Iterator[Transport]:
    """Make a transport with a deadline on a stopped clock."""
    transport = Transport(base_url, Token("t0ken"), Deadline(seconds, lambda: 0.0))
    try:
        yield transport
    finally:
        transport.close()


def expire(transport: Transport) -> None:
    """Let the limit of a request pass while its response arrives."""
    for client in transport._clients:
        client.limit.start(0.0)


def dribble(
    connection: socket.socket, sent: bytes, then: Callable[[], object] = lambda: None
) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(sent)
        then()
        while True:
            connection.sendall(b"x")
            time.sleep(0.01)


def dribbling(
    sent: bytes, then: Callable[[], object], answered: int = 0, first: bytes = b""
) -> Handler:
    """Respond to some requests with `first`, to the next with `sent` and single bytes for ever."""

    def handle(connection: socket.socket, _number: int) -> None:
        for _ in range(answered):
            head(connection)
            connection.sendall(first)
        head(connection)
        dribble(connection, sent, then)

    return handle


@contextlib.contextmanager
def stuck(sent: bytes) -> Iterator[tuple[Raw, list[Callable[[], object]]]]:
    """Respond with `sent`, do what is in the list, and send no more."""
    then: list[Callable[[], object]] = []

    def handle(connection: socket.socket, _number: int) -> None:
        while request := head(connection):
            raw.heads.append(request)
            connection.sendall(sent)
            for act in then:
                act()
            swallow(connection)

    with listening(handle) as raw:
        yield raw, then


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [(None, [HEAD_SECONDS, 7.0]), (100.0, [HEAD_SECONDS, 7.0]), (5.0, [5.0, 5.0])],
)
def test_head_and_body_have_their_limits_and_the_deadline(
    deadline: float | None, expected: list[float], limits: list[float]
) -> None:
    with (
        responding(lambda _n, _: ok(b"abc")) as raw,
        connected(raw.base_url, deadline) as transport,
        transport.request("GET", "/x", body_seconds=7.0) as response,
    ):
        assert b"".join(map(bytes, response.chunks)) == b"abc"
    assert limits == expected


def test_without_a_limit_only_the_body_of_an_error_response_has_one(limits: list[float]) -> None:
    refusal = b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"
    responses = [ok(b"abc"), refusal]
    with responding(lambda n, _: responses[n]) as raw, connected(raw.base_url) as transport:
        get(transport)
        get(transport)
    assert limits == [HEAD_SECONDS, float("inf"), HEAD_SECONDS, HEAD_SECONDS]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: "])
@pytest.mark.parametrize("kept", [0, 1])
def test_a_head_that_is_sent_byte_by_byte_ends_at_its_limit(sent: bytes, kept: int) -> None:
    with (
        listening(dribbling(sent, lambda: expire(transport), kept, ok(b"abc"))) as raw,
        connected(raw.base_url) as transport,
    ):
        for _ in range(kept):
            assert get(transport)[1] == b"abc"
        with pytest.raises(Transient, match="no response within"):
            get(transport)


def test_a_head_of_the_storage_of_a_redirect_ends_at_its_limit_too() -> None:
    with listening(dribbling(b"", lambda: expire(transport))) as storage:
        link = redirect(f"{storage.base_url}/object")
        with (
            responding(lambda _n, _: link) as raw,
            connected(raw.base_url) as transport,
            pytest.raises(Transient, match="no response within"),
        ):
            get(transport)


def read(transport: Transport) -> bytes:
    """Read a body until it fails."""
    found = b""
    with pytest.raises(Transient), transport.request("GET", "/x") as response:  # noqa: PT012
        for chunk in response.chunks:
            found += chunk
    return found


@pytest.mark.parametrize("length", [500, LARGE_BODY])
def test_a_body_that_is_sent_byte_by_byte_ends_at_its_limit(length: int) -> None:
    with (
        listening(dribbling(BEGUN % length, lambda: None)) as raw,
        connect(raw.base_url) as transport,
        transport.request("GET", "/x", body_seconds=LATE) as response,
        pytest.raises(Transient, match=r"did not end within 0\.2 s") as caught,
    ):
        list(response.chunks)
    assert caught.value.code == ExitCode.SERVICE


@pytest.mark.parametrize("framing", [b"5;", b"1\r\na\r\n5;", b"1\r\na\r\n0\r\nX: "])
def test_bytes_of_the_framing_are_no_progress_of_a_body(framing: bytes) -> None:
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framing
    with (
        listening(dribbling(begun, lambda: None)) as raw,
        connect(raw.base_url) as transport,
        transport.request("GET", "/x", max_pause=LATE) as response,
        pytest.raises(Transient, match=r"no data for 0\.2 s"),
    ):
        list(response.chunks)


def test_abort_ends_the_requests_of_every_thread() -> None:
    with stuck(b"") as (raw, then), connected(raw.base_url) as transport:
        both = threading.Barrier(2, action=transport.abort)

        def meet() -> None:
            both.wait(5)

        then.append(meet)
        ended: list[str] = []

        def ask() -> None:
            try:
                get(transport)
            except Transient as error:
                ended.append(error.message)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(raw.heads) == 2
    assert ["broke off" in message for message in ended] == [True, True]


def test_a_read_ends_at_the_deadline() -> None:
    with (
        stuck(b"") as (raw, _),
        connected(raw.base_url, 0.05) as transport,
        pytest.raises(Transient, match="no response within"),
    ):
        get(transport)


def test_a_large_body_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "READ_SECONDS", 0.05)
    sent = BEGUN % LARGE_BODY + body_of(LARGE_BODY // 2)
    with stuck(sent) as (raw, _), connected(raw.base_url) as transport:
        assert read(transport) == body_of(LARGE_BODY // 2)


@pytest.mark.parametrize("length", [1000, LARGE_BODY])
def test_a_body_is_given_up_after_the_longest_pause_that_it_may_make(length: int) -> None:
    sent = BEGUN % length + body_of(length // 2)
    with (
        stuck(sent) as (raw, _),
        connected(raw.base_url) as transport,
        transport.request("GET", "/x", max_pause=0.05) as response,
        pytest.raises(Transient, match=r"no data for 0\.05 s"),
    ):
        list(response.chunks)


def test_a_body_cannot_be_read_after_its_block() -> None:
    with (
        responding(lambda _n, _: ok(body_of(LARGE_BODY))) as raw,
        connected(raw.base_url) as transport,
    ):
        with transport.request("GET", "/x") as response:
            next(response.chunks)
        assert list(response.chunks) == []


def test_a_client_is_aborted_while_it_makes_connections() -> None:
    def open_many() -> None:
        with responding(lambda _n, _: b"HTTP/1.1 200 OK\r\n\r\n") as raw:
            while not over:
                with contextlib.suppress(Transient, *HTTP_ERRORS):
                    client.client.get(raw.base_url)

    client = PooledClient(ssl.create_default_context, {})
    over: list[bool] = []

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=open_many)
    thread.start()
    try:
        sys.setswitchinterval(1e-6)
        for _ in range(500):
            client.abort()
    finally:
        sys.setswitchinterval(interval)
        over.append(True)
        thread.join()


def test_a_tls_record_that_is_sent_byte_by_byte_ends_at_its_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "HEAD_SECONDS", 1.0)
    handshake = bytes.fromhex("16 03 03 40 00")
    with (
        listening(lambda connection, _: dribble(connection, handshake)) as raw,
        connect(f"https://localhost:{raw.port}") as transport,
        pytest.raises(Transient, match="no TLS handshake within"),
    ):
        get(transport)


def test_a_tls_handshake_that_gets_no_reply_is_aborted() -> None:
    def handle(connection: socket.socket, _number: int) -> None:
        connection.recv(1)
        transport.abort()
        swallow(connection)

    with (
        listening(handle) as raw,
        connect(f"https://localhost:{raw.port}") as transport,
        pytest.raises(Transient, match=r"^localhost: the connection broke off in the TLS"),
    ):
        get(transport)
