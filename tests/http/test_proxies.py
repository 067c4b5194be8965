"""The proxy of a request."""

from __future__ import annotations

import pytest

from nostra_cli.errors import UsageProblem
from nostra_cli.http.proxies import Proxy, parse_proxy, proxy_for

AT = "http://proxy.example:3128"
PROXY = Proxy("proxy.example", 3128)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        (AT, PROXY),
        ("proxy.example:3128", PROXY),
        ("http://proxy.example", Proxy("proxy.example", 80)),
        ("http://me:p%40ss@proxy.example:1/", Proxy("proxy.example", 1, "me", "p@ss")),
        ("http://[::1]:8080", Proxy("::1", 8080)),
    ],
)
def test_a_proxy_is_parsed(text: str, proxy: Proxy) -> None:
    assert parse_proxy(text) == proxy


def test_a_proxy_is_shown_without_its_user() -> None:
    assert str(parse_proxy("http://me:s3cr3t@[::1]")) == "[::1]:80"


def test_the_user_of_a_proxy_is_utf_8_in_any_locale() -> None:
    assert parse_proxy("http://m\udcc3\udca9:\u00fc@proxy.example").credentials == (
        "m\u00e9".encode(),
        "\u00fc".encode(),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://", "the proxy of the environment is not a valid URL"),
        ("http://:80", "the proxy of the environment is not a valid URL"),
        ("http://proxy.example:0", "the proxy of the environment is not a valid URL"),
        ("http://proxy.example:s3cr3t", "the proxy of the environment is not a valid URL"),
        ("http://me:s3cr3t/x@proxy.example", "the proxy of the environment is not a valid URL"),
        ("http://[s3cr3t", "the proxy of the environment is not a valid URL"),
        ("http://me:s3cr3t@prox\u00fd.example", "the proxy of the environment is not a valid URL"),
        (" ", "the proxy of the environment is not a valid URL"),
        ("http://proxy example:80", "the proxy of the environment is not a valid URL"),
        ("http://a\x1bb", "the proxy of the environment is not a valid URL"),
        ("socks5://me:s3cr3t@proxy.example", "socks5:// proxies are not supported"),
        ("https://s3cr3t@proxy.example", "https:// proxies are not supported"),
        ("ftp://s3cr3t", "ftp:// proxies are not supported"),
    ],
)
def test_an_invalid_proxy_is_a_usage_error_that_does_not_show_it(text: str, message: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        parse_proxy(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": AT}, PROXY),
        ({"https_proxy": AT, "HTTPS_PROXY": "other.example"}, PROXY),
        ({"HTTPS_PROXY": AT, "https_proxy": ""}, None),
        ({"ALL_PROXY": AT}, PROXY),
        ({"HTTPS_PROXY": AT, "ALL_PROXY": "socks5://other.example"}, PROXY),
        ({"HTTP_PROXY": AT}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "x, *"}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "example"}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": ".service.example"}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "a.service.example:8443"}, None),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "a.service.example:443"}, PROXY),
        ({"HTTPS_PROXY": AT, "NO_PROXY": "vice.example"}, PROXY),
    ],
)
def test_the_environment_names_the_proxy_and_its_exceptions(
    env: dict[str, str], proxy: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://a.service.example:8443/x") == proxy


def test_the_default_port_counts_in_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", AT)
    monkeypatch.setenv("NO_PROXY", "a.example:443")
    assert proxy_for("https://a.example/") is None


def test_an_ipv6_address_is_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", AT)
    monkeypatch.setenv("NO_PROXY", "::1")
    assert proxy_for("https://[::1]:8443/") is None


def test_plain_http_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", AT)
    monkeypatch.setenv("HTTP_PROXY", AT)
    assert proxy_for("http://localhost:8000/") is None
