"""The preview of a result: its requests, and the use of their responses."""

from __future__ import annotations

import gzip
import json
import socket
import tempfile
from pathlib import Path

import pytest

from nostra_cli.errors import Corrupt, Failed, FileProblem, NotFound, NotReady, UsageProblem
from nostra_cli.models import Format
from nostra_cli.preview import remote
from nostra_cli.preview.remote import HEAD_BYTES
from nostra_cli.sandbox.server import Sandbox
from tests.asking import meeting
from tests.faults.raw import head, listening
from tests.preview.previews import preview, preview_response, world_at
from tests.sandbox.calling import fault

DEDUP = [
    {"ID": "C00001", "Group": "1"},
    {"ID": "C00002", "Group": "2"},
    {"ID": "C00003", "Group": "3"},
]


def requested(sandbox: Sandbox) -> list[tuple[str, str | None]]:
    return [
        (request.path.removeprefix("/api/invocation/"), request.headers.get("range"))
        for request in sandbox.requests
    ]


def test_one_request_for_less_than_a_megabyte() -> None:
    with meeting() as (world, sandbox):
        assert preview(world).rows == tuple(DEDUP)
        assert requested(sandbox) == [("demo-dedup/csv", f"bytes=0-{HEAD_BYTES - 1}")]
    assert HEAD_BYTES < 1_000_000


@pytest.mark.parametrize("rule", ["status = 416", "range_shift = 5", "gzip = 'ok'"])
def test_another_range_than_requested_is_not_requested_again(rule: str) -> None:
    with meeting(fault(f"{rule}\ntimes = 1")) as (world, sandbox):
        assert preview(world).rows == tuple(DEDUP)
        ranges = [bool(found) for _, found in requested(sandbox)]
    assert ranges == ([True] if "gzip" in rule else [True, False])


def test_a_shorter_range_is_continued() -> None:
    ranges = [(0, b"a\n1\n2\n3"), (7, b"\n4\n")]

    def handle(connection: socket.socket, _number: int) -> None:
        for start, part in ranges:
            head(connection)
            lines = f'Content-Range: bytes {start}-{start + len(part) - 1}/10\r\nETag: "x"\r\n'
            status = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(part)}\r\n"
            connection.sendall(f"{status}{lines}\r\n".encode() + part)

    with listening(handle) as raw, world_at(raw) as world:
        found = preview(world, rows=5)
    assert [row["a"] for row in found.rows] == ["1", "2", "3", "4"]
    assert (found.complete, found.bytes) == (True, 10)


@pytest.mark.parametrize(("rows", "complete"), [(299, False), (300, True), (301, True)])
@pytest.mark.parametrize("stats", [True, False])
def test_whether_that_is_all(rows: int, complete: bool, stats: bool) -> None:
    with meeting() as (world, _):
        for format_ in Format:
            found = preview(world, format=format_, rows=rows, stats=stats)
            assert (len(found.rows), found.complete) == (min(rows, 300), complete)


def described(status: str = "completed", **available: bool) -> str:
    flags = {f"{f}Available": available.get(f, False) for f in ("json", "csv", "xlsx")}
    results = {"r1": {"primaryResult": True, "status": status, **flags}}
    document = json.dumps({"status": "completed", "invocationResults": results})
    return fault(f"body = '{document}'", "/api/invocation/demo-dedup")


NO_CSV = fault('status = 404\ndetail = "no csv"')


@pytest.mark.parametrize(
    ("available", "chosen"),
    [({"json": True, "xlsx": True}, Format.JSON), ({"xlsx": True}, Format.XLSX)],
)
@pytest.mark.parametrize("stats", [True, False])
def test_without_csv_the_status_is_requested_once(
    available: dict[str, bool], chosen: Format, stats: bool
) -> None:
    with meeting(NO_CSV + described("completed", **available)) as (world, sandbox):
        found = preview(world, stats=stats)
        paths = [path for path, _ in requested(sandbox)]
    assert paths == ["demo-dedup/csv", "demo-dedup", f"demo-dedup/{chosen}"]
    assert (found.source.format, found.source.result) == (chosen, "r1")


@pytest.mark.parametrize(
    ("toml", "format_", "error", "reason"),
    [
        (NO_CSV + described(csv=True), None, NotFound, "no csv"),
        (NO_CSV + described(json=True), Format.CSV, NotFound, "not available as csv"),
        (NO_CSV + described(), None, NotFound, "available in no format"),
        (NO_CSV + described("error", json=True), None, Failed, "ended in error"),
    ],
)
def test_what_the_status_then_tells(
    toml: str, format_: Format | None, error: type[Exception], reason: str
) -> None:
    with meeting(toml) as (world, _), pytest.raises(error, match=reason):
        preview(world, format=format_)


@pytest.mark.parametrize(
    ("invocation", "error"), [("nope", NotFound), ("demo-failed", Failed), ("demo-stuck", NotReady)]
)
@pytest.mark.parametrize("stats", [True, False])
def test_a_result_without_formats_is_an_error(
    invocation: str, error: type[Exception], stats: bool
) -> None:
    with meeting() as (world, sandbox), pytest.raises(error):
        preview(world, invocation, stats=stats)
    assert [path for path, _ in requested(sandbox)] == [f"{invocation}/csv", invocation]


