"""TLS in front of a server, a proxy, and nostra between them."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import trustme

from nostra_cli.sandbox.server import Sandbox
from tests.faults.raw import Raw, head, listening
from tests.running import HURRIED, Ended, Runner, clean_env

PASSWORD = "pr0xy-s3cret"
LARGE = 5_000_000


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


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextlib.contextmanager
def over_tls(behind: Sandbox | Raw, certificate: trustme.LeafCert) -> Iterator[Raw]:
    """Put TLS in front of a sandbox, or of a proxy."""
    context = server_context(certificate)
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


@contextlib.contextmanager
def proxy(user: str | None = None, statuses: Sequence[int] = ()) -> Iterator[Raw]:
    """Run a proxy that tunnels CONNECT, for one `user`, and refuses first with `statuses`."""
    wanted = base64.b64encode(f"{user}:{PASSWORD}".encode())
    left = list(statuses)

    def handler(connection: socket.socket, _number: int) -> None:
        first = head(connection)
        raw.heads.append(first)
        if left:
            line = f"HTTP/1.1 {left.pop(0)} No\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(line.encode())
            return
        if user is not None and wanted not in first:
            connection.sendall(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = first.split()[1].decode().split(":")
        with socket.create_connection((host, int(port))) as outer:
            connection.sendall(b"HTTP/1.1 200 Tunnel\r\n\r\n")
            pump(connection, outer)

    with listening(handler) as raw:
        yield raw
