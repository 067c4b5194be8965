"""A proxy in between: that works, that is down, that refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from nostra_cli.sandbox.server import Sandbox, serving
from tests.faults.catalogue import covers
from tests.faults.raw import Raw, head, listening
from tests.faults.secured import LARGE, PASSWORD, over_tls, proxy, run
from tests.running import Ended


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


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
def test_a_large_body_comes_through_a_proxy(
    authority: trustme.CA, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        serving(large_bytes=LARGE) as sandbox,
        over_tls(sandbox, authority.issue_cert("localhost")) as raw,
        proxy() as through,
    ):
        env = {"SSL_CERT_FILE": str(file), "HTTPS_PROXY": f"http://127.0.0.1:{through.port}"}
        args = ("download", "demo-large", "-f", "csv", "--json")
        [entry] = run(raw, sandbox, home, tmp_path, *args, **env).json()
    assert (entry["status"], entry["resumed"]) == ("downloaded", False)
    assert len(through.heads) == 1


@dataclass(frozen=True)
class Behind:
    """A service behind a proxy, and how to reach both."""

    sandbox: Sandbox
    raw: Raw
    file: Path

    def run(self, through: Raw | str, home: Path, cwd: Path, *args: str) -> Ended:
        at = through if isinstance(through, str) else f"http://me:{PASSWORD}@{place(through)}"
        env = {"SSL_CERT_FILE": str(self.file), "HTTPS_PROXY": at}
        ended = run(self.raw, self.sandbox, home, cwd, *args, **env)
        assert PASSWORD not in ended.err
        return ended


def place(raw: Raw) -> str:
    return f"127.0.0.1:{raw.port}"


@pytest.fixture
def behind(authority: trustme.CA, sandbox: Sandbox, home: Path) -> Iterator[Behind]:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with over_tls(sandbox, authority.issue_cert("localhost")) as raw:
        yield Behind(sandbox, raw, file)


@covers("proxy-down")
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_that_is_not_available_for_a_while_is_retried(
    status: int, behind: Behind, home: Path, tmp_path: Path
) -> None:
    with proxy(statuses=[status] * 2) as through:
        ended = behind.run(through, home, tmp_path, "status", "demo-dedup")
    assert (ended.code, len(through.heads), ended.err.count("retrying")) == (0, 3, 2)
    assert f"proxy {place(through)}: status {status} for the connection to localhost" in ended.err


@covers("proxy-down")
def test_a_proxy_that_is_never_available_ends_it_after_the_attempts(
    behind: Behind, home: Path, tmp_path: Path
) -> None:
    with proxy(statuses=[503] * 99) as through:
        ended = behind.run(through, home, tmp_path, "status", "demo-dedup")
    assert (ended.code, len(through.heads)) == (6, 5)


@covers("proxy-down")
def test_a_wait_outlives_a_proxy_that_is_not_available_for_a_while(
    behind: Behind, home: Path, tmp_path: Path
) -> None:
    with proxy(statuses=[503] * 4) as through:
        ended = behind.run(through, home, tmp_path, "wait", "demo-dedup", "--interval", "0.1")
    assert ended.code == 0, ended.err


@covers("proxy-refused")
@pytest.mark.parametrize(
    ("status", "hint"), [(407, "the user name and the password"), (403, "does not allow localhost")]
)
def test_a_proxy_that_refuses_ends_it_at_once(
    status: int, hint: str, behind: Behind, home: Path, tmp_path: Path
) -> None:
    with proxy(statuses=[status] * 99) as through:
        ended = behind.run(through, home, tmp_path, "status", "demo-dedup")
    assert (ended.code, len(through.heads)) == (6, 1)
    [error, advice] = ended.err.splitlines()
    assert error.endswith(
        f"proxy {place(through)}: status {status} for the connection to localhost"
    )
    assert hint in advice


@covers("proxy-kind")
@pytest.mark.parametrize("kind", ["socks5", "socks5h", "socks4", "https"])
def test_a_proxy_of_an_unsupported_kind_is_named(
    kind: str, behind: Behind, home: Path, tmp_path: Path
) -> None:
    at = f"{kind}://me:{PASSWORD}@127.0.0.1:1080"
    ended = behind.run(at, home, tmp_path, "status", "demo-dedup")
    assert ended.code == 2
    assert f"{kind}:// proxies are not supported" in ended.err


@covers("proxy-refused")
def test_a_proxy_that_wants_another_password(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    with proxy("somebody") as through:
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}x@127.0.0.1:{through.port}"}
        ended = run(Raw(9), sandbox, home, tmp_path, "status", "x", "-v", **env)
    assert ended.code == 6
    assert PASSWORD not in ended.err


@covers("proxy-down")
def test_a_proxy_that_is_down_is_retried_and_named(
    sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}@{at}"}
        ended = run(Raw(9), sandbox, home, tmp_path, "status", "x", **env)
    assert (ended.code, ended.err.count("retrying")) == (6, 4)
    assert f"proxy {at}: connection refused" in ended.err
    assert PASSWORD not in ended.err


@covers("proxy-down")
@pytest.mark.parametrize(
    ("said", "message"),
    [(b"", "the connection broke off"), (b"junk\r\n\r\n", "the response is not valid HTTP")],
)
def test_a_proxy_that_speaks_no_http_is_named(
    said: bytes, message: str, behind: Behind, home: Path, tmp_path: Path
) -> None:
    def handler(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(said)

    with listening(handler) as through:
        ended = behind.run(through, home, tmp_path, "status", "demo-dedup")
    assert (ended.code, ended.err.count("retrying")) == (6, 4)
    assert f"proxy {place(through)}: {message}" in ended.err


@covers("certificate")
def test_a_certificate_of_the_service_behind_a_proxy_is_named(
    authority: trustme.CA, sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with (
        over_tls(sandbox, authority.issue_cert("elsewhere.example")) as raw,
        proxy() as through,
    ):
        env = {"SSL_CERT_FILE": str(file), "HTTPS_PROXY": f"http://127.0.0.1:{through.port}"}
        ended = run(raw, sandbox, home, tmp_path, "status", "demo-dedup", **env)
    assert (ended.code, ended.err.count("retrying")) == (6, 0)
    assert "localhost: its certificate is for another host" in ended.err
