"""Validation of tokens and base URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.config.credentials import check_base_url, check_token, is_loopback
from nostra_cli.errors import UsageProblem


@pytest.mark.parametrize("text", ["abc", " abc", "abc\n", "abc\r\n", "\tabc ", "!#$%&~"])
def test_a_token_loses_the_white_space_around_it(text: str) -> None:
    assert check_token(text).value == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "s3cr3t x",
        "s3cr3t\nx",
        "s3cr3t\x00",
        "s3cr3t\x7f",
        "s3cr3té",
        "“s3cr3t”",
        "\ufeffs3cr3t",
        "s3cr3t" * 2000,
    ],
)
def test_a_token_that_no_header_takes_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageProblem, match=r"^not a valid token: ") as caught:
        check_token(text)
    assert "s3cr3t" not in f"{caught.value.message} {caught.value.hint}"


@given(st.text())
def test_a_token_is_visible_ascii_or_refused(text: str) -> None:
    try:
        token = check_token(text).value
    except UsageProblem:
        assert not text.strip() or any(not "!" <= c <= "~" for c in text.strip())
    else:
        assert token.isascii()
        assert token.isprintable()
        assert token
        assert " " not in token


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        (" https://a.example:8443/x/y// ", "https://a.example:8443/x/y"),
        ("HTTPS://A.example", "HTTPS://A.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://LocalHost", "http://LocalHost"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_a_base_url_is_https_or_http_to_this_machine(text: str, url: str) -> None:
    assert check_base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.example",
        "//a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://:443",
        "https://a.example:x",
        "https://a.example:99999",
        "https://[::1",
        "https://a\x00.example",
        "https://a.example\n/x",
        "https://a.example/\u202ex",
        "https://me@a.example",
        "https://me:pw@a.example",
        "https://a.example?x=1",
        "https://a.example?",
        "https://a.example#",
        "https://a example",
        "https://a.example/#x",
        "http://a.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://127.1\\.example",
    ],
)
def test_other_base_urls_are_refused(text: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_base_url(text)
    assert "pw" not in caught.value.message


@given(st.text() | st.text().map("https://".__add__) | st.text().map("http://".__add__))
def test_a_base_url_is_safe_or_refused(text: str) -> None:
    try:
        url = check_base_url(text)
    except UsageProblem:
        return
    scheme, _, rest = url.partition("://")
    assert scheme.lower() == "https" or is_loopback(rest.split("/")[0].split(":")[0])
    assert "@" not in rest.split("/")[0]
    assert url.isprintable()
