"""The time limits of the transport, with a watchdog that the tests control."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from nostra_cli.config.credentials import Token
from nostra_cli.errors import ExitCode, Transient
from nostra_cli.http import transport as transports
from nostra_cli.http.connections import PooledClient
from nostra_cli.http.timeouts import Deadline, Watchdog
from nostra_cli.http.transport import HEAD_SECONDS, LARGE_BODY, Transport
from tests.faults.raw import Raw, head, listening, ok, swallow
from tests.talking import answering, body_of, get, redirect, talking

Act = Callable[[], None]
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    # What is not cut off ends all the same, and the test is red, not stuck.
    monkeypatch.setattr(transports, "READ_SECONDS", 3.0)


class Held(Watchdog):
    """A watchdog that acts when the test says so, and records its limits."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[float] = []
        self.acts: list[Act] = []
        self.acted = 0

    @contextlib.contextmanager
    def limited(self, seconds: float, act: Act) -> Iterator[None]:
        self.limits.append(seconds)
        self.acts.append(act)
        try:
            yield
        finally:
            self.acts.remove(act)

    def act(self) -> None:
        [act] = self.acts
        self.acted += 1
        act()


@contextlib.contextmanager
def held(base_url: str, seconds: float | None = None) -> Iterator[tuple[Transport, Held]]:
    """Make a transport with its watchdog and a deadline on a stopped clock."""
    transport, watchdog = (
        Transport(base_url, Token("t0ken"), Deadline(seconds, lambda: 0.0)),
        Held(),
    )
    transport._watchdog = watchdog
    try:
        yield transport, watchdog
    finally:
        transport.close()


@contextlib.contextmanager
def stuck(sent: bytes, answered: int = 0, first: bytes = b"") -> Iterator[tuple[Raw, list[Act]]]:
    """Answer so many requests with `first`, the next with `sent`; then do what is in the list."""
    then: list[Act] = []

    def handle(connection: socket.socket, _number: int) -> None:
        while asked := head(connection):
            raw.heads.append(asked)
            if len(raw.heads) <= answered:
                connection.sendall(first)
                continue
            connection.sendall(sent)
            for act in then:
                act()
            swallow(connection)

    with listening(handle) as raw:
        yield raw, then


@pytest.mark.parametrize(
    ("deadline", "limits"),
    [(None, [HEAD_SECONDS, 7.0]), (100.0, [HEAD_SECONDS, 7.0]), (5.0, [5.0, 5.0])],
)
def test_head_and_body_have_their_limits_and_the_deadline(
    deadline: float | None, limits: list[float]
) -> None:
    with (
        answering(lambda _n, _: ok(b"abc")) as raw,
        held(raw.base_url, deadline) as (transport, watchdog),
    ):
        with transport.request("GET", "/x", body_seconds=7.0) as reply:
            assert b"".join(map(bytes, reply.chunks)) == b"abc"
        assert (watchdog.limits, watchdog.acts) == (limits, [])


def test_only_the_body_of_an_error_response_is_watched_without_a_limit() -> None:
    refusal = b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"
    answers = [ok(b"abc"), refusal]
    with (
        answering(lambda n, _: answers[n]) as raw,
        held(raw.base_url) as (transport, watchdog),
    ):
        get(transport)
        assert watchdog.limits == [HEAD_SECONDS]
        get(transport)
        assert watchdog.limits == [HEAD_SECONDS] * 3


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_head_that_is_sent_byte_by_byte_is_aborted(sent: bytes) -> None:
    with stuck(sent) as (raw, then), held(raw.base_url) as (transport, watchdog):
        then.append(watchdog.act)
        with pytest.raises(Transient, match="broke off"):
            get(transport)
        assert (watchdog.acted, len(raw.heads)) == (1, 1)


def read(transport: Transport, then: Act = lambda: None) -> bytes:
    """Read a body until it fails, and act at its first piece."""
    got = b""
    with pytest.raises(Transient), transport.request("GET", "/x") as reply:  # noqa: PT012
        for chunk in reply.chunks:
            if not got:
                then()
            got += chunk
    return got


@pytest.mark.parametrize("length", [10, LARGE_BODY])
def test_a_body_that_is_sent_byte_by_byte_is_aborted(length: int) -> None:
    with (
        stuck(BEGUN % length + b"abc") as (raw, _),
        held(raw.base_url, 60) as (transport, watchdog),
    ):
        assert read(transport, watchdog.act) == b"abc"
    assert watchdog.acted


