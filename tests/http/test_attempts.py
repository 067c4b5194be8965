"""The loop of attempts: progress, unusable responses, giving up."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from nostra_cli.errors import Corrupt, Transient
from nostra_cli.http.retry import NORMAL, Retrier
from nostra_cli.http.timeouts import Deadline
from tests.http.retrying import World


def test_progress_resets_the_count_of_failures() -> None:
    world = World(budget=3)
    tries = 0
    for attempt in world.retrier.attempts("it"):
        with attempt:
            tries += 1
            if tries < 4 * NORMAL.attempts:
                attempt.progressed()
                raise Transient("cut")
    assert (tries, world.retrier.retries_left) == (4 * NORMAL.attempts, 3)
    assert set(world.slept) == {NORMAL.first_pause}


def test_an_unusable_response_is_retried_at_once() -> None:
    world = World(budget=3)
    tries = 0
    for attempt in world.retrier.attempts("it"):
        with attempt:
            tries += 1
            if tries == 1:
                attempt.again()
    assert (tries, world.slept, world.retrier.retries_left) == (2, [], 3)


def test_any_number_of_responses_is_allowed_if_each_makes_progress() -> None:
    world, tries = World(), 0
    for attempt in world.retrier.attempts("it"):
        with attempt:
            tries += 1
            attempt.progressed()
            if tries < 4 * NORMAL.attempts:
                attempt.again()
    assert (tries, world.slept) == (4 * NORMAL.attempts, [])


def test_unusable_responses_are_limited() -> None:
    world = World()
    tries = 0

    def work() -> None:
        nonlocal tries
        for attempt in world.retrier.attempts("it was known"):
            with attempt:
                tries += 1
                attempt.again()

    with pytest.raises(Corrupt, match=r"^no usable response in 5 attempts before it was known$"):
        work()
    assert tries == NORMAL.attempts


def test_a_failure_after_an_unusable_response_is_paused_for() -> None:
    world = World()
    steps: list[str] = []
    for attempt in world.retrier.attempts("it"):
        with attempt:
            steps.append("attempt")
            if len(steps) == 1:
                attempt.again()
            elif len(steps) == 2:
                raise Transient("down")
    assert (len(steps), world.slept) == (3, [0.5])


def test_give_up_ends_a_pause_under_way_with_the_failure() -> None:
    paused = threading.Event()
    retrier = Retrier(Deadline(), notify=lambda *_: paused.set())

    def fail() -> None:
        raise Transient("down", wait=60)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(retrier.run, fail, "it")
        assert paused.wait(10)
        began = time.monotonic()
        retrier.give_up()
        with pytest.raises(Transient, match="down"):
            running.result(10)
    assert time.monotonic() - began < 10


def test_nothing_is_retried_after_give_up() -> None:
    world = World()
    world.retrier.give_up()
    with pytest.raises(Transient):
        world.retrier.run(world.failing(1), "it")
    assert (world.calls, world.slept) == (1, [])