def test_temporary_failures_are_retried() -> None:
    for rule in ("status = 503\ntimes = 2", "cut_after = 100\ntimes = 1"):
        with meeting(fault(rule)) as (world, _):
            assert len(preview(world, rows=100).rows) == 100
            assert world.slept


@pytest.mark.parametrize("format_", [Format.CSV, Format.XLSX])
@pytest.mark.parametrize("then", ["delay = 0.0", "ranges = false"])
def test_a_complete_read_is_resumed_or_restarted(format_: Format, then: str) -> None:
    path = f"/api/invocation/demo-dedup/{format_}"
    cut = fault("times = 1\ncut_after = 1000", path)
    with meeting(cut + fault(f"times = 1\n{then}", path)) as (world, box):
        found = preview(world, format=format_, stats=True)
        assert requested(box)[1:] == [(f"demo-dedup/{format_}", "bytes=1000-")]
    assert found.stats is not None
    assert found.stats.rows == 300
    assert found.stats.columns[1].mean == pytest.approx(150.3)


def test_rows_that_were_read_are_not_counted_twice() -> None:
    path = "/api/invocation/demo-large/csv"
    cut = fault("times = 1\ncut_after = 700000", path)
    with meeting(cut + fault("times = 1\nranges = false", path)) as (world, _):
        found = preview(world, "demo-large", stats=True)
    assert found.stats is not None
    assert (found.bytes, found.stats.rows) == (1_000_000, (1_000_000 - 19) // 22)


def test_no_more_is_read_than_a_megabyte() -> None:
    sent = [0]

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\na\n")
        while sent[0] < 100_000_000:
            connection.sendall(b"x" * 100_000 + b"\n")
            sent[0] += 100_001

    with listening(handle) as raw, world_at(raw) as world:
        assert len(preview(world, rows=100).rows) == 9
    assert sent[0] < 50_000_000  # with what the buffers of this machine took


@pytest.mark.parametrize(
    ("body", "format_", "reason"),
    [
        (b"a,b\n1\n", Format.CSV, "row 1 has 1 field, not 2"),
        (b'a,b\n1,"2\n', Format.CSV, "cut inside a quoted field"),
        (b"a\n\xff\n", Format.CSV, "not UTF-8"),
        (b"<html><p>log in</p></html>", Format.CSV, "web page"),
        (b"", Format.CSV, "it is empty"),
        (b"[1, 2", Format.JSON, "the JSON is cut"),
        (b"[" * 100_000, Format.JSON, "nested deeper"),
        (b"PK\x03\x04no", Format.XLSX, "damaged"),
    ],
)
@pytest.mark.parametrize("stats", [True, False])
def test_what_is_not_as_promised(body: bytes, format_: Format, reason: str, stats: bool) -> None:
    with pytest.raises(Corrupt, match=reason):
        preview_response(body, format=format_, stats=stats)


def test_a_page_in_place_of_a_result() -> None:
    with pytest.raises(Corrupt, match="web page"):
        preview_response(b"a\n1\n", "Content-Type: text/html")


def test_a_compressed_body() -> None:
    coding = "Content-Encoding: gzip"
    body = gzip.compress(b"a,b\n1,2\n")
    found = preview_response(body, coding)
    assert (found.rows, found.complete, found.bytes) == (({"a": "1", "b": "2"},), True, None)
    with pytest.raises(Corrupt, match="cut or damaged"):
        preview_response(body[:-4], coding)
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000, 1)
    assert len(preview_response(bomb, coding, rows=10_000).rows) == 10_000


def test_rows_beyond_a_megabyte_are_mentioned() -> None:
    row = b"x" * 400_000 + b"\n"
    found = preview_response(b"a\n" + row * 5, rows=10)
    assert (len(found.rows), found.complete) == (2, False)
    assert "960.0 KiB hold only 2 rows" in found.warnings[0]
    long = b"a\n" + row.strip() * 5 + b"\n1\n"
    with pytest.raises(UsageProblem, match="first row is longer"):
        preview_response(long)
    assert len(preview_response(long, stats=True).rows) == 2


def test_a_body_that_is_just_as_long_as_what_is_read() -> None:
    found = preview_response(b"a\n" + b"x" * (HEAD_BYTES - 4) + b"\n1")
    assert (len(found.rows), found.complete, found.warnings) == (2, True, ())


def test_a_workbook_that_is_too_large_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_XLSX_BYTES", 1_000)
    with pytest.raises(UsageProblem, match="larger than") as caught:
        preview_response(b"PK" * 501, format=Format.XLSX)
    assert "nostra download demo-dedup -f xlsx" in caught.value.hint
    with pytest.raises(UsageProblem, match="larger than"):  # its length is not known
        preview_response(gzip.compress(b"PK" * 501), "Content-Encoding: gzip", format=Format.XLSX)


def test_no_folder_for_a_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with meeting() as (world, _), pytest.raises(FileProblem, match="no usable temporary folder"):
        preview(world, format=Format.XLSX)
