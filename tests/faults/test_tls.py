"""Certificates, and a proxy in between."""

from __future__ import annotations

import base64
import contextlib
import datetime
import select
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from nostra_cli.sandbox.server import Sandbox, serving
from tests.faults.catalogue import covers
from tests.faults.raw import Raw, head, listening, swallow
from tests.running import HURRIED, Ended, Runner, clean_env

PASSWORD = "pr0xy-s3cret"
LARGE = 5_000_000
YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pump(left: socket.socket, right: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    peers = {left: right, right: left}
    while True:
        pending = [s for s in peers if isinstance(s, ssl.SSLSocket) and s.pending()]
        for source in pending or select.select(list(peers), [], [], 30)[0]:
            data = source.recv(65536)
            if not data:
                return
            peers[source].sendall(data)


@contextlib.contextmanager
def over_tls(behind: Sandbox | Raw, certificate: trustme.LeafCert) -> Iterator[Raw]:
    """Put TLS in front of a sandbox, or of a proxy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    port = int(behind.base_url.rpartition(":")[2])

    def handler(connection: socket.socket, _number: int) -> None:
        with (
            context.wrap_socket(connection, server_side=True) as inner,
            socket.create_connection(("127.0.0.1", port)) as outer,
        ):
            pump(inner, outer)

    with listening(handler) as raw:
        yield raw


def run(raw: Raw, sandbox: Sandbox, home: Path, cwd: Path, *args: str, **env: str) -> Ended:
    """Run nostra, whose pauses between attempts are not the point here."""
    url = f"https://localhost:{raw.port}"
    base = clean_env(home, NOSTRA_TOKEN=sandbox.token, NOSTRA_BASE_URL=url)
    return Runner(cwd, {**base, **env})(*args, command=HURRIED)


@covers("certificate")
@pytest.mark.parametrize("kind", ["untrusted", "expired", "wrong-host"])
def test_a_bad_certificate_ends_it_at_once(
    kind: str, authority: trustme.CA, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    host = "elsewhere.example" if kind == "wrong-host" else "localhost"
    expiry = YESTERDAY if kind == "expired" else None
    certificate = authority.issue_cert(host, not_after=expiry)
    file = home / "ca.pem"
    (trustme.CA() if kind == "untrusted" else authority).cert_pem.write_to_path(str(file))
    with over_tls(sandbox, certificate) as raw:
        ended = run(raw, sandbox, home, tmp_path, "status", "x", SSL_CERT_FILE=str(file))
    assert ended.code == 6
    assert "retrying" not in ended.err
    assert "localhost: its certificate is not trusted" in ended.err
    assert "SSL_CERT_FILE" in ended.err


@covers("private-ca")
@pytest.mark.parametrize("name", ["demo-dedup", "demo-large"])
def test_a_private_authority(name: str, authority: trustme.CA, home: Path, tmp_path: Path) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        serving(large_bytes=LARGE) as sandbox,
        over_tls(sandbox, authority.issue_cert("localhost")) as raw,
    ):
        args = ("download", name, "-f", "csv", "--json")
        [entry] = run(raw, sandbox, home, tmp_path, *args, SSL_CERT_FILE=str(file)).json()
        direct = Runner(tmp_path, clean_env(home, NOSTRA_TOKEN=sandbox.token))
        [same] = direct(*args, "--base-url", sandbox.base_url, "-o", "direct").json()
    assert (entry["bytes"], entry["sha256"]) == (same["bytes"], same["sha256"])


@covers("private-ca")
def test_a_bad_authority_file_is_named(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    raw = Raw(1)
    ended = run(raw, sandbox, home, tmp_path, "status", "x", SSL_CERT_FILE="/nonexistent.pem")
    assert ended.code == 2
    assert "/nonexistent.pem" in ended.err


@covers("bad-redirect")
def test_https_does_not_lead_to_http(
    authority: trustme.CA, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def handler(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            head(inner)
            target = f"{sandbox.base_url}/api/invocation/demo-dedup"
            inner.sendall(redirect_to(target))
            swallow(inner)

    sandbox.requests.clear()
    with listening(handler) as raw:
        ended = run(raw, sandbox, home, tmp_path, "status", "x", SSL_CERT_FILE=str(file))
    assert (ended.code, len(sandbox.requests)) == (6, 0)
    assert "not encrypted" in ended.err


def redirect_to(target: str) -> bytes:
    return f"HTTP/1.1 302 x\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


@contextlib.contextmanager
def proxy(user: str | None = None) -> Iterator[Raw]:
    """Run a proxy that tunnels CONNECT, for one user where it is told to."""
    wanted = base64.b64encode(f"{user}:{PASSWORD}".encode())

    def handler(connection: socket.socket, _number: int) -> None:
        first = head(connection)
        raw.heads.append(first)
        if user is not None and wanted not in first:
            connection.sendall(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = first.split()[1].decode().split(":")
        with socket.create_connection((host, int(port))) as outer:
            connection.sendall(b"HTTP/1.1 200 Tunnel\r\n\r\n")
            pump(connection, outer)

    with listening(handler) as raw:
        yield raw


@covers("proxy")
def test_a_proxy_is_honoured_and_left_out(
    authority: trustme.CA, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        over_tls(sandbox, authority.issue_cert("localhost")) as raw,
        proxy("me") as through,
    ):
        env = {
            "SSL_CERT_FILE": str(file),
            "HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{through.port}",
        }
        args = ("status", "demo-dedup", "-v")
        ended = run(raw, sandbox, home, tmp_path, *args, **env)
        assert ended.code == 0, ended.err
        assert [first.split()[0] for first in through.heads] == [b"CONNECT"]
        assert sandbox.token.encode() not in through.heads[0]
        assert PASSWORD not in ended.err
        assert run(raw, sandbox, home, tmp_path, *args, **env, NO_PROXY="localhost").code == 0
        assert len(through.heads) == 1


@covers("proxy")
def test_a_large_body_through_a_proxy_that_speaks_tls_itself(
    authority: trustme.CA, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        serving(large_bytes=LARGE) as sandbox,
        over_tls(sandbox, authority.issue_cert("localhost")) as raw,
        proxy() as plain,
        over_tls(plain, authority.issue_cert("localhost")) as through,
    ):
        env = {"SSL_CERT_FILE": str(file), "HTTPS_PROXY": f"https://localhost:{through.port}"}
        args = ("download", "demo-large", "-f", "csv", "--json")
        [entry] = run(raw, sandbox, home, tmp_path, *args, **env).json()
    assert (entry["status"], entry["resumed"]) == ("downloaded", False)
    assert len(plain.heads) == 1


@covers("proxy-down")
def test_a_proxy_that_wants_another_password(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    with proxy("somebody") as through:
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}x@127.0.0.1:{through.port}"}
        ended = run(Raw(9), sandbox, home, tmp_path, "status", "x", "-v", **env)
    assert ended.code == 6
    assert "proxy" in ended.err
    assert PASSWORD not in ended.err


@covers("proxy-down")
def test_a_proxy_that_is_down(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}"}
        ended = run(Raw(9), sandbox, home, tmp_path, "status", "x", "-v", **env)
    assert ended.code == 6
    assert PASSWORD not in ended.err