def test_an_aborted_body_is_reported_as_late_and_not_as_truncated() -> None:
    with (
        stuck(BEGUN % 10 + b"abc") as (raw, _),
        talking(raw.base_url) as transport,
        transport.request("GET", "/x", body_seconds=0.2) as reply,
        pytest.raises(Transient, match=r"did not end within 0\.2 s") as caught,
    ):
        list(reply.chunks)
    assert caught.value.code == ExitCode.SERVICE


def test_a_kept_connection_is_aborted_too() -> None:
    with stuck(b"", 1, ok(b"abc")) as (raw, then), held(raw.base_url) as (transport, watchdog):
        assert get(transport)[1] == b"abc"
        then.append(watchdog.act)
        with pytest.raises(Transient, match="broke off"):
            get(transport)
    assert watchdog.acted


def test_a_kept_connection_to_the_storage_of_a_redirect_is_aborted_too() -> None:
    with stuck(b"", 1, ok(b"far")) as (storage, then):
        link = redirect(f"{storage.base_url}/object")
        with answering(lambda _n, _: link) as raw, held(raw.base_url) as (transport, watchdog):
            assert get(transport)[1] == b"far"
            then.append(watchdog.act)
            with pytest.raises(Transient, match="broke off"):
                get(transport)
    assert watchdog.acted


def test_a_connection_that_another_thread_made_is_aborted_too() -> None:
    with stuck(b"", 1, ok(b"abc")) as (raw, then), held(raw.base_url) as (transport, watchdog):
        other = threading.Thread(target=get, args=(transport,))
        other.start()
        other.join()
        then.append(watchdog.act)
        with pytest.raises(Transient, match="broke off"):
            get(transport)
    assert watchdog.acted


def test_abort_ends_the_requests_of_every_thread() -> None:
    with stuck(b"") as (raw, then), held(raw.base_url) as (transport, _):
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


def test_a_read_ends_at_the_deadline_without_the_watchdog() -> None:
    with (
        stuck(b"") as (raw, _),
        held(raw.base_url, 0.05) as (transport, _),
        pytest.raises(Transient, match="no answer"),
    ):
        get(transport)


def test_a_large_body_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "READ_SECONDS", 0.05)
    sent = BEGUN % LARGE_BODY + body_of(LARGE_BODY // 2)
    with stuck(sent) as (raw, _), held(raw.base_url) as (transport, _):
        assert read(transport) == body_of(LARGE_BODY // 2)


@pytest.mark.parametrize("length", [1000, LARGE_BODY])
def test_a_body_is_given_up_after_the_longest_pause_that_it_may_make(length: int) -> None:
    sent = BEGUN % length + body_of(length // 2)
    with (
        stuck(sent) as (raw, _),
        held(raw.base_url) as (transport, _),
        transport.request("GET", "/x", max_pause=0.05) as reply,
        pytest.raises(Transient, match=r"no answer within 0\.05 s"),
    ):
        list(reply.chunks)


def test_the_limit_of_a_body_ends_when_its_reader_stops_early() -> None:
    with (
        answering(lambda _n, _: ok(body_of(LARGE_BODY))) as raw,
        held(raw.base_url) as (transport, watchdog),
    ):
        with transport.request("GET", "/x", body_seconds=7.0) as reply:
            next(reply.chunks)
            assert len(watchdog.acts) == 1
        assert watchdog.acts == []  # `reply` is still there
        assert list(reply.chunks) == []


def test_a_client_is_aborted_while_it_makes_connections() -> None:
    def connect() -> None:
        with answering(lambda _n, _: b"HTTP/1.1 200 OK\r\n\r\n") as raw:
            while not over:
                with contextlib.suppress(Transient):
                    client.client.get(raw.base_url)

    client = PooledClient(ssl.create_default_context, {})
    over: list[bool] = []

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=connect)
    thread.start()
    try:
        sys.setswitchinterval(1e-6)
        for _ in range(500):
            client.abort()
    finally:
        sys.setswitchinterval(interval)
        over.append(True)
        thread.join()


def test_close_ends_the_thread_of_the_watchdog() -> None:
    before = set(threading.enumerate())
    with answering(lambda _n, _: ok(b"abc")) as raw, talking(raw.base_url) as transport:
        get(transport)
        [watching] = {t for t in threading.enumerate() if "_watch" in t.name} - before
    watching.join(10)
    assert not watching.is_alive()


def test_a_tls_handshake_that_gets_no_reply_is_aborted() -> None:
    def handle(connection: socket.socket, _number: int) -> None:
        connection.recv(1)
        transport.abort()
        swallow(connection)

    with (
        listening(handle) as raw,
        talking(f"https://localhost:{raw.port}") as transport,
        pytest.raises(Transient, match=r"^localhost: the connection broke off in the TLS"),
    ):
        get(transport)
