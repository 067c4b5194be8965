"""Ranges and their conditions (RFC 9110, section 14), called with curl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostra_cli.sandbox.content import Rows
from nostra_cli.sandbox.samples import sample
from tests.sandbox.calling import curl_api
from tests.sandbox.conftest import LARGE_BYTES

if TYPE_CHECKING:
    from nostra_cli.sandbox.server import Sandbox


@pytest.mark.parametrize(
    ("range_", "start", "stop"),
    [
        ("0-0", 0, 1),
        ("100-", 100, LARGE_BYTES),
        ("1000000-1999999", 1_000_000, 2_000_000),
        ("-5", LARGE_BYTES - 5, LARGE_BYTES),
        (f"5-{LARGE_BYTES + 5}", 5, LARGE_BYTES),
    ],
)
def test_ranges(sandbox: Sandbox, range_: str, start: int, stop: int) -> None:
    response = curl_api(sandbox, "invocation/demo-large/csv", "-r", range_)
    assert response.status == 206
    assert response.headers["content-range"] == f"bytes {start}-{stop - 1}/{LARGE_BYTES}"
    assert response.headers["content-length"] == str(stop - start)
    assert response.body == b"".join(Rows("csv", LARGE_BYTES).chunks(start, stop))


@pytest.mark.parametrize("range_", [f"{LARGE_BYTES}-", "-0"])
def test_a_range_beyond_the_end(sandbox: Sandbox, range_: str) -> None:
    response = curl_api(sandbox, "invocation/demo-large/csv", "-H", f"Range: bytes={range_}")
    assert response.status == 416
    assert response.headers["content-range"] == f"bytes */{LARGE_BYTES}"


@pytest.mark.parametrize("range_", ["bytes=0-1,4-5", "bytes=5-4", "bytes=-", "rows=1-2", "x"])
def test_an_unknown_kind_of_range_returns_the_complete_body(sandbox: Sandbox, range_: str) -> None:
    response = curl_api(sandbox, "invocation/demo-dedup/csv", "-H", f"Range: {range_}")
    assert response.status == 200
    assert response.body == sample("deduplication", "csv").data


def test_if_range_guards_against_a_mixed_file(sandbox: Sandbox) -> None:
    path = "invocation/demo-dedup/csv"
    known = curl_api(sandbox, path).headers
    for value, status in [
        (known["etag"], 206),
        (known["last-modified"], 206),
        ('"other"', 200),
        (f"W/{known['etag']}", 200),
        ("Mon, 05 Jan 2026 09:30:01 GMT", 200),
    ]:
        response = curl_api(sandbox, path, "-r", "10-", "-H", f"If-Range: {value}")
        assert response.status == status, value
