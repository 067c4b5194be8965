"""Proxies and certificate authorities as the environment names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nostra_cli.doctor.environment import authorities, proxies, proxy_of
from nostra_cli.http.proxies import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (PROXY, PROXY),
        ("proxy.example:3128", PROXY),
        ("http://me:s3cr3t@proxy.example", "http://***@proxy.example"),
        ("me:s3cr3t@proxy.example:1", "http://***@proxy.example:1"),
        ("http://s3cr3t@proxy.example/x?y", "http://***@proxy.example"),
        ("https://[::1]:8080", "https://[::1]:8080"),
        ("", "not set"),
    ],
)
def test_a_proxy_is_shown_without_its_user(value: str, shown: str) -> None:
    found = {finding.check: finding for finding in proxies({"HTTPS_PROXY": value})}
    assert (found["HTTPS_PROXY"].status, found["HTTPS_PROXY"].detail) == ("ok", shown)


@pytest.mark.parametrize(
    "value",
    [
        "ftp://s3cr3t",
        "http://",
        "http://:80",
        "http://me:s3cr3t/x@proxy.example",
        "http://me:1#s3cr3t@proxy.example",
        "http://me:1?s3cr3t@proxy.example",
        "http://proxy.example:s3cr3t",
        "http://[s3cr3t",
    ],
)
def test_what_is_no_proxy_is_an_error_that_does_not_show_it(value: str) -> None:
    found = {finding.check: finding for finding in proxies({"all_proxy": value})}
    finding = found["ALL_PROXY"]
    assert (finding.status, finding.code) == ("error", 2)
    assert "s3cr3t" not in f"{finding.detail}{finding.hint}"


def test_lower_case_comes_first_also_when_it_is_empty() -> None:
    env = {"https_proxy": "", "HTTPS_PROXY": PROXY, "NO_PROXY": "a", "no_proxy": "b"}
    found = {finding.check: finding.detail for finding in proxies(env)}
    assert (found["HTTPS_PROXY"], found["NO_PROXY"]) == ("not set", "b")


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"HTTPS_PROXY": PROXY},
        {"HTTP_PROXY": PROXY},
        {"ALL_PROXY": "proxy.example:3128"},
        {"HTTPS_PROXY": PROXY, "https_proxy": ""},
        {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"},
        {"HTTPS_PROXY": PROXY, "NO_PROXY": "x, *"},
        {"HTTPS_PROXY": PROXY, "NO_PROXY": "service.example"},
        {"HTTPS_PROXY": PROXY, "NO_PROXY": ".service.example"},
        {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.example, vice.example"},
        {"HTTPS_PROXY": PROXY, "no_proxy": "example"},
    ],
)
@pytest.mark.parametrize("url", ["https://a.service.example", "http://localhost:8000/x"])
def test_the_proxy_is_the_one_that_the_transport_takes(
    env: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == (("proxy.example", 3128) if proxy_for(url) else None)


def told(**env: str) -> dict[str, tuple[str, str]]:
    return {finding.check: (str(finding.status), finding.detail) for finding in authorities(env)}


def test_a_file_of_authorities_is_read(tmp_path: Path) -> None:
    (tmp_path / "not.pem").write_text("no certificate")
    for name, said in (
        ("missing.pem", "No such file or directory"),
        ("not.pem", "no certificate in it can be read"),
    ):
        path = tmp_path / name
        assert told(SSL_CERT_FILE=str(path))["SSL_CERT_FILE"] == ("error", f"{path}: {said}")


def test_a_folder_of_authorities_needs_the_names_of_openssl(tmp_path: Path) -> None:
    name = "SSL_CERT_DIR"
    assert told()[name] == ("ok", "not set")
    assert told(SSL_CERT_DIR=str(tmp_path / "none"))[name][0] == "error"
    assert told(SSL_CERT_DIR=str(tmp_path))[name][0] == "warning"
    (tmp_path / "0a1b2c3d.0").touch()
    assert told(SSL_CERT_DIR=str(tmp_path))[name] == ("ok", f"{tmp_path}, 1 certificates")
    both = told(SSL_CERT_DIR=str(tmp_path), SSL_CERT_FILE=str(tmp_path / "none"))
    assert both[name] == ("ok", "does not count: SSL_CERT_FILE is set")
