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
from tests.sandbox.calling import Answer, curl, curl_api, fault, faulty

WHOLE = sample("deduplication", "csv").data
PATH = "invocation/demo-dedup/csv"
LARGE = "/api/invocation/demo-large/csv"
LARGE_BYTES = 1_000_000
ROWS = b"".join(Rows("csv", LARGE_BYTES).chunks(0, LARGE_BYTES))


def asked(keys: str, *options: str) -> Answer:
    """Give the answer to one request that meets a fault with these keys."""
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
    answer = asked(f"status = {status}")
    assert (answer.code, answer.status, answer.json()) == (0, status, {"detail": detail})


def test_faults_end_and_the_service_is_as_it_was() -> None:
    with faulty(fault("status = 503\ntimes = 2")) as sandbox:
        answers = [curl_api(sandbox, PATH) for _ in range(3)]
        assert [request.path for request in sandbox.requests] == ["/api/" + PATH] * 3
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[2].body == WHOLE


def test_detail_and_retry_after() -> None:
    answer = asked('status = 429\ndetail = "slow \\u001b[31mdown"\nretry_after = "soon"')
    assert answer.json() == {"detail": "slow \x1b[31mdown"}
    assert answer.headers["retry-after"] == "soon"


def test_retry_after_as_a_date() -> None:
    before = int(time())
    answer = asked("status = 503\nretry_at = 60")
    date = parsedate_to_datetime(answer.headers["retry-after"]).timestamp()
    assert before + 60 <= date <= time() + 60


def test_page() -> None:
    answer = asked('page = "Sign in <here>"')
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>Sign in &lt;here&gt;</title>" in answer.body


def test_body_of_text_or_bytes() -> None:
    assert asked('body = ""').headers["content-length"] == "0"
    answer = asked('body_hex = "ef bb bf ff"\nheaders = {Content-Type = "text/csv"}')
    assert (answer.body, answer.headers["content-type"]) == (b"\xef\xbb\xbf\xff", "text/csv")
    deep = asked('body = "[["\nrepeat = 3_000_001')
    assert deep.body == b"[" * 6_000_002
    assert deep.headers["content-length"] == "6000002"


def test_no_content() -> None:
    answer = asked("status = 204")
    assert (answer.code, answer.status, answer.body) == (0, 204, b"")
    assert "content-length" not in answer.headers


def test_headers_are_set_repeated_and_removed() -> None:
    text = """headers = {ETag = [], X-Two = ["1", "2"], Content-Type = "image/png"}"""
    answer = asked(text)
    assert answer.headers["x-two"] == "1, 2"
    assert answer.headers["content-type"] == "image/png"
    assert "etag" not in answer.headers
    assert answer.body == WHOLE


def test_conflicting_lengths() -> None:
    lengths = f'["{len(WHOLE)}", "{len(WHOLE) + 1}"]'
    answer = asked(f"headers = {{Content-Length = {lengths}}}")
    assert answer.headers["content-length"] == f"{len(WHOLE)}, {len(WHOLE) + 1}"


def test_redirect_to_a_store_that_asks_for_no_token() -> None:
    text = fault(
        'status = 302\nheaders = {Location = "http://localhost:{port}/store/1?signature=s3cret"}'
    ) + fault('serve = "/api/invocation/demo-dedup/csv"', "/store/*")
    with faulty(text) as sandbox:
        answer = curl_api(sandbox, PATH)
        target = answer.headers["location"]
        assert curl(target).body == WHOLE
    assert answer.status == 302
    assert target.startswith("http://localhost:")


def test_a_wrong_length() -> None:
    longer = asked("length_off = 5")
    assert (longer.code, longer.body) == (18, WHOLE)
    assert longer.headers["content-length"] == str(len(WHOLE) + 5)
    assert asked("length_off = -5").body == WHOLE[:-5]


def test_keep_gives_a_part_that_looks_whole() -> None:
    for keys, body in [("keep = 10", WHOLE[:10]), ("keep = -10", WHOLE[:-10])]:
        answer = asked(keys)
        assert (answer.code, answer.body) == (0, body)
        assert answer.headers["content-length"] == str(len(body))
    assert asked("keep = 1_000_000").body == WHOLE


def test_no_ranges() -> None:
    answer = asked("ranges = false", "-H", "Range: bytes=5-")
    assert (answer.status, answer.body) == (200, WHOLE)
    assert "accept-ranges" not in answer.headers


