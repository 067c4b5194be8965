"""Each fault, seen by curl."""

from __future__ import annotations

import gzip
import json
import zlib
from email.utils import parsedate_to_datetime
from time import monotonic, time

import pytest

from nostra_cli.sandbox.content import Rows
from nostra_cli.sandbox.samples import sample
from nostra_cli.sandbox.wire import paced
from tests.sandbox.calling import CurlResponse, curl, curl_api, fault, faulty

WHOLE = sample("deduplication", "csv").data
PATH = "invocation/demo-dedup/csv"
LARGE = "/api/invocation/demo-large/csv"
LARGE_BYTES = 1_000_000
ROWS = b"".join(Rows("csv", LARGE_BYTES).chunks(0, LARGE_BYTES))


def request(keys: str, *options: str) -> CurlResponse:
    """Return the response to one request that meets a fault with these keys."""
    with faulty(fault(keys)) as sandbox:
        return curl_api(sandbox, PATH, *options)


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (401, "Invalid token."),
        (403, "You do not have permission to perform this action."),
        (410, "Gone."),
        (429, "Request was throttled."),
        (503, "Service Unavailable."),
        (599, "Unknown status."),
    ],
)
def test_status(status: int, detail: str) -> None:
    response = request(f"status = {status}")
    assert (response.code, response.status, response.json()) == (0, status, {"detail": detail})


def test_after_its_times_a_fault_changes_nothing() -> None:
    with faulty(fault("status = 503\ntimes = 2")) as sandbox:
        responses = [curl_api(sandbox, PATH) for _ in range(3)]
        assert [request.path for request in sandbox.requests] == ["/api/" + PATH] * 3
    assert [response.status for response in responses] == [503, 503, 200]
    assert responses[2].body == WHOLE


def test_detail_and_retry_after() -> None:
    response = request('status = 429\ndetail = "slow \\u001b[31mdown"\nretry_after = "soon"')
    assert response.json() == {"detail": "slow \x1b[31mdown"}
    assert response.headers["retry-after"] == "soon"


def test_retry_after_as_a_date() -> None:
    before = int(time())
    response = request("status = 503\nretry_at = 60")
    date = parsedate_to_datetime(response.headers["retry-after"]).timestamp()
    assert before + 60 <= date <= time() + 60


def test_page() -> None:
    response = request('page = "Sign in <here>"')
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>Sign in &lt;here&gt;</title>" in response.body


def test_body_of_text_or_bytes() -> None:
    assert request('body = ""').headers["content-length"] == "0"
    response = request('body_hex = "ef bb bf ff"\nheaders = {Content-Type = "text/csv"}')
    assert (response.body, response.headers["content-type"]) == (b"\xef\xbb\xbf\xff", "text/csv")
    deep = request('body = "[["\nrepeat = 3_000_001')
    assert deep.body == b"[" * 6_000_002
    assert deep.headers["content-length"] == "6000002"


def test_no_content() -> None:
    response = request("status = 204")
    assert (response.code, response.status, response.body) == (0, 204, b"")
    assert "content-length" not in response.headers


def test_headers_are_set_repeated_and_removed() -> None:
    text = """headers = {ETag = [], X-Two = ["1", "2"], Content-Type = "image/png"}"""
    response = request(text)
    assert response.headers["x-two"] == "1, 2"
    assert response.headers["content-type"] == "image/png"
    assert "etag" not in response.headers
    assert response.body == WHOLE


def test_conflicting_lengths() -> None:
    lengths = f'["{len(WHOLE)}", "{len(WHOLE) + 1}"]'
    response = request(f"headers = {{Content-Length = {lengths}}}")
    assert response.headers["content-length"] == f"{len(WHOLE)}, {len(WHOLE) + 1}"


def test_redirect_to_a_store_without_a_token() -> None:
    text = fault(
        'status = 302\nheaders = {Location = "http://localhost:{port}/store/1?signature=s3cret"}'
    ) + fault('serve = "/api/invocation/demo-dedup/csv"', "/store/*")
    with faulty(text) as sandbox:
        response = curl_api(sandbox, PATH)
        target = response.headers["location"]
        assert curl(target).body == WHOLE
    assert response.status == 302
    assert target.startswith("http://localhost:")


def test_a_wrong_length() -> None:
    longer = request("length_off = 5")
    assert (longer.code, longer.body) == (18, WHOLE)
    assert longer.headers["content-length"] == str(len(WHOLE) + 5)
    assert request("length_off = -5").body == WHOLE[:-5]


def test_keep_makes_a_short_body_that_looks_complete() -> None:
    for keys, body in [("keep = 10", WHOLE[:10]), ("keep = -10", WHOLE[:-10])]:
        response = request(keys)
        assert (response.code, response.body) == (0, body)
        assert response.headers["content-length"] == str(len(body))
    assert request("keep = 1_000_000").body == WHOLE


def test_no_ranges() -> None:
    response = request("ranges = false", "-H", "Range: bytes=5-")
    assert (response.status, response.body) == (200, WHOLE)
    assert "accept-ranges" not in response.headers


def test_a_range_from_the_wrong_offset() -> None:
    response = request("range_shift = -2", "-H", "Range: bytes=5-9")
    assert (response.status, response.body) == (206, WHOLE[3:10])
    assert response.headers["content-range"] == f"bytes 3-9/{len(WHOLE)}"


