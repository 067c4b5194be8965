"""HTTP against raw socket servers: the token, redirects, connections and bodies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.config.credentials import Token
from nostra_cli.errors import ServiceProblem, Transient
from nostra_cli.http import transport as transports
from nostra_cli.http.redirects import MAX_REDIRECTS, redirect_target
from nostra_cli.http.sockets import read_large_body
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import LARGE_BODY, Transport, redact_url
from nostra_cli.models import Piece
from tests.faults.raw import ok
from tests.transports import TOKEN, body_of, connect, get, redirect, responding


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def authorized(request: bytes) -> bool:
    return f"authorization: token {TOKEN}" in request.decode().lower()


def test_the_token_goes_to_the_origin_of_the_base_url() -> None:
    with (
        responding(lambda _n, _head: ok(b"hello")) as raw,
        connect(raw.base_url) as transport,
    ):
        assert get(transport, "/a%2Fb") == (200, b"hello", False)
    [request] = raw.heads
    assert request.startswith(b"GET /a%2Fb HTTP/1.1\r\n")
    assert authorized(request)
    assert b"accept-encoding: identity\r\n" in request.lower()


def test_the_token_is_not_sent_to_another_origin_and_comes_back_to_its_own() -> None:
    with responding(lambda n, _: redirect(f"{home[0]}/back") if n == 0 else ok(b"far")) as storage:
        home: list[str] = []

        def answer(number: int, _head: bytes) -> bytes:
            return redirect(f"{storage.base_url}/object?sig=1") if number != 1 else ok(b"near")

        with responding(answer) as raw, connect(raw.base_url) as transport:
            home.append(raw.base_url)
            assert get(transport) == (200, b"near", False)
            assert get(transport) == (200, b"far", True)
    assert len(storage.heads) == 2
    assert not any(authorized(request) or TOKEN.encode() in request for request in storage.heads)
    assert [request.split()[1] for request in raw.heads] == [b"/x", b"/back", b"/x"]
    assert all(authorized(request) for request in raw.heads)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_sees_the_token_of_plain_http(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    with (
        responding(lambda _n, _: ok(b"proxy")) as proxy,
        responding(lambda _n, _: ok(b"service")) as raw,
    ):
        monkeypatch.setenv(name, proxy.base_url)
        with connect(raw.base_url) as transport:
            assert get(transport) == (200, b"service", False)
    assert proxy.heads == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_origin_keeps_the_token(status: int) -> None:
    answers = [redirect("/y?z=1", status), ok(b"there")]
    with responding(lambda n, _: answers[n]) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (200, b"there", False)
    assert raw.heads[1].startswith(b"GET /y?z=1 ")
    assert all(authorized(request) for request in raw.heads)


def test_a_user_name_in_a_redirect_never_replaces_the_token() -> None:
    def answer(number: int, _head: bytes) -> bytes:
        return redirect(f"http://me:pw@127.0.0.1:{raw.port}/y") if number == 0 else ok(b"y")

    with responding(answer) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (200, b"y", False)
    assert authorized(raw.heads[1])
    assert b"basic" not in raw.heads[1].lower()


@pytest.mark.parametrize(("hops", "followed"), [(MAX_REDIRECTS, True), (MAX_REDIRECTS + 1, False)])
def test_twenty_redirects_are_followed_and_no_more(hops: int, followed: bool) -> None:
    def answer(number: int, _head: bytes) -> bytes:
        return redirect(f"/{number + 1}") if number < hops else ok(b"end")

    with responding(answer) as raw, connect(raw.base_url) as transport:
        if followed:
            assert get(transport) == (200, b"end", False)
        else:
            with pytest.raises(ServiceProblem, match="more than 20 redirects"):
                get(transport)
    assert len(raw.heads) == 21


def test_a_redirect_without_a_location_is_the_response() -> None:
    response = b"HTTP/1.1 302 Found\r\nContent-Length: 2\r\n\r\nhm"
    with responding(lambda _n, _: response) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (302, b"hm", False)


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.example/x", "/y", "https://a.example/y"),
        ("https://a.example/x/", "y", "https://a.example/x/y"),
        ("https://a.example/x", "//b.example/y", "https://b.example/y"),
        ("https://a.example/x", "https://me:pw@b.example/y?z", "https://b.example/y?z"),
        ("http://127.0.0.1:1/x", "http://localhost:2/y", "http://localhost:2/y"),
        ("http://127.0.0.1:1/x", "https://b.example/y", "https://b.example/y"),
    ],
)
def test_a_redirect_is_followed_to_its_location(url: str, location: str, target: str) -> None:
    assert str(redirect_target(httpx.URL(url), location)) == target


@pytest.mark.parametrize(
    ("url", "location", "reason"),
    [
        ("https://a.example/x", "http://a.example/x", "which is not encrypted"),
        ("https://a.example/x", "http://localhost/x", "which is not encrypted"),
        ("https://a.example/x", "HTTP://a.example/x", "which is not encrypted"),
        ("http://127.0.0.1/x", "http://b.example/", "which is not encrypted"),
        ("https://a.example/x", "ftp://a.example/x", "to a ftp: URL"),
        ("https://a.example/x", "file:///etc/passwd", "to a file: URL"),
        ("https://a.example/x", "javascript:alert(1)", "to a javascript: URL"),
        ("https://a.example/x", "https://b.example:port/", "an invalid URL"),
        ("https://a.example/x", "https://[::1/", "an invalid URL"),
        ("https://a.example/x", "https://b.example/\x00", "an invalid URL"),
    ],
)
def test_a_redirect_that_must_not_be_followed_is_refused(
    url: str, location: str, reason: str
) -> None:
    with pytest.raises(ServiceProblem, match=reason):
        redirect_target(httpx.URL(url), location)


@given(st.text(), st.sampled_from(["", "http:", "https:", "//", "https://", "http://a@"]))
def test_no_location_leads_from_https_to_anything_else(text: str, start: str) -> None:
    try:
        target = redirect_target(httpx.URL("https://a.example/x"), start + text)
    except ServiceProblem:
        return
    assert target.scheme == "https"
    assert target.host
    assert not target.userinfo


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x?sig=1#y", "https://a.example/x?***"),
        ("https://me:pw@a.example:1/x", "https://a.example:1/x"),
        ("https://a@b@c.example/", "https://c.example/"),
        ("/y?sig=1", "/y?***"),
        ("/y", "/y"),
        ("https://[::1/", "(not a URL)"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown


SIGNED = "0123456789abcdef"


def test_the_trace_shows_headers_and_no_secret() -> None:
    signed = f"/y?signature={TOKEN}"
    cookie = f"Set-Cookie: {TOKEN}"
    linked = f"Link: <https://a.example/z?signature={SIGNED}>; rel=next"
    more = (cookie, linked, f"X-Amz-Security-Token: {SIGNED}", "X-Plain: shown? yes")
    echo = ok(b"y", *more).replace(b"OK", TOKEN.encode(), 1)
    answers = [redirect(signed), echo]
    trace: list[str] = []
    with (
        responding(lambda n, _: answers[n]) as raw,
        connect(raw.base_url, trace) as transport,
    ):
        get(transport)
    assert TOKEN not in "\n".join(trace)
    assert SIGNED not in "\n".join(trace)
    lines = [line.lower() for line in trace]
    for line in (
        f"> get {raw.base_url}/x",
        "< location: /y?***",
        f"> get {raw.base_url}/y?***",
        "> authorization: ***",
        "< 200 ***",
        "< set-cookie: ***",
        "< link: <https://a.example/z?***>; rel=next",
        "< x-plain: shown? yes",
    ):
        assert line in lines


def test_a_kept_connection_that_died_is_replaced_once_and_silently() -> None:
    def answer(number: int, _head: bytes) -> bytes | None:
        return None if number == 1 else ok(b"%d" % number)

    with responding(answer) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (200, b"0", False)
        assert get(transport) == (200, b"2", False)
    assert len(raw.heads) == 3


def test_an_aborted_request_is_not_sent_again_on_a_new_connection() -> None:
    def answer(number: int, _head: bytes) -> bytes | None:
        if number == 1:
            transport.abort()
            return None
        return ok(b"")

    with responding(answer) as raw, connect(raw.base_url) as transport:
        get(transport)
        with pytest.raises(Transient, match=r"^127\.0\.0\.1: the connection broke off"):
            get(transport)
    assert len(raw.heads) == 2


def test_a_new_connection_that_fails_is_not_retried_by_the_transport() -> None:
    with responding(lambda n, _: ok(b"") if n == 0 else None) as raw:
        with connect(raw.base_url) as transport:
            get(transport)
            with pytest.raises(Transient, match=r"^127\.0\.0\.1: the connection broke off"):
                get(transport)  # the kept one dies, and the fresh one after it
            assert len(raw.heads) == 3
            with pytest.raises(Transient):
                get(transport)
        assert len(raw.heads) == 4


def test_a_head_that_is_no_http_is_transient() -> None:
    with (
        responding(lambda _n, _: b"SSH-2.0-x\r\n\r\n") as raw,
        connect(raw.base_url) as transport,
        pytest.raises(Transient, match=r"^127\.0\.0\.1: the response is not valid HTTP"),
    ):
        get(transport)


def test_a_closed_port_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        connect(f"http://127.0.0.1:{port}") as transport,
        pytest.raises(Transient, match=r"^127\.0\.0\.1: connection refused"),
    ):
        get(transport)


@pytest.mark.parametrize(
    "lengths",
    ["Content-Length: 3\r\nContent-Length: 5", "Content-Length: 3, 5", "Content-Length: -1"],
)
def test_lengths_that_contradict_each_other_are_refused(lengths: str) -> None:
    response = f"HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nabcde".encode()
    with (
        responding(lambda _n, _: response) as raw,
        connect(raw.base_url) as transport,
        pytest.raises(Transient),
    ):
        get(transport)


LENGTHS = [0, 1, LARGE_BODY - 1, LARGE_BODY, LARGE_BODY + 1, 3 * LARGE_BODY + 17]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_large_body_is_read_from_the_socket_with_the_same_bytes(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    read = read_large_body

    def spy(*given: Any) -> Iterator[Piece]:
        lengths.append(given[1])
        return read(*given)

    monkeypatch.setattr(transports, "read_large_body", spy)
    body = body_of(length)
    with responding(lambda _n, _: ok(body)) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (200, body, False)
        assert get(transport) == (200, body, False)
        assert lengths == ([length] * 2 if length >= LARGE_BODY else [])
        monkeypatch.setattr(transports, "LARGE_BODY", 1 << 60)
        assert get(transport) == (200, body, False)
        assert lengths == ([length] * 2 if length >= LARGE_BODY else [])


@pytest.mark.parametrize("header", ["Transfer-Encoding: chunked", "Content-Encoding: gzip"])
def test_a_large_body_with_a_coding_is_complete(header: str) -> None:
    length = f"Content-Length: {LARGE_BODY}"
    lines = ["HTTP/1.1 200 OK", header, *([length] if "gzip" in header else [])]
    body = body_of(LARGE_BODY)
    sent = body if "gzip" in header else b"%x\r\n%b\r\n0\r\n\r\n" % (LARGE_BODY, body)
    response = "\r\n".join(lines).encode() + b"\r\n\r\n" + sent
    with responding(lambda _n, _: response) as raw, connect(raw.base_url) as transport:
        assert get(transport)[1] == body
        assert get(transport)[1] == body


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_ends_with_its_head_despite_its_length(status: int) -> None:
    response = f"HTTP/1.1 {status} x\r\nContent-Length: {LARGE_BODY}\r\n\r\n".encode()
    with responding(lambda _n, _: response) as raw, connect(raw.base_url) as transport:
        assert get(transport) == (status, b"", False)
        assert get(transport) == (status, b"", False)


def test_the_trace_of_one_head_is_not_mixed_with_another() -> None:
    lines: list[tuple[int, str]] = []

    def slow_trace(line: str) -> None:
        lines.append((threading.get_ident(), line))
        time.sleep(0.0005)  # lets another thread run

    with responding(lambda _number, _head: ok(b"x")) as raw:
        transport = Transport(raw.base_url, Token(TOKEN), Deadline(60), slow_trace)
        threads = [threading.Thread(target=get, args=(transport,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        transport.close()
    for number, (thread_id, line) in enumerate(lines):
        if ":" in line and "://" not in line:  # a header: of the head before it
            assert lines[number - 1][0] == thread_id