def test_a_range_from_the_wrong_offset() -> None:
    answer = asked("range_shift = -2", "-H", "Range: bytes=5-9")
    assert (answer.status, answer.body) == (206, WHOLE[3:10])
    assert answer.headers["content-range"] == f"bytes 3-9/{len(WHOLE)}"


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
    answer = asked(f"etag = '{etag}'", "-r", "5-", "-H", f"If-Range: {asked_for}")
    assert answer.headers["etag"] == etag.replace("{attempt}", "1")
    assert answer.status == status


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


def test_a_server_that_resumes_what_has_changed() -> None:
    with faulty(fault("changing = true\nignore_if_range = true", LARGE)) as sandbox:
        options = ("-r", "500-", "-H", 'If-Range: "edition-1"')
        answers = [curl_api(sandbox, "invocation/demo-large/csv", *options) for _ in range(2)]
    assert [answer.status for answer in answers] == [206, 206]
    assert answers[0].body != answers[1].body


@pytest.mark.parametrize("layers", [1, 3])
def test_gzip(layers: int) -> None:
    answer = asked(f'gzip = "ok"\ngzip_layers = {layers}', "-r", "5-")
    assert answer.status == 200
    assert answer.headers["content-encoding"] == ", ".join(["gzip"] * layers)
    assert answer.headers["transfer-encoding"] == "chunked"
    body = answer.body
    for _ in range(layers):
        body = gzip.decompress(body)
    assert body == WHOLE


def test_gzip_of_several_members() -> None:
    body = asked('gzip = "members"').body
    assert gzip.decompress(body) == WHOLE
    first = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert len(first.decompress(body)) < len(WHOLE)
    assert first.unused_data


def test_broken_gzip() -> None:
    truncated = asked('gzip = "truncated"')
    assert truncated.code == 0  # only the encoding tells
    with pytest.raises(EOFError):
        gzip.decompress(truncated.body)
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(asked('gzip = "bad-crc"').body)
    assert asked('gzip = "bad-crc"', "--compressed").code == 61


def test_a_bomb_is_small_until_it_is_read() -> None:
    answer = asked('body = "0"\nrepeat = 200_000_000\ngzip = "ok"')
    assert len(answer.body) < 250_000
    inflate, size = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    rest = answer.body
    while rest:
        size += len(inflate.decompress(rest, 1 << 20))
        rest = inflate.unconsumed_tail
    assert size == 200_000_000
    assert inflate.eof
    nested = asked('body = "0"\nrepeat = 200_000_000\ngzip = "ok"\ngzip_layers = 3')
    assert len(nested.body) < 500


def test_framing() -> None:
    chunked = asked('framing = "chunked"')
    assert (chunked.code, chunked.body) == (0, WHOLE)
    assert "content-length" not in chunked.headers
    closed = asked('framing = "close"')
    assert (closed.code, closed.body) == (0, WHOLE)
    assert not {"content-length", "transfer-encoding"} & set(closed.headers)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_is_cut(framing: str) -> None:
    answer = asked(f'framing = "{framing}"\ncut_after = 100')
    assert (answer.code, answer.body) == (18, WHOLE[:100])


def test_chunks_without_their_end() -> None:
    answer = asked('framing = "chunked"\ncut_after = 1_000_000')
    assert (answer.code, answer.body) == (18, WHOLE)


def test_a_close_delimited_body_that_is_cut_looks_whole() -> None:
    answer = asked('framing = "close"\ncut_after = 100')
    assert (answer.code, answer.body) == (0, WHOLE[:100])


def test_no_answer() -> None:
    assert asked("drop = true").code == 52


def test_delay() -> None:
    begun = monotonic()
    assert asked("delay = 0.2").body == WHOLE
    assert monotonic() - begun >= 0.2


def test_rate_is_kept_by_waiting_for_what_was_sent() -> None:
    waited: list[float] = []
    pieces = list(paced(iter([b"x" * 250, b"y" * 50]), 1_000, waited.append))
    assert b"".join(pieces) == b"x" * 250 + b"y" * 50
    assert max(map(len, pieces)) == 100
    assert sum(waited) == pytest.approx(0.3)


def test_a_slow_body_arrives() -> None:
    begun = monotonic()
    assert asked("rate = 8_000").body == WHOLE
    assert monotonic() - begun >= 0.3  # three pauses between four pieces


def test_faults_of_the_status_document() -> None:
    with faulty(fault('body = "{\\"status\\": 1"', "/api/invocation/demo")) as sandbox:
        with pytest.raises(json.JSONDecodeError):
            curl_api(sandbox, "invocation/demo").json()
        assert curl_api(sandbox, "invocation/demo-stuck").status == 200
