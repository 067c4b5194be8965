"""Many tasks on a few threads: order, errors, and giving up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from nostra_cli import concurrency as parallel


def never() -> None:
    raise AssertionError("there is nothing to give up")


def test_answers_come_in_the_order_of_the_tasks() -> None:
    """The first task ends only when the last one has."""
    last = threading.Event()

    def first() -> int:
        assert last.wait(10)
        return 0

    def final() -> int:
        last.set()
        return 2

    assert list(parallel.run([first, lambda: 1, final], 3, never)) == [0, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_no_more_than_so_many_run_at_once(jobs: int) -> None:
    running: set[int] = set()
    most = []
    gate = threading.Barrier(jobs)

    def task(number: int) -> int:
        running.add(number)
        gate.wait(10)  # so many do run at once
        most.append(len(running))
        gate.wait(10)
        running.discard(number)
        return number

    tasks = [partial(task, number) for number in range(jobs * 3)]
    assert list(parallel.run(tasks, jobs, never)) == list(range(jobs * 3))
    assert max(most) == jobs


def test_one_task_or_one_job_needs_no_thread() -> None:
    here = threading.get_ident
    assert list(parallel.run([here, here], 1, never)) == [here(), here()]
    assert list(parallel.run([here], 8, never)) == [here()]


def test_an_error_gives_up_the_others_and_takes_their_notes() -> None:
    given_up, waiting = threading.Event(), threading.Event()

    def waits() -> None:
        waiting.set()
        assert given_up.wait(10)
        error = ValueError("cut off")
        error.add_note("3 MiB are kept")
        raise error

    def fails() -> None:
        assert waiting.wait(10)
        raise KeyError("first")

    with pytest.raises(KeyError) as caught:
        list(parallel.run([waits, fails], 2, given_up.set))
    assert caught.value.__notes__ == ["3 MiB are kept"]


def test_nothing_new_is_begun_after_an_error() -> None:
    given_up = threading.Event()
    begun: list[int] = []

    def fails() -> None:
        raise KeyError

    def waits(number: int) -> None:
        begun.append(number)
        assert given_up.wait(10)

    tasks: list[Callable[[], None]] = [fails, *(partial(waits, number) for number in range(50))]
    with pytest.raises(KeyError):
        list(parallel.run(tasks, 2, given_up.set))
    assert len(begun) <= 3
