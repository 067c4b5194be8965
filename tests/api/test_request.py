"""The options of `nostra api`: the request that is built, or the error."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api.request import build_request
from nostra_cli.errors import UsageProblem

BASE = "https://service.example:8443/sub"
ORIGIN = "https://service.example:8443"


def body(text: str | None) -> Callable[[], bytes] | None:
    return None if text is None else text.encode


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/api/collection", f"{BASE}/api/collection"),
        ("api/collection", f"{BASE}/api/collection"),
        ("/", f"{BASE}/"),
        ("a?b=c", f"{BASE}/a?b=c"),
        ("a?u=/x?y", f"{BASE}/a?u=/x?y"),
        ("a b/ö", f"{BASE}/a%20b/%C3%B6"),
        ("a%20b%2Fc", f"{BASE}/a%20b%2Fc"),
        ("a\\b", f"{BASE}/a%5Cb"),
        (f"{ORIGIN}/other", f"{ORIGIN}/other"),
        ("HTTPS://Service.Example:8443/other?x=1", f"{ORIGIN}/other?x=1"),
        (ORIGIN, f"{ORIGIN}/"),
    ],
)
def test_a_path_is_joined_to_the_base_url(path: str, url: str) -> None:
    assert build_request(BASE, path).url == url


@pytest.mark.parametrize(
    ("path", "query"), [("x" * 70_000, []), ("ü" * 20_000, []), ("x", [f"q={'y' * 70_000}"])]
)
def test_a_url_that_is_too_long_is_not_shown_in_full(path: str, query: list[str]) -> None:
    with pytest.raises(UsageProblem, match=r"the URL has [0-9]+ characters, more than") as caught:
        build_request(BASE, path, query=query)
    assert len(caught.value.message) < 80


@pytest.mark.parametrize(("base", "port"), [("https://a.example", 443), ("http://127.0.0.1", 80)])
def test_the_default_port_is_the_same_origin_and_another_is_not(base: str, port: int) -> None:
    for path in (base, f"{base}:{port}/"):
        assert build_request(base, path).url == f"{base}/"
    with pytest.raises(UsageProblem):
        build_request(base, f"{base}:{port + 1}/")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a\nb",
        "a\x1b",
        "a\x9bb",
        "a#b",
        "#",
        "https://service.example/x",
        "http://service.example:8443/x",
        "https://service.example.evil.example:8443/x",
        "https://service.example:8443@evil.example/x",
        "https://me:pw@service.example:8443/x",
        "https://evil.example\\@service.example:8443/x",
        "//service.example/x",
        "///x//",
        "https://[::1",
        "https://service.example:99999/",
        "file:///etc/passwd",
        "javascript:x",
    ],
)
def test_another_origin_or_an_invalid_path_is_refused(path: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        build_request(BASE, path)
    assert "pw" not in caught.value.message


@given(st.text() | st.text().map("https://".__add__) | st.text().map("//".__add__))
def test_no_path_leads_to_another_origin(path: str) -> None:
    try:
        call = build_request(BASE, path, query=["a=b"])
    except UsageProblem:
        return
    url = httpx.URL(call.url)
    assert (url.scheme, url.host, url.port) == ("https", "service.example", 8443)
    assert url.raw_path.decode().endswith("a=b")
    assert call.url.isascii()
    assert call.url.isprintable()


def test_query_pairs_are_encoded_and_added_to_the_query_of_the_path() -> None:
    query = ["a=1", "a=x&y=z", "ö k=a+b c", "e=", "u=p=q"]
    url = build_request(BASE, "x?q=%20", query=query).url
    encoded = "q=%20&a=1&a=x%26y%3Dz&%C3%B6%20k=a%2Bb%20c&e=&u=p%3Dq"
    assert url == f"{BASE}/x?{encoded}"


@pytest.mark.parametrize("pair", ["limit", "", "=x"])
def test_a_query_pair_has_a_key_and_a_value(pair: str) -> None:
    with pytest.raises(UsageProblem, match="key=value"):
        build_request(BASE, "x", query=[pair])


@pytest.mark.parametrize(
    ("method", "data", "expected"),
    [(None, None, "GET"), (None, "", "POST"), ("get", "x", "GET"), ("PATCH", None, "PATCH")],
)
def test_a_body_means_post(method: str | None, data: str | None, expected: str) -> None:
    assert build_request(BASE, "x", method, body(data)).method == expected


@pytest.mark.parametrize("method", ["", "CONNECT", "TRACE", "GET /x", "GE\nT"])
def test_a_method_is_one_of_the_usual_ones(method: str) -> None:
    with pytest.raises(UsageProblem, match="is not a method"):
        build_request(BASE, "x", method)


def test_a_body_is_json_unless_a_header_says_otherwise() -> None:
    assert build_request(BASE, "x").headers == {}
    assert build_request(BASE, "x", read_content=body("{}")).headers == {
        "Content-Type": "application/json"
    }
    own = build_request(BASE, "x", read_content=body("a"), headers=["content-type: text/plain"])
    assert own.headers == {"content-type": "text/plain"}


def test_headers_are_trimmed_and_repeated_ones_are_joined() -> None:
    given_ = ["X-A:  1 ", "x-a: 2", "Accept:", "Url: http://x"]
    assert build_request(BASE, "x", headers=given_).headers == {
        "X-A": "1, 2",
        "Accept": "",
        "Url": "http://x",
    }


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Token s3cr3t",
        "authorization:s3cr3t",
        "Proxy-Authorization: s3cr3t",
        "Host: s3cr3t",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Connection: s3cr3t",
        "Accept-Encoding: br",
        "X: s3cr3t\r\nAuthorization: x",
        "X: s3cr3t\x00",
        "X: s3cr3té",
        "no colon",
        ": x",
        "a b: x",
        "Authorization : x",
        "\nX: y",
    ],
)
def test_a_reserved_or_invalid_header_is_refused_without_its_value(header: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        build_request(BASE, "x", headers=[header])
    assert "s3cr3t" not in caught.value.message
    assert caught.value.message.isprintable()


def test_the_body_is_read_last() -> None:
    def read() -> bytes:
        raise AssertionError("read before the rest was checked")

    with pytest.raises(UsageProblem):
        build_request(BASE, "x", "no method", read)
    with pytest.raises(UsageProblem):
        build_request(BASE, "x", None, read, ["no header"])
