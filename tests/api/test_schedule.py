"""The schedule of the polls of many ids, with a simulated clock and without threads."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api.schedule import (
    MAX_POLLS,
    ORDER_SECONDS,
    Schedule,
    Transition,
    Waited,
    pause_after,
)
from nostra_cli.errors import DeadlinePassed, NostraError, NotFound, Transient
from nostra_cli.http.retry import Retrier
from nostra_cli.http.timeouts import Deadline
from nostra_cli.models import Invocation

HOUR = 3600.0
NOON = 1_700_000_000.0
Ended = Waited | NostraError
DOWN = Transient("503")


def invocation(id_: str, status: str) -> Invocation:
    return Invocation(id_, status, (), {"status": status})


@dataclass
class World:
    """Invocations that end at given seconds (`ends`), or whose polls fail with what is there.

    They are queued before the seconds in `starts`. A poll takes `seconds_of(id)`; it has the answer
    of the moment when it ends.
    """

    ends: Mapping[str, float | NostraError]
    seconds: float | None = None
    interval: float | None = None
    jobs: int = 8
    now: float = 0.0
    starts: Mapping[str, float] = field(default_factory=dict)
    seconds_of: Callable[[str], float] = lambda _id: 0.0
    failing: Callable[[str, float], Transient | None] = lambda _id, _now: None
    polls: list[tuple[float, str]] = field(default_factory=list)
    running: list[tuple[float, int, str]] = field(default_factory=list)
    most: int = 0
    retries: list[tuple[float, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.retrier = Retrier(
            Deadline(self.seconds, lambda: self.now), notify=self._notify, random=lambda: 1.0
        )
        self.schedule = Schedule(
            list(self.ends),
            self.retrier,
            self.interval,
            self.jobs,
            clock=lambda: self.now,
            wall=lambda: NOON + self.now,
        )

    def _notify(self, _failure: Transient, pause: float, number: int, attempts: int) -> None:
        self.retries.append((pause, number, attempts))

    def answer(self, id_: str) -> Invocation | NostraError:
        end = self.ends[id_]
        if failure := self.failing(id_, self.now):
            return failure
        if isinstance(end, NostraError):
            return end
        started = "running" if self.now >= self.starts.get(id_, 0) else "queued"
        return invocation(id_, "completed" if self.now >= end else started)

    def run(self, until: float = 10**9) -> list[tuple[float, Ended]]:
        """Wait to the end, or until a second; return when each id ended, and how."""
        found: list[tuple[float, Ended]] = []
        schedule = self.schedule
        while (schedule.left or schedule.held) and self.now < until:
            if (ended := schedule.ended()) is not None:
                found.append((self.now, ended))
                continue
            schedule.check_deadline()
            if (id_ := schedule.take()) is not None:
                self.polls.append((self.now, id_))
                end = self.now + self.seconds_of(id_)
                heapq.heappush(self.running, (end, len(self.polls), id_))
                self.most = max(self.most, len(self.running))
            elif self.running and self.running[0][0] <= self.now:
                id_ = heapq.heappop(self.running)[2]
                following = schedule.next_step(id_, self.answer(id_))
                if isinstance(following, Waited | NostraError):
                    schedule.finish(id_, following)
                else:
                    schedule.put_back(id_, following)
            else:
                self.now = self._next_moment()
        return found

    def _next_moment(self) -> float:
        moments = [end for end, _, _ in self.running[:1]]
        delay, left = self.schedule.delay(), self.retrier.deadline.remaining()
        held = ORDER_SECONDS if self.schedule.held else None
        moments += [self.now + seconds for seconds in (delay, left, held) if seconds is not None]
        return max(min(moments), self.now + 1e-9)

    def times(self, id_: str = "a") -> list[float]:
        return [moment for moment, polled in self.polls if polled == id_]


def ids_of(found: list[tuple[float, Ended]]) -> list[str]:
    return [one.invocation.id for _, one in found if isinstance(one, Waited)]


def gaps(moments: list[float]) -> list[float]:
    return [later - sooner for sooner, later in pairwise(moments)]


def hang(*ids: str, seconds: float = 30.0) -> Callable[[str], float]:
    """Let the polls of some ids hang until the read times out."""
    return lambda id_: seconds if id_ in ids else 0.05


def timeout_of(*ids: str) -> Callable[[str, float], Transient | None]:
    return lambda id_, _now: DOWN if id_ in ids else None


@given(st.floats(0, 10 * HOUR))
def test_the_end_is_noticed_within_a_tenth_of_the_wait_or_a_second(end: float) -> None:
    [(noticed, found)] = World({"a": end}).run()
    assert isinstance(found, Waited)
    assert 0 <= noticed - end <= min(30.0, max(1.0, 0.1 * end)) + 1e-6


def test_pauses_grow_from_a_second_to_half_a_minute() -> None:
    world = World({"a": 2 * HOUR})
    world.run()
    pauses = gaps(world.times())
    assert min(pauses) >= 1 - 1e-6
    assert max(pauses) == pytest.approx(30)
    assert all(longer >= shorter - 1e-6 for shorter, longer in pairwise(pauses))


def test_an_hour_costs_at_most_160_polls() -> None:
    world = World({"a": HOUR})
    world.run()
    assert 120 <= len(world.polls) <= 160


@pytest.mark.parametrize(
    ("waited", "pause"), [(0, 1), (9, 1), (20, 2), (300, 30), (301, 30), (10**6, 30)]
)
def test_the_pause_is_a_tenth_of_the_time_waited(waited: float, pause: float) -> None:
    assert pause_after(waited) == pause


@pytest.mark.parametrize("interval", [0.2, 5.0, 45.0, 300.0])
def test_an_interval_replaces_the_growing_pause(interval: float) -> None:
    world = World({"a": 20 * interval}, interval=interval)
    world.run()
    pauses = gaps(world.times())
    assert pauses == pytest.approx([interval] * len(pauses))
    assert 20 <= len(pauses) <= 21


@pytest.mark.parametrize("interval", [None, 45.0, 10**6])
def test_the_last_poll_is_shortly_before_the_deadline(interval: float | None) -> None:
    world = World({"a": 998.5}, seconds=1000, interval=interval)
    [(noticed, _)] = world.run()
    assert noticed == pytest.approx(999)


@given(
    end=st.none() | st.floats(0, 200),
    seconds=st.floats(0.01, 150),
    interval=st.none() | st.floats(0.1, 300),
)
def test_a_wait_ends_by_its_deadline_and_not_before(
    end: float | None, seconds: float, interval: float | None
) -> None:
    world = World({"a": 10**9 if end is None else end}, seconds, interval)
    try:
        found = world.run()
    except DeadlinePassed:
        assert end is None or end > seconds - 1 - 1e-6 or end > seconds - (interval or 1)
        assert world.now == pytest.approx(seconds)
    else:
        assert len(found) == 1
    assert world.now <= seconds + 1e-6


def test_final_ids_are_returned_in_the_order_of_their_ends() -> None:
    world = World({"late": 90, "soon": 3, "done": 0, "middle": 40})
    assert ids_of(world.run()) == ["done", "soon", "middle", "late"]


@pytest.mark.parametrize("jobs", [1, 8])
def test_ids_final_at_the_first_poll_keep_their_order(jobs: int) -> None:
    world = World({"c": 0, "a": 0, "b": 0}, jobs=jobs)
    assert ids_of(world.run()) == ["c", "a", "b"]
    assert len(world.polls) == 3


def test_the_order_is_kept_although_the_first_polls_differ_in_time() -> None:
    world = World({"a": 0, "b": 0, "c": 0}, seconds_of={"a": 0.15, "b": 0.02, "c": 0.3}.__getitem__)
    found = world.run()
    assert ids_of(found) == ["a", "b", "c"]
    assert [moment for moment, _ in found] == pytest.approx([0.15, 0.15, 0.32], abs=0.1)


def test_the_order_does_not_wait_for_a_slow_poll() -> None:
    world = World({"a": 0, "b": 0}, seconds_of={"a": 5.0, "b": 0.02}.__getitem__)
    found = world.run()
    assert ids_of(found) == ["b", "a"]
    assert found[0][0] == pytest.approx(ORDER_SECONDS, abs=0.1)


@given(st.lists(st.floats(0, 500), min_size=1, max_size=8), st.floats(0, 0.5), st.integers(1, 8))
def test_each_id_comes_once_and_is_not_polled_again(
    ends: list[float], latency: float, jobs: int
) -> None:
    ids = {f"id{number}": end for number, end in enumerate(ends)}
    world = World(ids, seconds_of=lambda _id: latency, jobs=jobs)
    found = world.run()
    assert sorted(ids_of(found)) == sorted(ids)
    for moment, one in found:
        assert isinstance(one, Waited)
        times = world.times(one.invocation.id)
        assert times[-1] <= moment
        assert all(1 - 1e-6 <= gap <= 30 + latency * (len(ends) + 1) + 0.1 for gap in gaps(times))


def test_at_most_a_hundred_polls_start_in_a_second() -> None:
    world = World({f"id{n}": 60 for n in range(500)}, jobs=64)
    world.run()
    moments = [moment for moment, _ in world.polls]
    for place in range(len(moments) - 100):
        assert moments[place + 100] - moments[place] >= 1 - 1e-6
    assert max(gaps(world.times("id499"))) < 10


def test_a_thousand_ids_are_each_noticed_as_soon_as_the_rate_allows() -> None:
    """A hundred requests a second are ten seconds for all of them."""
    world = World({f"id{n}": n * 0.3 for n in range(1000)}, seconds_of=hang())
    for moment, one in world.run():
        assert isinstance(one, Waited)
        end = float(world.ends[one.invocation.id])  # type: ignore[arg-type] # there are no errors
        assert moment - end <= max(10.5, 0.1 * end + 0.5)
    assert world.most <= 8


def test_each_change_of_status_is_kept_with_its_moments() -> None:
    world = World({"a": 12, "b": 0}, starts={"a": 9}, now=7)
    final = {one.invocation.id: one for _, one in world.run() if isinstance(one, Waited)}["a"]
    assert final.invocation.status == "completed"
    statuses = [seen.status for seen in final.transitions]
    assert statuses == ["queued", "running", "completed"]
    assert [seen.waited for seen in final.transitions] == pytest.approx([0, 2, 5], abs=0.1)
    assert [seen.at for seen in final.transitions] == pytest.approx(
        [NOON + 7, NOON + 9, NOON + 12], abs=0.1
    )


def test_an_id_final_at_the_first_poll_has_one_transition() -> None:
    [(_, final)] = World({"a": 0}).run()
    assert isinstance(final, Waited)
    assert final.transitions == (Transition("completed", NOON, 0),)


def test_a_missing_id_keeps_its_place_and_the_others_continue() -> None:
    missing = NotFound("not found")
    world = World({"a": 5, "b": missing, "d": 0})
    found = [one if isinstance(one, NostraError) else one.invocation.id for _, one in world.run()]
    assert found == [missing, "d", "a"]
    assert missing.invocation == "b"
    assert len(world.times("b")) == 1


# Failures: an id that is polled again later holds back no other.


@pytest.mark.parametrize("jobs", [1, 8])
def test_a_final_id_is_reported_at_once_while_others_fail(jobs: int) -> None:
    bad = [f"bad{n}" for n in range(20)]
    ids = {**dict.fromkeys(bad, 0.0), "good": 0.0}
    world = World(ids, jobs=jobs, failing=timeout_of(*bad), seconds_of=hang())
    good = [moment for moment, one in world.run() if isinstance(one, Waited)]
    assert good == [pytest.approx(1.05 if jobs == 1 else 0.25, abs=0.05)]


def test_an_id_that_never_responds_is_given_up_after_five_polls() -> None:
    world = World({"a": 0}, failing=timeout_of("a"))
    [(_, found)] = world.run()
    assert found is DOWN
    assert gaps(world.times()) == pytest.approx([1, 1, 2, 4])
    assert world.retries == [(1, 2, 5), (1, 3, 5), (2, 4, 5), (4, 5, 5)]


def test_an_id_that_has_responded_survives_two_minutes_of_failures() -> None:
    world = World({"a": 10}, failing=lambda _id, now: DOWN if 5 < now < 125 else None)
    [(_, found)] = world.run()
    assert isinstance(found, Waited)
    assert world.retries[0][1:] == (2, 10)


def test_a_response_resets_the_count_of_failures() -> None:
    world = World({"a": 300}, failing=lambda _id, now: DOWN if int(now) % 3 else None)
    assert ids_of(world.run()) == ["a"]


def test_the_failures_of_one_id_take_no_retries_from_another() -> None:
    ids = {f"id{n}": 40.0 for n in range(100)}
    world = World(ids, failing=lambda _id, now: DOWN if now < 3 else None)
    assert len(ids_of(world.run())) == 100


def test_an_interval_below_a_second_is_kept_after_a_failure() -> None:
    world = World({"a": 0}, interval=0.1, failing=timeout_of("a"))
    world.run()
    assert gaps(world.times()) == pytest.approx([0.5, 1, 2, 4])


def test_retry_after_sets_the_next_poll_of_its_id_only() -> None:
    late = Transient("429", wait=20)
    world = World(
        {"a": 0, "b": 3}, failing=lambda id_, now: late if (id_, now) < ("a", 5) else None
    )
    found = world.run()
    assert ids_of(found) == ["b", "a"]
    assert found[1][0] == pytest.approx(20)


# Hanging polls.


@pytest.mark.parametrize(("jobs", "hanging"), [(1, 1), (1, 5), (2, 7), (8, 8), (8, 20), (8, 60)])
def test_hanging_polls_do_not_stop_the_others(jobs: int, hanging: int) -> None:
    """Each second without a response doubles the threads beyond `jobs`."""
    bad = [f"bad{n}" for n in range(hanging)]
    ids = {**dict.fromkeys(bad, HOUR), **{f"good{n}": 0.0 for n in range(30)}}
    world = World(ids, jobs=jobs, seconds_of=hang(*bad), failing=timeout_of(*bad))
    found = world.run(until=29)
    assert len(ids_of(found)) == 30
    seconds = math.ceil(math.log2(hanging - jobs + 1)) + 1
    assert found[-1][0] <= seconds + 0.06 * 30 + 0.5


def test_polls_of_a_slow_service_are_not_multiplied() -> None:
    world = World({f"id{n}": 100.0 for n in range(100)}, seconds_of=lambda _id: 2.0, jobs=8)
    world.run()
    assert world.most <= 10


def test_hanging_polls_are_bounded() -> None:
    ids = {f"id{n}": 0.0 for n in range(1000)}
    world = World(ids, seconds_of=lambda _id: 500.0, jobs=8)
    world.run(until=490)
    assert world.most == MAX_POLLS


# The deadline.


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (1, "id0"),
        (3, "id0, id1, id2"),
        (4, "id0, id1, id2 and 1 more"),
        (9, "id0, id1, id2 and 6 more"),
    ],
)
def test_a_passed_deadline_names_the_remaining_ids(count: int, named: str) -> None:
    world = World({"done": 0, **{f"id{n}": HOUR for n in range(count)}}, seconds=20)
    with pytest.raises(DeadlinePassed) as caught:
        world.run()
    assert caught.value.message == f"the deadline of 20 s passed, still in progress: {named}"
    assert "--timeout" in caught.value.hint
    assert world.now == pytest.approx(20)


def test_the_deadline_passes_while_a_poll_hangs() -> None:
    world = World({"a": 0, "b": 0}, seconds=9, seconds_of=hang("b"))
    with pytest.raises(DeadlinePassed, match=r"still in progress: b$"):
        world.run()
    assert world.now == pytest.approx(9)


def test_a_poll_that_the_deadline_ended_is_still_in_progress() -> None:
    late = DeadlinePassed("the deadline passed")
    with pytest.raises(DeadlinePassed, match=r"still in progress: b$"):
        World({"a": 0, "b": late}, seconds=9).run()


def test_the_wait_ends_at_once_when_no_poll_can_start_before_the_deadline() -> None:
    world = World({"a": 0}, seconds=30, failing=lambda _id, _now: Transient("429", wait=31))
    with pytest.raises(DeadlinePassed):
        world.run()
    assert world.now == pytest.approx(0, abs=0.1)
    assert world.retries == []


def test_unfinished_ids_have_their_last_status() -> None:
    world = World(
        {"a": 0, "b": HOUR, "c": 0, "d": HOUR},
        starts={"b": 5},
        seconds=20,
        failing=timeout_of("d"),
    )
    with pytest.raises(DeadlinePassed):
        world.run()
    unfinished = [(one.invocation.id, one.invocation.status) for one in world.schedule.unfinished()]
    assert unfinished == [("b", "running")]


def test_an_id_without_a_response_has_no_status() -> None:
    [one] = World({"a": 0}).schedule.unfinished()
    assert (one.invocation.id, one.invocation.status, one.transitions) == ("a", "", ())