@pytest.mark.parametrize(
    ("etag", "asked_for", "status"),
    [
        ('"v1"', '"v1"', 206),
        ('"v{attempt}"', '"v1"', 206),
        ('"v1"', '"v2"', 200),
        ('W/"v1"', 'W/"v1"', 200),
    ],
)
def test_another_etag(etag: str, asked_for: str, status: int) -> None:
    response = request(f"etag = '{etag}'", "-r", "5-", "-H", f"If-Range: {asked_for}")
    assert response.headers["etag"] == etag.replace("{attempt}", "1")
    assert response.status == status


def test_a_body_that_changes() -> None:
    with faulty(fault("changing = true", LARGE) + fault("", "*")) as sandbox:
        first, second = (curl_api(sandbox, "invocation/demo-large/csv") for _ in range(2))
        resumed = curl_api(
            sandbox,
            "invocation/demo-large/csv",
            *("-r", "500-", "-H", f"If-Range: {second.headers['etag']}"),
        )
    assert len({first.headers["etag"], second.headers["etag"], resumed.headers["etag"]}) == 3
    assert len({first.body, second.body, resumed.body, ROWS}) == 4
    assert {len(first.body), len(second.body), len(resumed.body)} == {LARGE_BYTES}
    assert resumed.status == 200


def test_a_server_that_resumes_a_changed_body() -> None:
    with faulty(fault("changing = true\nignore_if_range = true", LARGE)) as sandbox:
        options = ("-r", "500-", "-H", 'If-Range: "edition-1"')
        responses = [curl_api(sandbox, "invocation/demo-large/csv", *options) for _ in range(2)]
    assert [response.status for response in responses] == [206, 206]
    assert responses[0].body != responses[1].body


@pytest.mark.parametrize("layers", [1, 3])
def test_gzip(layers: int) -> None:
    response = request(f'gzip = "ok"\ngzip_layers = {layers}', "-r", "5-")
    assert response.status == 200
    assert response.headers["content-encoding"] == ", ".join(["gzip"] * layers)
    assert response.headers["transfer-encoding"] == "chunked"
    body = response.body
    for _ in range(layers):
        body = gzip.decompress(body)
    assert body == WHOLE


def test_gzip_of_several_members() -> None:
    body = request('gzip = "members"').body
    assert gzip.decompress(body) == WHOLE
    first = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert len(first.decompress(body)) < len(WHOLE)
    assert first.unused_data


def test_broken_gzip() -> None:
    truncated = request('gzip = "truncated"')
    assert truncated.code == 0  # only the encoding tells
    with pytest.raises(EOFError):
        gzip.decompress(truncated.body)
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(request('gzip = "bad-crc"').body)
    assert request('gzip = "bad-crc"', "--compressed").code == 61


def test_a_bomb_is_small_until_it_is_read() -> None:
    response = request('body = "0"\nrepeat = 200_000_000\ngzip = "ok"')
    assert len(response.body) < 250_000
    inflate, size = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    rest = response.body
    while rest:
        size += len(inflate.decompress(rest, 1 << 20))
        rest = inflate.unconsumed_tail
    assert size == 200_000_000
    assert inflate.eof
    nested = request('body = "0"\nrepeat = 200_000_000\ngzip = "ok"\ngzip_layers = 3')
    assert len(nested.body) < 500


def test_framing() -> None:
    chunked = request('framing = "chunked"')
    assert (chunked.code, chunked.body) == (0, WHOLE)
    assert "content-length" not in chunked.headers
    closed = request('framing = "close"')
    assert (closed.code, closed.body) == (0, WHOLE)
    assert not {"content-length", "transfer-encoding"} & set(closed.headers)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_cut(framing: str) -> None:
    response = request(f'framing = "{framing}"\ncut_after = 100')
    assert (response.code, response.body) == (18, WHOLE[:100])


def test_chunks_without_their_end() -> None:
    response = request('framing = "chunked"\ncut_after = 1_000_000')
    assert (response.code, response.body) == (18, WHOLE)


def test_a_close_delimited_body_that_is_cut_looks_complete() -> None:
    response = request('framing = "close"\ncut_after = 100')
    assert (response.code, response.body) == (0, WHOLE[:100])


def test_no_response() -> None:
    assert request("drop = true").code == 52


def test_delay() -> None:
    begun = monotonic()
    assert request("delay = 0.2").body == WHOLE
    assert monotonic() - begun >= 0.2


def test_a_rate_is_kept_by_waiting_after_each_piece() -> None:
    waited: list[float] = []
    pieces = list(paced(iter([b"x" * 250, b"y" * 50]), 1_000, waited.append))
    assert b"".join(pieces) == b"x" * 250 + b"y" * 50
    assert max(map(len, pieces)) == 100
    assert sum(waited) == pytest.approx(0.3)


def test_a_slow_body_arrives() -> None:
    begun = monotonic()
    assert request("rate = 8_000").body == WHOLE
    assert monotonic() - begun >= 0.3  # three pauses between four pieces


def test_faults_of_the_status_document() -> None:
    with faulty(fault('body = "{\\"status\\": 1"', "/api/invocation/demo")) as sandbox:
        with pytest.raises(json.JSONDecodeError):
            curl_api(sandbox, "invocation/demo").json()
        assert curl_api(sandbox, "invocation/demo-stuck").status == 200
