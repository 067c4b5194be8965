"""The one request of `nostra doctor`, and what its response means."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
import trustme

from nostra_cli.cli.main import main
from nostra_cli.config.credentials import Token
from nostra_cli.doctor import service
from tests.faults.secured import over_tls
from tests.sandbox.calling import fault, faulty


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize(
    ("toml", "status", "code", "detail"),
    [
        ("delay = 0", "ok", 0, "127.0.0.1: 200 in "),
        ("status = 404", "warning", 0, "could not be checked"),
        ("status = 429", "warning", 0, "429"),
        ("status = 503", "error", 6, "503 from 127.0.0.1"),
        ("status = 400", "error", 6, "refused the request (400"),
        ("page = 'Sign in'", "error", 7, "not the service"),
        ("status = 204", "error", 7, "not the service"),
        ("status = 403", "error", 3, "refused the token"),
        ("drop = true", "error", 6, "broke off"),
        ("headers = {Content-Encoding = 'br'}", "error", 7, "encoded as 'br'"),
        ("stall_after = 1\nbody = '{}'\nframing = 'chunked'", "ok", 0, "200"),
    ],
)
def test_one_request_checks_the_service(toml: str, status: str, code: int, detail: str) -> None:
    with faulty(fault(toml, "/api/collection")) as sandbox:
        check = service.check_request(sandbox.base_url, Token(sandbox.token), None, 20.0)
        [request] = sandbox.requests
    assert (check.status, check.code, check.name) == (status, code, "request")
    assert detail in check.detail
    assert request.query == "limit=1"


def test_a_response_that_takes_too_long_is_an_error() -> None:
    with faulty(fault("delay = 60", "/api/collection")) as sandbox:
        check = service.check_request(sandbox.base_url, None, None, 0.3)
    assert (check.status, check.code) == ("error", 6)
    assert check.detail == "no response within 0.3 s"


def test_a_resolver_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(service, "_SPARE_SECONDS", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [] if released.wait(20) else None)
    began = time.monotonic()
    check = service.check_request("http://localhost:9", None, None, 0.1)
    assert time.monotonic() - began < 5
    released.set()
    assert (check.status, check.code, check.detail) == ("error", 6, "no response within 0.1 s")


@pytest.mark.parametrize(
    ("base_url", "port"),
    [("https://127.0.0.1", 443), ("http://127.0.0.1", 80), ("https://127.0.0.1:8443", 8443)],
)
def test_the_port_is_that_of_the_base_url(
    base_url: str, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peers: list[object] = []

    def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
        peers.append((host, port))
        raise socket.gaierror

    monkeypatch.setenv("NOSTRA_TOKEN", "t0ken")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert main(["doctor", "--base-url", base_url]) == 6
    assert peers == [("127.0.0.1", port)]
    assert "127.0.0.1: the host name cannot be resolved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "authority", "detail"),
    [
        ("localhost", "another", "localhost: its certificate is not trusted"),
        ("elsewhere.example", "same", "localhost: its certificate is for another host"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_an_error(
    host: str, authority: str, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, file = trustme.CA(), tmp_path / "ca.pem"
    trusted = issuer if authority == "same" else trustme.CA()
    trusted.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with faulty("") as sandbox, over_tls(sandbox, issuer.issue_cert(host)) as raw:
        check = service.check_request(f"https://localhost:{raw.port}", None, None, 20.0)
    assert (check.status, check.code) == ("error", 6)
    assert detail in check.detail
    assert check.hint
