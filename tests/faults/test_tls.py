"""Certificates: good, bad, and wanted of the client."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from nostra_cli.sandbox.server import Sandbox, serving
from tests.faults.catalogue import covers
from tests.faults.raw import Raw, head, listening, swallow
from tests.faults.secured import LARGE, over_tls, run
from tests.running import HURRIED, Runner, clean_env

YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


BAD_CERTIFICATES = {
    "untrusted": ("localhost: its certificate is not trusted", "for a private certificate"),
    "expired": ("localhost: its certificate has expired", "this machine's clock"),
    "wrong-host": ("localhost: its certificate is for another host", "check the host name"),
}


@covers("certificate")
@pytest.mark.parametrize("kind", BAD_CERTIFICATES)
def test_a_bad_certificate_ends_it_at_once_with_a_hint_of_its_own(
    kind: str, authority: trustme.CA, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    host = "elsewhere.example" if kind == "wrong-host" else "localhost"
    expiry = YESTERDAY if kind == "expired" else None
    certificate = authority.issue_cert(host, not_after=expiry)
    file = home / "ca.pem"
    (trustme.CA() if kind == "untrusted" else authority).cert_pem.write_to_path(str(file))
    with over_tls(sandbox, certificate) as raw:
        ended = run(raw, sandbox, home, tmp_path, "status", "x", SSL_CERT_FILE=str(file))
    assert (ended.code, "retrying" in ended.err) == (6, False)
    for kinds, words in BAD_CERTIFICATES.items():
        assert all((word in ended.err) == (kinds == kind) for word in words), ended.err
    assert "SSL_CERT_FILE" in ended.err


@covers("not-tls")
def test_https_to_a_port_that_speaks_plain_http_ends_it_at_once(
    sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    raw = Raw(int(sandbox.base_url.rpartition(":")[2]))
    ended = run(raw, sandbox, home, tmp_path, "status", "x")
    assert (ended.code, "retrying" in ended.err) == (6, False)
    assert "localhost: the port does not speak TLS" in ended.err


@covers("client-certificate")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate_ends_it_at_once(
    version: ssl.TLSVersion, authority: trustme.CA, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)

    def handler(connection: socket.socket, _number: int) -> None:
        with contextlib.suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True, do_handshake_on_connect=True)
        swallow(connection)  # what is not read would be answered with a reset

    nostra = Runner(tmp_path, clean_env(home, NOSTRA_TOKEN="t0ken-of-tls", SSL_CERT_FILE=str(file)))
    with listening(handler) as raw:
        url = f"https://localhost:{raw.port}"
        ended = nostra("status", "x", "--base-url", url, command=HURRIED)
    assert (ended.code, "retrying" in ended.err) == (6, False)
    assert "localhost: the server refused TLS without a client certificate" in ended.err


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
