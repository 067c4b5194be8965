"""Retries: pauses, attempts, the shared budget and the deadline."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.errors import Corrupt, DeadlinePassed, Transient
from nostra_cli.http.retry import (
    BUDGET,
    MAX_RETRY_AFTER,
    NORMAL,
    PATIENT,
    Policy,
)
from nostra_cli.http.timeouts import Deadline
from tests.http.retrying import World


def test_a_response_at_the_first_attempt_needs_no_pause() -> None:
    world = World()
    assert world.retrier.run(world.failing(0), "it") == "answer"
    assert (world.calls, world.slept) == (1, [])


@pytest.mark.parametrize(
    ("chance", "slept"),
    [(1.0, [0.5, 1, 2, 4]), (0.0, [0.25, 0.5, 1, 2]), (0.5, [0.375, 0.75, 1.5, 3])],
)
def test_pauses_double_and_chance_takes_up_to_half(chance: float, slept: list[float]) -> None:
    world = World(chance=chance)
    assert world.retrier.run(world.failing(4), "it") == "answer"
    assert world.slept == slept


def test_the_last_failure_is_raised_when_the_attempts_are_spent() -> None:
    world = World()
    failures = iter(Transient(f"failure {number}") for number in range(1, 99))
    with pytest.raises(Transient, match="failure 5"):
        world.retrier.run(world.failing(99, lambda: next(failures)), "it")
    assert world.calls == NORMAL.attempts
    assert len(world.slept) == NORMAL.attempts - 1
    assert world.notified == [
        ("failure 1", 0.5, 2, 5),
        ("failure 2", 1, 3, 5),
        ("failure 3", 2, 4, 5),
        ("failure 4", 4, 5, 5),
    ]
    assert [pause for _, pause, _, _ in world.notified] == world.slept


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_patient_poll_has_ten_attempts_and_survives_a_minute(chance: float) -> None:
    world = World(chance=chance)
    assert world.retrier.run(world.failing(9), "it", PATIENT) == "answer"
    assert world.calls == 10
    assert max(world.slept) <= PATIENT.max_pause
    assert sum(world.slept) == pytest.approx(60.75 * (1 + chance))


def test_other_errors_are_raised_at_once() -> None:
    world = World()
    with pytest.raises(Corrupt):
        world.retrier.run(world.failing(1, lambda: Corrupt("broken")), "it")
    assert (world.calls, world.slept, world.retrier.retries_left) == (1, [], BUDGET)


@pytest.mark.parametrize(
    ("wish", "pause"), [(0.0, 0.0), (7.0, 7.0), (60.0, 60.0), (1e9, MAX_RETRY_AFTER)]
)
def test_retry_after_replaces_the_pause_up_to_a_minute(wish: float, pause: float) -> None:
    world = World()
    world.retrier.run(world.failing(1, lambda: Transient("busy", wait=wish)), "it")
    assert world.slept == [pause]


def test_with_a_deadline_a_longer_wish_is_kept() -> None:
    world = World(seconds=600)
    world.retrier.run(world.failing(1, lambda: Transient("busy", wait=300)), "it")
    assert world.slept == [300]


@pytest.mark.parametrize("wish", [10.0, 11.0, 1e99])
def test_a_pause_that_would_outlast_the_deadline_is_not_slept(wish: float) -> None:
    world = World(seconds=10)
    with pytest.raises(DeadlinePassed, match=r"^the deadline of 10 s passed before it was known$"):
        world.retrier.run(world.failing(9, lambda: Transient("busy", wait=wish)), "it was known")
    assert world.slept == []


@given(
    seconds=st.floats(0.001, 100),
    chance=st.floats(0, 1, exclude_max=True),
    wishes=st.lists(st.none() | st.floats(0, 200), min_size=1, max_size=12),
)
def test_no_sleep_ends_after_the_deadline(
    seconds: float, chance: float, wishes: list[float | None]
) -> None:
    world = World(seconds, chance)
    failures = iter([Transient("busy", wait=wish) for wish in wishes])
    with contextlib.suppress(DeadlinePassed):
        world.retrier.run(
            world.failing(len(wishes), lambda: next(failures)), "it", Policy(attempts=20)
        )
    assert world.now <= 1000 + seconds
    assert sum(world.slept) <= seconds + 1e-9


def test_nothing_is_attempted_after_the_deadline() -> None:
    world = World(seconds=5)
    world.now += 5
    with pytest.raises(DeadlinePassed):
        world.retrier.run(world.failing(0), "it")
    assert world.calls == 0


def test_a_failure_at_the_deadline_is_reported_as_the_deadline() -> None:
    world = World(seconds=5)

    def attempt() -> str:
        world.now += 6
        raise Transient("slow")

    with pytest.raises(DeadlinePassed):
        world.retrier.run(attempt, "it", Policy(attempts=1))


def test_a_deadline_counts_down_to_zero_and_no_deadline_never_passes() -> None:
    now = 50.0
    deadline = Deadline(10, lambda: now)
    assert deadline.remaining() == 10
    now = 59.0
    assert deadline.remaining() == 1
    deadline.check()
    now = 99.0
    assert deadline.remaining() == 0
    with pytest.raises(DeadlinePassed) as caught:
        deadline.check("the end")
    assert "--timeout" in caught.value.hint
    never = Deadline(None, lambda: now)
    assert never.remaining() is None
    never.check()


def test_the_budget_is_shared_by_all_requests() -> None:
    world = World(budget=5)
    with pytest.raises(Transient):
        world.retrier.run(world.failing(99), "first")
    assert (world.calls, world.retrier.retries_left) == (5, 1)
    with pytest.raises(Transient):
        world.retrier.run(world.failing(99), "second")
    assert (world.calls, world.retrier.retries_left) == (7, 0)
    with pytest.raises(Transient):
        world.retrier.run(world.failing(99), "third")
    assert world.calls == 8


def test_each_success_gives_one_retry_back_up_to_the_maximum() -> None:
    world = World(budget=3)
    with pytest.raises(Transient):
        world.retrier.run(world.failing(99), "it")
    left = [world.retrier.retries_left]
    for _ in range(5):
        world.retrier.run(world.failing(0), "it")
        left.append(world.retrier.retries_left)
    assert left == [0, 1, 2, 3, 3, 3]


def test_a_poll_after_a_response_needs_no_budget() -> None:
    """Many waits in one run: an outage must not end those that come after the first ones."""
    world = World(budget=0)
    assert world.retrier.run(world.failing(3), "it", PATIENT) == "answer"
    with pytest.raises(Transient):
        world.retrier.run(world.failing(1), "it", NORMAL)
