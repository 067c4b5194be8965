"""Redirects of requests other than GET, and what another origin is."""

from __future__ import annotations

import httpx
import pytest

from nostra_cli.errors import ServiceProblem
from nostra_cli.http.redirects import Request, origin
from tests.faults.raw import ok
from tests.transports import connect, get, responding

HERE, THERE = "https://a.example/x", "https://b.example/y"
HEADERS = {"Accept": "text/csv", "Content-Type": "text/plain", "X-Key": "secret"}


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "DELETE", "DELETE"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
        (303, "HEAD", "HEAD"),
    ],
)
def test_redirects_within_the_origin(status: int, method: str, then: str) -> None:
    after = Request(method, httpx.URL(HERE), HEADERS, b"body").redirected(status, "/z")
    kept = then == method and method != "HEAD"
    assert (after.method, str(after.url)) == (then, "https://a.example/z")
    assert after.content == (b"body" if kept else None)
    assert ("Content-Type" in after.headers) == kept
    assert after.headers["X-Key"] == "secret"


@pytest.mark.parametrize(
    ("status", "method"),
    [(307, "POST"), (308, "PUT"), (302, "DELETE"), (301, "PATCH"), (307, "GET")],
)
def test_a_body_is_not_sent_to_another_origin(status: int, method: str) -> None:
    with pytest.raises(ServiceProblem, match=f"redirects a {method} to https://b.example"):
        Request(method, httpx.URL(HERE), {}, b"body").redirected(status, THERE)


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "POST"), (307, "HEAD")])
def test_another_origin_gets_no_header_that_may_be_secret(status: int, method: str) -> None:
    content = b"body" if method == "POST" else None
    after = Request(method, httpx.URL(HERE), HEADERS, content).redirected(status, THERE)
    assert (after.headers, after.content) == ({"Accept": "text/csv"}, None)


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        (HERE, "https://a.example:443/y", True),
        (HERE, "https://A.EXAMPLE/y", True),
        (HERE, "https://a.example:444/y", False),
        ("http://127.0.0.1/x", "http://127.0.0.1:80/y", True),
        ("http://127.0.0.1/x", "http://127.0.0.1:81/y", False),
        ("http://127.0.0.1/x", "https://127.0.0.1/y", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(here: str, there: str, same: bool) -> None:
    assert (origin(httpx.URL(here)) == origin(httpx.URL(there))) is same


@pytest.mark.parametrize(("method", "sent"), [("GET", 3), ("PUT", 3), ("POST", 2)])
def test_only_idempotent_requests_are_sent_again_after_a_dead_connection(
    method: str, sent: int
) -> None:
    answers = [ok(b"kept"), None, ok(b"again")]
    with (
        responding(lambda number, _: answers[number]) as raw,
        connect(raw.base_url) as transport,
    ):
        assert get(transport)[1] == b"kept"
        if method == "POST":
            with pytest.raises(ServiceProblem), transport.request(method, "/x"):
                pass
        else:
            with transport.request(method, "/x") as response:
                assert b"".join(map(bytes, response.chunks)) == b"again"
        assert len(raw.heads) == sent
