"""The connection to a server, step by step."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from nostra_cli.cli.main import main
from nostra_cli.doctor import connectivity
from nostra_cli.doctor.check import Check
from nostra_cli.doctor.connectivity import Peer
from tests.faults.raw import Raw, listening, nobody_takes, swallow

SOON = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3, hours=1)


def reach(
    port: int, host: str = "localhost", tls: bool = True, seconds: float = 5.0
) -> list[Check]:
    return list(connectivity.reach(Peer(host, port), "", "a hint", tls, seconds))


@contextmanager
def tls_server(certificate: trustme.LeafCert) -> Iterator[Raw]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def handle(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            swallow(inner)

    with listening(handle) as raw:
        yield raw


@pytest.mark.parametrize(
    ("kind", "status", "code", "detail"),
    [
        ("good", "ok", 0, "TLSv1.3, trusted until "),
        ("near", "warning", 0, ": 3 days"),
        ("untrusted", "error", 6, "localhost: its certificate is not trusted"),
        ("elsewhere", "error", 6, "localhost: its certificate is for another host"),
        ("no-file", "warning", 0, "not checked"),
    ],
)
def test_the_certificate_is_checked(
    kind: str, status: str, code: int, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    host = "elsewhere.example" if kind == "elsewhere" else "localhost"
    certificate = authority.issue_cert(host, not_after=SOON if kind == "near" else None)
    if kind != "no-file":
        trusted = trustme.CA() if kind == "untrusted" else authority
        trusted.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with tls_server(certificate) as raw:
        name, connection, tls = reach(raw.port)
    assert (name.status, connection.status) == ("ok", "ok")
    assert (tls.name, tls.status, tls.code) == ("tls", status, code)
    assert detail in tls.detail
    assert bool(tls.hint) == (status != "ok")


def test_the_duration_of_a_handshake_is_limited() -> None:
    released = threading.Event()

    def drip(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB, byte by byte
        while not released.wait(0.05):
            connection.sendall(b"x")

    with listening(drip) as raw:
        began = time.monotonic()
        *_, tls = reach(raw.port, seconds=0.3)
    assert time.monotonic() - began < 5
    released.set()
    assert (tls.status, tls.code, tls.detail) == ("error", 6, "localhost: no TLS within 0.3 s")


def test_a_server_without_tls_is_an_error() -> None:
    def handle(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        swallow(connection)

    with listening(handle) as raw:
        *_, tls = reach(raw.port)
    assert (tls.name, tls.status, tls.code) == ("tls", "error", 6)


def test_a_resolver_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [] if released.wait(20) else None)
    began = time.monotonic()
    [name] = reach(443, "slow.example", seconds=0.1)
    assert time.monotonic() - began < 5
    released.set()
    assert (name.status, name.code, name.detail) == ("error", 6, "slow.example: no response")


@pytest.mark.parametrize(
    ("base_url", "port"),
    [("https://127.0.0.1", 443), ("http://127.0.0.1", 80), ("https://127.0.0.1:8443", 8443)],
)
def test_the_port_is_that_of_the_base_url(
    base_url: str, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peers: list[object] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        peers.append((host, port))
        raise socket.gaierror

    monkeypatch.setenv("NOSTRA_TOKEN", "t0ken")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert main(["doctor", "--base-url", base_url]) == 6
    assert peers == [("127.0.0.1", port)]
    assert "127.0.0.1: cannot be resolved" in capsys.readouterr().out


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_an_invalid_host_name_is_an_error(host: str) -> None:
    [name] = reach(443, host)
    assert (name.name, name.status, name.hint) == ("name", "error", "a hint")


def test_every_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda connection, _: swallow(connection)) as raw, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
            for address in (taken.getsockname(), ("127.0.0.1", raw.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        name, connection = reach(1, tls=False)
    assert (name.status, connection.status) == ("ok", "ok")


def test_a_connection_that_is_not_accepted_is_an_error() -> None:
    with nobody_takes() as port:
        _, connection = reach(port, "127.0.0.1", tls=False, seconds=0.3)
    assert (connection.status, connection.code) == ("error", 6)
    assert connection.detail.endswith("no connection within 0.3 s")
