"""The body of one result: where it is resumed or restarted, and when it is given up."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from nostra_cli.errors import Corrupt, Transient, Truncated
from nostra_cli.http.retry import BUDGET, NORMAL
from nostra_cli.http.timeouts import LowSpeed
from tests.downloads.fetching import (
    CUT,
    ETAG,
    RESET,
    SIZE,
    WHOLE,
    Canned,
    World,
    rest,
    whole,
)

SHA256 = hashlib.sha256(WHOLE).hexdigest()
QUICK = LowSpeed(rate=10, seconds=5)


def test_a_complete_body_needs_one_request() -> None:
    world = World([whole(WHOLE[:5], b"", WHOLE[5:])])
    assert world.run() == WHOLE
    assert world.requests == [{}]
    assert world.starts == [(0, SIZE)]
    assert (world.counted, world.slept, world.streamed.resumed) == (SIZE, [], False)
    assert world.streamed.sha256 == SHA256


def test_a_hash_is_computed_only_if_requested() -> None:
    world = World([whole()], hashing=False)
    assert world.run() == WHOLE
    assert world.streamed.sha256 is None


@pytest.mark.parametrize("failure", [CUT, RESET])
@pytest.mark.parametrize("end", [1, 9, 300, SIZE - 1])
def test_a_body_that_breaks_off_is_resumed(failure: Transient, end: int) -> None:
    world = World([whole(WHOLE[:end], failure), rest(end)])
    assert world.run() == WHOLE
    assert world.requests == [{}, {"Range": f"bytes={end}-", "If-Range": ETAG}]
    assert world.starts == [(0, SIZE), (end, SIZE)]
    assert (world.counted, world.streamed.resumed) == (SIZE, True)
    assert world.streamed.sha256 == SHA256


def test_a_body_short_of_its_length_is_resumed() -> None:
    world = World([whole(WHOLE[:50]), rest(50, WHOLE[50:90]), rest(90)])
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=50-", "bytes=90-"]


def test_a_body_beyond_its_length_is_not_complete() -> None:
    world = World([whole(WHOLE, b"200,x\n")] * NORMAL.attempts)
    with pytest.raises(Truncated, match=f"more than the promised {SIZE} bytes"):
        world.run()


def test_a_body_that_breaks_off_before_its_first_byte_is_restarted() -> None:
    world = World([whole(RESET), whole()])
    assert world.run() == WHOLE
    assert world.requests == [{}, {}]
    assert not world.streamed.resumed


def test_a_strong_date_proves_where_there_is_no_etag() -> None:
    modified, now = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT"
    dated = {"etag": None, "last_modified": modified, "date": now}
    world = World([whole(WHOLE[:50], CUT).but(**dated), rest(50).but(**dated)])
    assert world.run() == WHOLE
    assert world.requests[1] == {"Range": "bytes=50-", "If-Range": modified}


@pytest.mark.parametrize("etag", [None, 'W/"v1"', "v1", '"v1'])
def test_without_a_strong_validator_a_body_is_restarted(etag: str | None) -> None:
    world = World([whole(WHOLE[:50], CUT).but(etag=etag), whole().but(etag=etag)])
    assert world.run() == WHOLE
    assert world.requests == [{}, {}]
    assert world.streamed.sha256 == SHA256


def test_a_complete_response_to_a_range_restarts_the_body() -> None:
    world = World([whole(WHOLE[:50], CUT), rest(50, CUT), whole().but(etag='"v2"')])
    assert world.run() == WHOLE
    assert world.starts == [(0, SIZE), (50, SIZE), (0, SIZE)]
    assert (world.streamed.resumed, world.streamed.sha256) == (False, SHA256)


@pytest.mark.parametrize(
    "answer",
    [
        rest(49),
        rest(51),
        rest(0),
        rest(50).but(etag='"v2"'),
        rest(50).but(etag=None),
        rest(50).but(etag=f"W/{ETAG}"),
        rest(50).but(content_range=None),
        rest(50).but(content_range=f"bytes 50-{SIZE}/{SIZE + 1}"),
        rest(50).but(content_encoding="gzip"),
        replace(rest(50), status=416),
    ],
)
def test_a_response_that_does_not_continue_is_never_appended(answer: Canned) -> None:
    world = World([whole(WHOLE[:50], CUT), answer, whole()])
    assert world.run() == WHOLE
    assert world.ranges == [None, "bytes=50-", None]
    assert len(world.slept) == 1, "to begin again is no failure of the service"
    assert (world.streamed.resumed, world.streamed.sha256) == (False, SHA256)


@pytest.mark.parametrize("status", [206, 416])
def test_a_range_that_was_not_requested_is_refused(status: int) -> None:
    world = World([replace(rest(0), status=status)])
    with pytest.raises(Corrupt, match=f"demo.csv: status {status}"):
        world.run()


def test_a_body_that_never_gets_further_is_given_up_after_five_attempts() -> None:
    world = World([whole(WHOLE[:50], CUT), *[rest(50, CUT)] * 4])
    with pytest.raises(Truncated) as caught:
        world.run()
    assert caught.value is CUT
    assert (len(world.requests), len(world.slept)) == (NORMAL.attempts, NORMAL.attempts - 1)


def test_a_body_that_gets_somewhere_is_not_given_up() -> None:
    step = int(QUICK.rate * QUICK.seconds)
    starts = range(0, SIZE - step, step)
    cuts = [rest(at, WHOLE[at : at + step], CUT) for at in starts[1:]]
    script = [whole(WHOLE[:step], CUT), *cuts, rest(starts[-1] + step)]
    assert len(script) > 2 * NORMAL.attempts
    world = World(script, low_speed=QUICK, budget=2)
    assert world.run() == WHOLE
    assert set(world.slept) == {NORMAL.first_pause}


def test_without_a_minimum_speed_attempts_that_bring_no_byte_are_still_counted() -> None:
    world = World([whole(CUT)] * 9, low_speed=LowSpeed(rate=0, seconds=30))
    with pytest.raises(Truncated):
        world.run()
    assert len(world.requests) == NORMAL.attempts


def test_a_complete_body_gives_one_retry_back_to_the_others() -> None:
    world = World([whole(CUT), whole(CUT), whole()])
    assert world.run() == WHOLE
    assert world.service.retrier.retries_left == BUDGET - 1


def test_small_steps_count_as_progress_when_they_add_up() -> None:
    def cut_each(step: int) -> list[Canned]:
        later = [rest(at, WHOLE[at : at + step], CUT) for at in range(step, 5 * step, step)]
        return [whole(WHOLE[:step], CUT), *later]

    world = World([*cut_each(10), rest(50)], low_speed=QUICK)
    assert world.run() == WHOLE
    world = World(cut_each(9), low_speed=QUICK)
    with pytest.raises(Truncated):
        world.run()


def test_a_body_that_restarts_made_no_progress() -> None:
    ends = range(60, 60 * NORMAL.attempts + 1, 60)
    cuts = [whole(WHOLE[:end], CUT).but(etag=None) for end in ends]
    world = World(cuts, low_speed=QUICK)
    with pytest.raises(Truncated):
        world.run()
    assert len(world.requests) == NORMAL.attempts
