"""The requests of the client: paths on the wire, headers, limits, ranges."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api.client import Service
from nostra_cli.config.history import MAX_IDS, MAX_RESULTS
from nostra_cli.errors import NotFound
from nostra_cli.http.retry import Retrier
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import HEAD_SECONDS, Response, Transport
from nostra_cli.models import Format, is_segment
from tests.asking import STATUS, meeting


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def test_a_status_is_requested_once_and_as_json() -> None:
    with meeting() as (world, sandbox):
        found = world.status()
    assert (found.id, found.status) == ("demo-dedup", "completed")
    assert any(result.primary for result in found.results)
    [request] = sandbox.requests
    assert (request.method, request.path) == ("GET", STATUS)
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == f"Token {sandbox.token}"


@pytest.mark.parametrize("format_", list(Format))
def test_a_body_is_requested_by_its_result_or_without(format_: Format) -> None:
    with meeting() as (world, sandbox):
        [main] = (result for result in world.status().results if result.primary)
        bodies = []
        for result in (None, main.id):
            with world.service.body("demo-dedup", result, format_) as response:
                bodies.append(b"".join(map(bytes, response.chunks)))
    assert bodies[0] == bodies[1] != b""
    paths = [f"{STATUS}/{format_}", f"{STATUS}/result/{main.id}/{format_}"]
    assert [request.path for request in sandbox.requests][1:] == paths


@pytest.mark.parametrize(
    ("id_", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("100%", "100%25"),
        ("%2e%2e", "%252e%252e"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("...", "..."),
        ("a;b=c&d+e", "a%3Bb%3Dc%26d%2Be"),
    ],
)
def test_an_id_is_one_segment_of_the_path_on_the_wire(id_: str, segment: str) -> None:
    with meeting() as (world, sandbox):
        with pytest.raises(NotFound, match="no invocation"):
            world.status(id_)
        with pytest.raises(NotFound), world.service.body(id_, id_, Format.CSV):
            pass
    paths = [f"/api/invocation/{segment}", f"/api/invocation/{segment}/result/{segment}/csv"]
    assert [request.path for request in sandbox.requests] == paths


class Recorder(Transport):
    """A transport that records its requests."""

    def __init__(self) -> None:
        self.base_url = "https://service.example/sub"
        self.paths: list[str] = []
        self.limits: list[float | None] = []

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
        content: bytes | None = None,
        max_pause: float | None = None,
    ) -> Iterator[Response]:
        self.paths.append(path)
        self.limits.append(body_seconds)
        yield Response(404, {}, iter(()), "service.example", cross_origin=False)


@given(st.text().filter(is_segment), st.none() | st.text().filter(is_segment))
def test_any_id_can_be_read_back_from_its_path(id_: str, result: str | None) -> None:
    recorder = Recorder()
    service = Service(recorder, Retrier(Deadline()))
    with pytest.raises(NotFound), service.body(id_, result, Format.XLSX):
        pass
    [path] = recorder.paths
    url = urlsplit(service.url_of(id_, result, Format.XLSX))
    assert (url.scheme, url.netloc, url.query, url.fragment) == ("https", "service.example", "", "")
    assert url.path == "/sub" + path
    ids = [id_] if result is None else [id_, "result", result]
    assert [unquote(part) for part in path.split("/")] == ["", "api", "invocation", *ids, "xlsx"]


def test_a_status_is_limited_to_a_minute_and_a_body_is_not_limited() -> None:
    recorder = Recorder()
    service = Service(recorder, Retrier(Deadline()))
    with pytest.raises(NotFound):
        service.invocation("demo")
    with pytest.raises(NotFound), service.body("demo", None, Format.CSV):
        pass
    assert recorder.limits == [HEAD_SECONDS, None]


@pytest.mark.parametrize(
    ("headers", "status"), [({"Range": "bytes=5-"}, 206), ({"Range": "bytes=999999999-"}, 416)]
)
def test_the_response_to_a_range_is_left_to_the_caller(
    headers: dict[str, str], status: int
) -> None:
    with meeting() as (world, _):
        assert world.body(headers) == status


class Completed(Recorder):
    """A transport that has every invocation completed, with many results."""

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
        content: bytes | None = None,
        max_pause: float | None = None,
    ) -> Iterator[Response]:
        one = {f"{format_}Available": True for format_ in Format}
        result = one | {"primaryResult": False, "status": "completed"}
        raw = {"status": "completed", "invocationResults": {f"r{n}": result for n in range(100)}}
        body = json.dumps(raw).encode()
        yield Response(200, {}, iter([body]), "service.example", cross_origin=False)


def test_only_what_the_history_needs_is_kept_of_many_statuses() -> None:
    service = Service(Completed(), Retrier(Deadline()))
    for number in range(MAX_IDS + 10):
        assert len(service.invocation(f"id{number}").results) == 100
    assert len(service.seen) == MAX_IDS
    kept = service.seen["id0"]
    assert (len(kept.results), kept.raw) == (MAX_RESULTS, {})
