"""Proxies and certificate authorities as the environment names them."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from nostra_cli.doctor.check import Check
from nostra_cli.doctor.environment import ca_certificates, proxy
from nostra_cli.http import tls

PROXY = "http://proxy.example:3128"
SERVICE = "https://a.service.example"
LOCAL = "http://localhost:8000/x"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def check_proxy(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], url: str = SERVICE) -> Check:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return proxy(url, env)


@pytest.mark.parametrize(
    ("env", "url", "detail"),
    [
        ({}, SERVICE, "none: neither HTTPS_PROXY nor ALL_PROXY is set"),
        ({"HTTP_PROXY": PROXY}, SERVICE, "none: neither HTTPS_PROXY nor ALL_PROXY is set"),
        ({"HTTPS_PROXY": PROXY}, SERVICE, "proxy.example:3128 (HTTPS_PROXY)"),
        ({"https_proxy": PROXY}, SERVICE, "proxy.example:3128 (HTTPS_PROXY)"),
        ({"ALL_PROXY": "proxy.example:3128"}, SERVICE, "proxy.example:3128 (ALL_PROXY)"),
        ({"HTTPS_PROXY": "http://me:s3cr3t@p.example"}, SERVICE, "p.example:80 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": PROXY}, LOCAL, "none for http://; HTTPS_PROXY is for https:// only"),
        (
            {"HTTPS_PROXY": PROXY, "https_proxy": ""},
            SERVICE,
            "none: neither HTTPS_PROXY nor ALL_PROXY is set",
        ),
        *(
            (
                {"HTTPS_PROXY": PROXY, "NO_PROXY": exempt},
                SERVICE,
                "none for a.service.example: NO_PROXY names it",
            )
            for exempt in ("*", "x, *", "service.example", ".service.example", "o.example, example")
        ),
        (
            {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.example"},
            SERVICE,
            "proxy.example:3128 (HTTPS_PROXY)",
        ),
    ],
)
def test_the_proxy_of_the_base_url_is_reported(
    env: dict[str, str], url: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = check_proxy(monkeypatch, env, url)
    assert (check.status, check.detail) == ("ok", detail)


@pytest.mark.parametrize(
    "value",
    [
        "ftp://s3cr3t",
        "socks5://me:s3cr3t@proxy.example",
        "http://",
        "http://:80",
        "http://me:s3cr3t/x@proxy.example",
        "http://me:1#s3cr3t@proxy.example",
        "http://me:1?s3cr3t@proxy.example",
        "http://proxy.example:s3cr3t",
        "http://[s3cr3t",
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_that_does_not_show_it(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = check_proxy(monkeypatch, {"ALL_PROXY": value})
    assert (check.status, check.code) == ("error", 2)
    assert check.detail.startswith("ALL_PROXY: ")
    assert "s3cr3t" not in f"{check.detail}{check.hint}"


def test_a_bad_proxy_that_is_not_needed_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    check = check_proxy(monkeypatch, {"HTTPS_PROXY": "x://"}, LOCAL)
    assert (check.status, check.code) == ("warning", 0)


def authorities(url: str = SERVICE, **env: str) -> Check:
    return next(iter(ca_certificates(url, env)))


def test_a_file_of_authorities_is_read(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    check = authorities(SSL_CERT_FILE=str(file))
    assert (check.status, check.detail) == ("ok", f"SSL_CERT_FILE: {file} (1 certificates)")


@pytest.mark.parametrize("name", ["missing.pem", "not.pem", "."])
def test_a_file_without_authorities_is_an_error_where_tls_is_needed(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "not.pem").write_text("no certificate")
    check = authorities(SSL_CERT_FILE=str(tmp_path / name))
    assert (check.status, check.code, check.detail[:13]) == ("error", 2, "SSL_CERT_FILE")
    assert authorities(LOCAL, SSL_CERT_FILE=str(tmp_path / name)).status == "warning"


def test_a_folder_of_authorities_needs_the_names_of_openssl(tmp_path: Path) -> None:
    assert authorities(SSL_CERT_DIR=str(tmp_path / "none")).status == "error"
    unnamed = authorities(SSL_CERT_DIR=str(tmp_path))
    assert (unnamed.status, unnamed.hint) == ("warning", f"openssl rehash {tmp_path}")
    (tmp_path / "0a1b2c3d.0").touch()
    named = authorities(SSL_CERT_DIR=str(tmp_path))
    assert (named.status, named.detail) == ("ok", f"SSL_CERT_DIR: {tmp_path}")


def test_ssl_cert_file_takes_precedence_over_ssl_cert_dir(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    env = {"SSL_CERT_FILE": str(file), "SSL_CERT_DIR": "/nothing"}
    _, second = ca_certificates(SERVICE, env)
    assert second.detail == "SSL_CERT_DIR is not used: SSL_CERT_FILE comes first"


@pytest.mark.skipif("linux" not in __import__("sys").platform, reason="a container of Linux")
def test_a_system_without_certificates_uses_certifi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tls, "_system_source", lambda: None)
    check = authorities()
    assert check.status == "ok"
    assert check.detail.startswith("certifi's bundle (the system has no certificates): ")
