"""The wait on many invocations, in a world whose clock only sleeping and asking move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api.wait import Transition, Waiting, pause_after
from nostra_cli.errors import AuthProblem, DeadlinePassed, NostraError, NotFound, Transient
from nostra_cli.http.retry import NORMAL, PATIENT, Policy
from nostra_cli.http.timeouts import Deadline
from nostra_cli.models import Invocation

HOUR = 3600.0
NOON = 1_700_000_000.0


def invocation(id_: str, status: str) -> Invocation:
    return Invocation(id_, status, (), {"status": status})


@dataclass
class World:
    """Invocations that end at given seconds (`ends`), or with an error that waits there.

    They run at once, or from the seconds in `starts` on; before that they are queued.
    """

    ends: Mapping[str, float | NostraError]
    seconds: float | None = None
    interval: float | None = None
    asking: float = 0.0
    jobs: int = 1
    now: float = 0.0
    starts: Mapping[str, float] = field(default_factory=dict)
    polls: list[tuple[float, str, Policy]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    watched: list[tuple[str, str]] = field(default_factory=list)
    counted: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.waiting = Waiting(
            poll=self.poll,
            deadline=Deadline(self.seconds, lambda: self.now),
            watcher=self,
            interval=self.interval,
            jobs=self.jobs,
            clock=lambda: self.now,
            sleep=self._sleep,
            wall=lambda: NOON + self.now,
        )

    def poll(self, id_: str, policy: Policy) -> Invocation:
        self.polls.append((self.now, id_, policy))
        self.now += self.asking
        end = self.ends[id_]
        if isinstance(end, NostraError):
            raise end
        begun = "running" if self.now >= self.starts.get(id_, 0) else "queued"
        return invocation(id_, "completed" if self.now >= end else begun)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def seen(self, invocation: Invocation) -> None:
        self.watched.append((invocation.id, invocation.status))

    def pending(self, count: int, seconds: float) -> None:
        self.counted.append((count, seconds))

    def run(self) -> list[tuple[float, Invocation | NostraError]]:
        """Wait to the end; give when each became known."""
        return [(self.now, found) for found in self.waiting.run(list(self.ends))]

    def times(self, id_: str = "a") -> list[float]:
        return [moment for moment, polled, _ in self.polls if polled == id_]


def ids_of(found: Sequence[tuple[float, Invocation | NostraError]]) -> list[str]:
    return [one.id for _, one in found if isinstance(one, Invocation)]


@given(st.floats(0, 10 * HOUR))
def test_the_end_is_noticed_within_a_tenth_of_the_wait_or_a_second(end: float) -> None:
    [(noticed, found)] = World({"a": end}).run()
    assert isinstance(found, Invocation)
    assert 0 <= noticed - end <= min(30.0, max(1.0, 0.1 * end)) + 1e-6


def test_polls_are_a_second_to_half_a_minute_apart_and_ever_rarer() -> None:
    world = World({"a": 2 * HOUR})
    world.run()
    pauses = [later - sooner for sooner, later in pairwise(world.times())]
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
def test_the_pause_is_a_tenth_of_what_was_waited(waited: float, pause: float) -> None:
    assert pause_after(waited) == pause


@pytest.mark.parametrize("interval", [0.2, 5.0, 45.0, 300.0])
def test_an_interval_replaces_the_growing_pause(interval: float) -> None:
    world = World({"a": 20 * interval}, interval=interval)
    world.run()
    gaps = [later - sooner for sooner, later in pairwise(world.times())]
    assert gaps == pytest.approx([interval] * len(gaps))
    assert 20 <= len(gaps) <= 21


def test_a_long_pause_is_slept_in_slices_and_the_watcher_hears_of_each() -> None:
    world = World({"a": 100}, interval=100)
    world.run()
    assert world.slept == [30, 30, 30, 10]
    assert world.counted == [(1, 30), (1, 60), (1, 90), (1, 100)]


@pytest.mark.parametrize("interval", [None, 45.0, 10**6])
def test_there_is_one_more_look_shortly_before_the_deadline(interval: float | None) -> None:
    world = World({"a": 998.5}, seconds=1000, interval=interval)
    [(noticed, _)] = world.run()
    assert noticed == pytest.approx(999)


@given(
    end=st.none() | st.floats(0, 200),
    seconds=st.floats(0.01, 150),
    interval=st.none() | st.floats(0.1, 300),
)
def test_a_wait_ends_by_its_deadline_and_never_sleeps_beyond_it(
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


def test_what_is_final_comes_in_the_order_of_its_ends() -> None:
    world = World({"late": 90, "soon": 3, "done": 0, "middle": 40})
    assert ids_of(world.run()) == ["done", "soon", "middle", "late"]


def test_what_is_final_at_once_comes_in_the_order_asked_for_without_a_sleep() -> None:
    world = World({"c": 0, "a": 0, "b": 0})
    assert ids_of(world.run()) == ["c", "a", "b"]
    assert world.slept == []
    assert len(world.polls) == 3


@given(st.lists(st.floats(0, 500), min_size=1, max_size=8), st.floats(0, 0.5))
def test_each_id_comes_once_and_is_not_asked_for_again(ends: list[float], asking: float) -> None:
    world = World({f"id{place}": end for place, end in enumerate(ends)}, asking=asking)
    found = world.run()
    assert sorted(ids_of(found)) == sorted(world.ends)
    for moment, one in found:
        assert isinstance(one, Invocation)
        assert world.times(one.id)[-1] <= moment
        gaps = [later - sooner for sooner, later in pairwise(world.times(one.id))]
        assert all(1 - 1e-6 <= gap <= 30 + asking * (len(ends) + 1) + 1e-6 for gap in gaps)


def test_polls_of_many_ids_are_no_burst() -> None:
    world = World({f"id{n}": 60 for n in range(500)})
    world.run()
    moments = [moment for moment, _, _ in world.polls]
    for place in range(len(moments) - 32):
        assert moments[place + 32] - moments[place] > 0.1
    assert max(later - sooner for sooner, later in pairwise(world.times("id499"))) < 10


def test_polls_that_run_at_once_give_the_same_in_the_same_order() -> None:
    ends = {f"id{n}": n * 7 % 50 for n in range(40)}
    alone, together = World(ends), World(ends, jobs=8)
    assert ids_of(alone.run()) == ids_of(together.run())
    assert sorted(alone.polls, key=str) == sorted(together.polls, key=str)


def test_every_answer_is_told_to_the_watcher() -> None:
    world = World({"a": 2, "b": 0})
    world.run()
    assert world.watched == [
        ("a", "running"),
        ("b", "completed"),
        ("a", "running"),
        ("a", "completed"),
    ]


def test_each_change_of_status_is_kept_with_its_moments() -> None:
    world = World({"a": 12, "b": 0}, starts={"a": 9}, now=7)
    found = dict(zip(["b", "a"], [one for _, one in world.run()], strict=True))
    final = found["a"]
    assert isinstance(final, Invocation)
    waited = world.waiting.waited(final)
    assert waited.invocation is final
    assert waited.transitions == tuple(
        Transition(status, NOON + 7 + seconds, seconds)
        for status, seconds in (("queued", 0), ("running", 2), ("completed", 5))
    )


def test_what_is_final_at_the_first_look_has_one_transition() -> None:
    world = World({"a": 0})
    [(_, final)] = world.run()
    assert isinstance(final, Invocation)
    assert world.waiting.waited(final).transitions == (Transition("completed", NOON, 0),)


def test_an_id_that_has_answered_is_asked_patiently() -> None:
    world = World({"a": 2})
    world.run()
    assert [policy for _, _, policy in world.polls] == [NORMAL, PATIENT, PATIENT]


def test_a_failed_id_takes_its_place_and_the_others_go_on() -> None:
    missing, down = NotFound("no such thing"), Transient("down")
    world = World({"a": 5, "b": missing, "c": down, "d": 0})
    found = [one if isinstance(one, NostraError) else one.id for _, one in world.run()]
    assert found == [missing, down, "d", "a"]
    assert (len(world.times("b")), len(world.times("c"))) == (1, 1)


def test_a_refused_token_ends_the_wait_at_once() -> None:
    world = World({"a": 5, "b": AuthProblem("refused"), "c": 0})
    with pytest.raises(AuthProblem):
        world.run()
    assert [id_ for _, id_, _ in world.polls] == ["a", "b"]
    assert world.slept == []


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (1, "id0"),
        (3, "id0, id1, id2"),
        (4, "id0, id1, id2 and 1 more"),
        (9, "id0, id1, id2 and 6 more"),
    ],
)
def test_the_passed_deadline_names_what_is_left(count: int, named: str) -> None:
    world = World({"done": 0, **{f"id{n}": HOUR for n in range(count)}}, seconds=20)
    given: list[str] = []
    with pytest.raises(DeadlinePassed) as caught:
        given.extend(str(getattr(one, "id", one)) for one in world.waiting.run(list(world.ends)))
    assert given == ["done"]
    assert caught.value.message == f"the deadline of 20 s passed, still in progress: {named}"
    assert "--timeout" in caught.value.hint


def test_a_deadline_that_passes_within_a_poll_names_what_is_left_too() -> None:
    late = DeadlinePassed("the deadline passed", "the hint")
    with pytest.raises(DeadlinePassed, match=r"still in progress: b, c$") as caught:
        World({"a": 0, "b": late, "c": 0}, seconds=9).run()
    assert caught.value.hint == "the hint"
