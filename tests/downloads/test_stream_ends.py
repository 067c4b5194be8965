"""What ends a fetch: low speed, the deadline, refusals, and bodies that are not as promised."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from nostra_cli.downloads.verify.level import Level
from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    DeadlinePassed,
    NostraError,
    NotFound,
    ServiceProblem,
    Transient,
)
from nostra_cli.http.retry import NORMAL
from nostra_cli.http.timeouts import LowSpeed
from nostra_cli.models import Format, Piece
from tests.downloads.fetching import (
    CUT,
    ITEM,
    SIZE,
    WHOLE,
    Canned,
    Memory,
    Step,
    World,
    rest,
    whole,
)

LIMIT = LowSpeed(rate=10, seconds=5)
PAGE = b"<!doctype html><title>Log in</title>"


def dripping(start: int, step: int, seconds: float) -> list[Step]:
    """Return the rest of WHOLE, so many bytes after each pause."""
    steps: list[Step] = []
    for at in range(start, SIZE, step):
        steps += [seconds, WHOLE[at : at + step]]
    return steps


def test_a_body_that_is_fast_enough_is_read_to_its_end() -> None:
    assert World([whole(*dripping(0, 10, 1.0))], low_speed=LIMIT).run() == WHOLE


def test_a_body_that_is_too_slow_is_aborted_and_retried() -> None:
    world = World([whole(*dripping(0, 9, 1.0)), rest(45)], low_speed=LIMIT)
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=45-"]


def test_a_body_that_stays_too_slow_is_a_failure_of_the_service() -> None:
    later = [rest(at, *dripping(at, 1, 1.0)) for at in range(5, 25, 5)]
    world = World([whole(*dripping(0, 1, 1.0)), *later], low_speed=LIMIT)
    with pytest.raises(Transient, match=r"transfer slower than 10 B/s for 5 s$") as caught:
        world.run()
    assert "NOSTRA_LOW_SPEED_LIMIT" in caught.value.hint
    assert len(world.requests) == NORMAL.attempts


def test_a_fast_beginning_does_not_make_up_for_a_slow_rest() -> None:
    drip = dripping(300, 1, 1.0)
    world = World([whole(5.0, WHOLE[:300], *drip), rest(305)], low_speed=LIMIT)
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=305-"]


def test_a_compressed_body_is_measured_as_it_arrives() -> None:
    packed = gzip.compress(WHOLE)
    drip = [step for byte in packed for step in (1.0, bytes([byte]))]
    slow = whole(*drip).but(content_encoding="gzip", content_length=str(len(packed)))
    world = World([slow, whole()], low_speed=LIMIT)
    assert world.run() == WHOLE
    assert world.now < 10


def test_a_slow_disk_does_not_count_as_a_slow_body() -> None:
    class SlowDisk(Memory):
        def write(self, data: Piece) -> None:
            super().write(data)
            world.now += 1000

    pieces = [WHOLE[at : at + 9] for at in range(0, SIZE, 9)]
    world = World([whole(*pieces)], sink=SlowDisk(), low_speed=LIMIT)
    assert world.run() == WHOLE


def test_nothing_is_requested_after_the_deadline() -> None:
    world = World([], seconds=5)
    world.now += 5
    with pytest.raises(DeadlinePassed, match=r"before demo\.csv was complete"):
        world.run()
    assert world.requests == []


def test_the_deadline_ends_a_body_under_way() -> None:
    sink = Memory()
    world = World([whole(*dripping(0, 50, 1.0))], sink=sink, seconds=5)
    with pytest.raises(DeadlinePassed):
        world.run()
    assert (world.now, sink.data) == (5, WHOLE[:250])


def test_a_pause_beyond_the_deadline_is_not_slept() -> None:
    busy = Canned((), {"retry-after": "6"}, 503)
    world = World([busy], seconds=5)
    with pytest.raises(DeadlinePassed):
        world.run()
    assert world.slept == []


def test_retry_after_is_honoured() -> None:
    world = World([whole(WHOLE[:50], CUT), Canned((), {"retry-after": "7"}, 503), rest(50)])
    assert world.run() == WHOLE
    assert world.slept == [NORMAL.first_pause, 7]
    assert world.ranges == [None, "bytes=50-", "bytes=50-"]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthProblem), (404, NotFound), (400, ServiceProblem), (204, Corrupt)]
)
def test_a_permanent_error_ends_it_at_once_and_keeps_the_bytes(
    status: int, kind: type[NostraError]
) -> None:
    sink = Memory()
    world = World([whole(WHOLE[:50], CUT), Canned((), {}, status)], sink=sink)
    with pytest.raises(kind):
        world.run()
    assert (world.left, sink.data) == ([], WHOLE[:50])


def test_a_web_page_by_its_type_is_refused_before_it_replaces_anything() -> None:
    sink = Memory()
    page = whole(PAGE).but(content_type="text/html; charset=utf-8")
    world = World([whole(WHOLE[:50], CUT), page], sink=sink)
    with pytest.raises(Corrupt, match="web page"):
        world.run()
    assert (sink.restarts, sink.data) == (1, WHOLE[:50])


def test_a_web_page_does_not_reach_stdout() -> None:
    world = World([Canned((PAGE,), {})])
    with pytest.raises(Corrupt, match="web page"):
        world.run()
    assert world.sink.size == 0


@pytest.mark.parametrize("level", list(Level))
def test_a_web_page_by_its_first_bytes_is_refused_at_every_level(level: Level) -> None:
    world = World([Canned((PAGE[:7], PAGE[7:]), {})], level=level)
    with pytest.raises(Corrupt, match=r"demo\.csv: it is a web page") as caught:
        world.run()
    assert caught.value.hint == "try again"
    assert world.slept == []


@pytest.mark.parametrize(
    ("body", "level", "passes"),
    [
        (b"a,b\n1,2,3\n", Level.FULL, False),
        (b"a,b\n1,2,3\n", Level.AUTO, False),
        (b"a,b\n1,2,3\n", Level.OFF, True),
        (b'a,b\n1,"2', Level.AUTO, False),
        (b"", Level.OFF, False),
    ],
)
def test_the_format_is_verified_at_its_level(body: bytes, level: Level, passes: bool) -> None:
    world = World([Canned((body,), {})], level=level)
    if passes:
        assert world.run() == body
        return
    with pytest.raises(Corrupt) as caught:
        world.run()
    assert ("--verify off" in caught.value.hint) is bool(body), "it keeps no empty body either"
    assert len(world.requests) == 1, "what is whole but wrong would be wrong again"


def test_the_checks_see_the_body_as_one_wherever_it_broke_off() -> None:
    text = '["größe", "日本 😀", {"a": [1, 2]}]'.encode()
    ends = {"etag": '"j"', "content-length": str(len(text))}
    for end in range(1, len(text)):
        place = {"content-range": f"bytes {end}-{len(text) - 1}/{len(text)}", "etag": '"j"'}
        for tail, good in ((text[end:], True), (b" " * (len(text) - end), False)):
            script = [
                Canned((text[:end], CUT), ends),
                Canned((tail,), place, 206),
            ]
            world = World(script, item=replace(ITEM, format=Format.JSON))
            if good:
                assert world.run() == text
                continue
            with pytest.raises(Corrupt, match="JSON"):
                world.run()


def test_an_encoded_body_is_decoded_and_its_length_is_not_that_of_the_content() -> None:
    packed = gzip.compress(WHOLE)
    answer = whole(packed).but(content_encoding="gzip", content_length=str(len(packed)))
    sink = Memory()
    world = World([answer], sink=sink)
    assert world.run() == WHOLE
    assert world.starts == [(0, None)]
    assert sink.version is not None
    assert (sink.version.validator, sink.version.length) == (None, None)


def test_an_encoded_body_that_breaks_off_is_restarted() -> None:
    packed = gzip.compress(WHOLE)
    broken = whole(packed[:100], CUT).but(content_encoding="gzip")
    world = World([broken, whole()])
    assert world.run() == WHOLE
    assert world.ranges == [None, None]


def test_an_encoded_body_that_is_cut_is_refused() -> None:
    world = World([whole(gzip.compress(WHOLE)[:-1]).but(content_encoding="gzip")])
    with pytest.raises(Corrupt, match="gzip"):
        world.run()
