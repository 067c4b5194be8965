"""Ranges of a body: of unknown totals, short, wrong; the beginning of a body; fetch_range."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from itertools import pairwise

import pytest

from nostra_cli.downloads.ranges import fetch_range, fetch_version
from nostra_cli.downloads.sinks.stdout import StdoutSink
from nostra_cli.downloads.stream import StopStream
from nostra_cli.errors import Corrupt
from nostra_cli.http.retry import NORMAL
from nostra_cli.http.timeouts import LowSpeed
from nostra_cli.models import Piece
from tests.downloads.fetching import (
    CUT,
    ETAG,
    ITEM,
    RESET,
    SIZE,
    VERSION,
    WHOLE,
    Canned,
    Memory,
    World,
    rest,
    whole,
)

CHUNKED = whole(WHOLE[:50], CUT).but(content_length=None)
END = Canned((), {"content-range": f"bytes */{SIZE}", "etag": ETAG}, 416)
QUICK = LowSpeed(rate=10, seconds=5)


def part(start: int, stop: int, total: int | str = "*") -> Canned:
    """Answer 206 with some bytes of WHOLE."""
    headers = {"content-range": f"bytes {start}-{stop - 1}/{total}", "etag": ETAG}
    return Canned((WHOLE[start:stop],), headers, 206)


def ranges(headers: dict[str, str]) -> Canned:
    """Respond with the requested range."""
    first, _, last = headers["Range"].removeprefix("bytes=").partition("-")
    return part(int(first), min(int(last or SIZE) + 1, SIZE), SIZE)


@pytest.mark.parametrize("pieces", [[50, SIZE], [50, 400, SIZE], [50, 51, 52, SIZE]])
def test_without_a_total_the_rest_is_requested_until_the_end(pieces: list[int]) -> None:
    parts = [part(start, stop) for start, stop in pairwise(pieces)]
    world = World([CHUNKED, *parts, END])
    assert world.run() == WHOLE
    assert world.ranges == [None, *(f"bytes={start}-" for start in pieces)]
    assert len(world.slept) == 1


def test_without_a_total_an_early_end_is_not_the_end() -> None:
    world = World([CHUNKED, part(50, 400), part(400, SIZE, SIZE)])
    assert world.run() == WHOLE
    assert world.starts == [(0, None), (50, None), (400, SIZE)]


@pytest.mark.parametrize(
    "unproven",
    [
        END.but(etag=None),
        END.but(etag='"v2"'),
        END.but(content_range=f"bytes */{SIZE + 1}"),
        END.but(content_range=None),
        part(SIZE - 1, SIZE),
    ],
)
def test_an_end_that_is_not_proven_restarts_the_body(unproven: Canned) -> None:
    world = World([CHUNKED, part(50, SIZE), unproven, whole()])
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=50-", f"bytes={SIZE}-", None]


def test_an_end_that_is_not_proven_is_an_error_on_stdout() -> None:
    out = io.BytesIO()
    script = [CHUNKED, part(50, SIZE), END.but(etag=None), whole()]
    with pytest.raises(Corrupt, match="could not continue"):
        World(script, sink=StdoutSink(out)).stream()


def test_a_body_that_is_cut_each_time_it_is_restarted_is_given_up() -> None:
    later = [part(50, 400), END.but(content_range="bytes */400", etag=None), CHUNKED]
    world = World([CHUNKED, *later * 9])
    with pytest.raises(Corrupt, match="no usable response"):
        world.stream()
    assert len(world.requests) < 3 * NORMAL.attempts


def test_a_body_ends_at_its_known_total() -> None:
    world = World([CHUNKED, rest(50, WHOLE[50:400]), rest(400)])
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=50-", "bytes=400-"]


def test_a_total_learned_from_a_range_is_held_on_to() -> None:
    world = World([CHUNKED, rest(50, WHOLE[50:400], CUT), part(400, SIZE, SIZE + 1), whole()])
    assert world.run() == WHOLE
    assert world.ranges[-1] is None


def test_a_server_that_sends_short_ranges_is_asked_for_all_of_them() -> None:
    stops = range(100, SIZE, 60)
    parts = [part(stop - 60, stop, SIZE) for stop in stops]
    assert len(parts) > NORMAL.attempts
    sink = Memory(WHOLE[:40], VERSION)
    world = World([*parts, part(stops[-1], SIZE, SIZE)], sink=sink, low_speed=QUICK)
    assert world.run() == WHOLE
    assert world.slept == []


def test_a_server_that_sends_its_ranges_byte_by_byte_is_given_up() -> None:
    world = World(
        [part(at, at + 1, SIZE) for at in range(40, 60)], sink=Memory(WHOLE[:40], VERSION)
    )
    with pytest.raises(Corrupt, match="no usable response"):
        world.stream()
    assert len(world.requests) == NORMAL.attempts


def test_more_than_a_range_promises_is_not_kept() -> None:
    world = World([whole(WHOLE[:50], CUT), rest(50, WHOLE[50:], b"200,x\n"), whole()])
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=50-", None]


def test_a_beginning_is_asked_for_by_its_range() -> None:
    world = World([ranges], stop=100)
    assert world.run() == WHOLE[:100]
    assert world.requests == [{"Range": "bytes=0-99"}]
    assert world.starts == [(0, SIZE)]


def test_a_beginning_that_breaks_off_is_continued_to_its_stop() -> None:
    world = World(
        [lambda headers: Canned((WHOLE[:30], CUT), ranges(headers).headers, 206), ranges],
        stop=100,
    )
    assert world.run() == WHOLE[:100]
    assert world.requests[1] == {"Range": "bytes=30-99", "If-Range": ETAG}


def test_a_beginning_beyond_the_end_is_all_of_it_and_checked() -> None:
    assert World([ranges], stop=SIZE + 1).run() == WHOLE
    damaged = Canned((b'a,b\n1,"2',), {"content-range": "bytes 0-7/8", "etag": ETAG}, 206)
    with pytest.raises(Corrupt, match="quoted field"):
        World([damaged], stop=100).stream()


def test_a_server_without_ranges_sends_all_of_it_and_it_is_checked() -> None:
    assert World([whole()], stop=100).run() == WHOLE
    with pytest.raises(Corrupt, match="quoted field"):
        World([Canned((b'a,b\n1,"2',), {})], stop=3).stream()


@pytest.mark.parametrize(
    "unusable",
    [
        Canned((), {"content-range": "bytes */0"}, 416),
        part(0, 101, SIZE),
        part(1, 100, SIZE),
        part(0, 100, SIZE).but(content_encoding="gzip"),
        part(0, 100, SIZE).but(content_range=None),
    ],
)
def test_a_server_without_ranges_sends_the_complete_body(unusable: Canned) -> None:
    world = World([unusable, whole()], stop=100)
    assert world.run() == WHOLE
    assert world.ranges == ["bytes=0-99", None]


def test_a_sink_that_has_enough_ends_the_stream() -> None:
    class Enough(Memory):
        def write(self, data: Piece) -> None:
            super().write(data)
            if self.size >= 60:
                raise StopStream

    world = World([whole(WHOLE[:30], WHOLE[30:60], RESET)], sink=Enough())
    assert world.run() == WHOLE[:60]


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (40, 90), (SIZE - 1, SIZE), (0, SIZE)])
def test_a_range_of_a_version(start: int, stop: int) -> None:
    world = World([ranges])
    assert fetch_range(world.service, ITEM, VERSION, start, stop, QUICK) == WHOLE[start:stop]
    assert world.requests == [{"Range": f"bytes={start}-{stop - 1}", "If-Range": ETAG}]


def test_a_range_that_breaks_off_is_continued() -> None:
    cut = lambda headers: Canned((WHOLE[40:60], RESET), ranges(headers).headers, 206)  # noqa: E731
    world = World([cut, ranges])
    assert fetch_range(world.service, ITEM, VERSION, 40, 90, QUICK) == WHOLE[40:90]
    assert world.ranges == ["bytes=40-89", "bytes=60-89"]


@pytest.mark.parametrize(
    "script",
    [
        [whole()],
        [whole().but(etag='"v2"')],
        [lambda headers: ranges(headers).but(etag='"v2"'), whole()],
        [lambda headers: ranges(headers).but(content_range=f"bytes 40-89/{SIZE + 1}"), whole()],
        [Canned((), {"content-range": "bytes */20"}, 416), whole()],
        [lambda headers: ranges(headers).but(content_encoding="gzip"), whole()],
        [part(40, 90, SIZE), whole()],
    ],
)
def test_a_range_of_another_version_is_an_error(
    script: list[Canned | Callable[[dict[str, str]], Canned]],
) -> None:
    world = World(script)
    with pytest.raises(Corrupt, match="changed while it was read"):
        fetch_range(world.service, ITEM, VERSION, 40, 80, QUICK)


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (part(0, 1, SIZE), SIZE),
        (whole(), SIZE),
        (whole().but(content_length=None), None),
        (whole(gzip.compress(WHOLE)).but(content_encoding="gzip"), None),
        (part(0, 1), None),
    ],
)
def test_a_version_costs_a_byte(answer: Canned, length: int | None) -> None:
    world = World([answer])
    version = fetch_version(world.service, ITEM, QUICK)
    assert version is not None
    assert version.length == length
    assert world.ranges == ["bytes=0-0"]
