"""Connections that are not made, break, stall or drip."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from nostra_cli.http.timeouts import CONNECT_SECONDS
from tests.faults.catalogue import covers
from tests.faults.raw import Raw, head, listening, nobody_takes, ok, swallow
from tests.running import HURRIED, Ended, Runner, clean_env

RUNNING = b'{"status": "running"}'
TOKEN = "t0ken-of-the-raw-tests"


def run(
    raw: Raw | str,
    home: Path,
    cwd: Path,
    *args: str,
    seconds: float = 40,
    command: tuple[str, ...] = HURRIED,
) -> Ended:
    url = raw if isinstance(raw, str) else raw.base_url
    nostra = Runner(cwd, clean_env(home, NOSTRA_TOKEN=TOKEN, NOSTRA_BASE_URL=url))
    ended = nostra(*args, seconds=seconds, command=command)
    assert not list(cwd.iterdir())
    return ended


@covers("dns")
def test_a_name_that_does_not_resolve(home: Path, tmp_path: Path) -> None:
    ended = run("https://nothing.invalid", home, tmp_path, "status", "x")
    assert ended.code == 6
    assert ended.err.count("retrying") == 4
    assert "nothing.invalid" in ended.err.splitlines()[-2]


@covers("refused")
def test_a_refused_connection(home: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = run(url, home, tmp_path, "download", "x")
    assert ended.code == 6
    assert ended.err.count("retrying") == 4
    assert "127.0.0.1: connection refused" in ended.err


@covers("refused")
@pytest.mark.parametrize(
    ("args", "code", "said", "seconds"),
    [
        (["wait", "x", "--timeout", "2s"], 124, "the deadline of 2 s passed", 10),
        (["status", "x"], 6, "127.0.0.1: no connection within 1 s", 40),
    ],
)
def test_a_connection_that_is_never_accepted(
    args: list[str], code: int, said: str, seconds: float, home: Path, tmp_path: Path
) -> None:
    with nobody_takes() as port:
        ended = run(f"http://127.0.0.1:{port}", home, tmp_path, *args, seconds=seconds)
    assert ended.code == code
    assert said in ended.err
    assert CONNECT_SECONDS == 10  # what it is for a person


@covers("no-head")
@pytest.mark.parametrize("junk", [b"", b"\x00\xff" * 50, b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_no_answer_or_no_http(junk: bytes, home: Path, tmp_path: Path) -> None:
    def handler(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(junk)

    with listening(handler) as raw:
        ended = run(raw, home, tmp_path, "status", "x")
    assert ended.code == 6
    assert ended.err.count("retrying") == 4


@covers("kept-alive")
def test_a_kept_connection_that_died_is_replaced_in_silence(home: Path, tmp_path: Path) -> None:
    """The second request of each connection is read and never answered."""

    def handler(connection: socket.socket, number: int) -> None:
        head(connection)
        done = b'{"status": "failed"}' if number else RUNNING
        connection.sendall(ok(done))
        head(connection)

    with listening(handler) as raw:
        ended = run(raw, home, tmp_path, "wait", "x", "--interval", "0.1")
    assert ended.code == 5
    assert ended.err.splitlines()[:2] == ["x: running", "x: failed"]


@covers("lengths")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n{}   ", 6),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}", 6),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}", 6),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n{}\r\n", 7),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n", 6),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 6),
    ],
    ids=["two", "negative", "huge", "bad-chunk", "long-header", "hints-only"],
)
def test_invalid_response_heads_are_refused(
    answer: bytes, code: int, home: Path, tmp_path: Path
) -> None:
    def handler(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(answer)

    with listening(handler) as raw:
        ended = run(raw, home, tmp_path, "status", "x")
    assert ended.code == code


@covers("lengths", "slow")
@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b""),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\n{", b" "),
    ],
    ids=["head", "body", "stall", "refusal"],
)
def test_an_answer_that_drips_ends_with_the_deadline(
    start: bytes, drip: bytes, home: Path, tmp_path: Path
) -> None:
    def handler(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(start)
        while drip:
            connection.sendall(drip)
            time.sleep(0.05)
        swallow(connection)

    with listening(handler) as raw:
        ended = run(raw, home, tmp_path, "wait", "x", "--timeout", "2s", seconds=25)
    assert ended.code == 124
