"""Tasks on a few threads: order, errors, abort, and a system that allows no more threads."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from nostra_cli import concurrency
from nostra_cli.errors import DeadlinePassed, KeptPart, Transient, add_kept
from nostra_cli.signals import start_thread


def never() -> None:
    raise AssertionError("nothing to abort")


def test_results_come_in_the_order_of_the_tasks() -> None:
    """The first task ends only when the last one has."""
    last = threading.Event()

    def first() -> int:
        assert last.wait(10)
        return 0

    def final() -> int:
        last.set()
        return 2

    assert list(concurrency.run([first, lambda: 1, final], 3, never)) == [0, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_no_more_than_jobs_tasks_run_at_once(jobs: int) -> None:
    running: set[int] = set()
    counts = []
    gate = threading.Barrier(jobs)

    def task(number: int) -> int:
        running.add(number)
        gate.wait(10)  # so many do run at once
        counts.append(len(running))
        gate.wait(10)
        running.discard(number)
        return number

    tasks = [partial(task, number) for number in range(jobs * 3)]
    assert list(concurrency.run(tasks, jobs, never)) == list(range(jobs * 3))
    assert max(counts) == jobs


def test_one_task_or_one_job_needs_no_thread() -> None:
    here = threading.get_ident
    assert list(concurrency.run([here, here], 1, never)) == [here(), here()]
    assert list(concurrency.run([here], 8, never)) == [here()]


def test_what_is_not_interruptible_runs_on_a_thread_of_its_own() -> None:
    here = threading.get_ident
    for jobs in (1, 8):
        [there] = concurrency.run([here], jobs, never, interruptible=False)
        assert there != here()


def test_an_error_aborts_the_others_and_names_the_parts_they_keep() -> None:
    aborted, waiting = threading.Event(), threading.Event()

    def waits() -> None:
        waiting.set()
        assert aborted.wait(10)
        error = Transient("cut off")
        add_kept(error, [KeptPart("a.csv", 3)])
        raise error

    def fails() -> None:
        assert waiting.wait(10)
        raise DeadlinePassed("first")

    with pytest.raises(DeadlinePassed) as caught:
        list(concurrency.run([waits, fails], 2, aborted.set))
    assert caught.value.kept == [KeptPart("a.csv", 3)]


def test_what_waits_for_its_turn_comes_before_the_error() -> None:
    aborted, ready = threading.Event(), threading.Event()
    failed = Transient("another")
    add_kept(failed, [KeptPart("b.csv", 3)])

    def waits() -> None:
        assert aborted.wait(10)
        raise Transient("cut off")

    def succeeds() -> str:
        ready.set()
        return "early"

    def fails() -> None:
        assert ready.wait(10)
        raise DeadlinePassed("first")

    tasks: list[Callable[[], object]] = [waits, lambda: failed, succeeds, fails]
    results = concurrency.run(tasks, 4, aborted.set)
    assert next(results) == "early"
    with pytest.raises(DeadlinePassed) as caught:
        next(results)
    assert caught.value.kept == [KeptPart("b.csv", 3)]


def test_a_signal_while_a_thread_starts_aborts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was raised before the thread was known: an upload stayed in its store."""
    aborted, cleaned_up = threading.Event(), threading.Event()

    def interrupted(target: Callable[[], object]) -> threading.Thread:
        thread = start_thread(target)
        signal.raise_signal(signal.SIGINT)
        return thread

    def task() -> None:
        if aborted.wait(10):
            cleaned_up.set()

    monkeypatch.setattr(concurrency, "start_thread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(concurrency.run([task], 1, aborted.set, interruptible=False))
    assert cleaned_up.is_set()


def test_no_task_is_started_after_an_error() -> None:
    aborted = threading.Event()
    started: list[int] = []

    def fails() -> None:
        raise KeyError

    def waits(number: int) -> None:
        started.append(number)
        assert aborted.wait(10)

    tasks: list[Callable[[], None]] = [fails, *(partial(waits, number) for number in range(50))]
    with pytest.raises(KeyError):
        list(concurrency.run(tasks, 2, aborted.set))
    assert len(started) <= 1


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_fewer_tasks_run_at_once_if_the_system_allows_fewer_threads(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread: threading.Thread) -> None:
        if len(started) >= allowed:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    tasks = [partial(int, str(number)) for number in range(20)]
    assert list(concurrency.run(tasks, 8, never)) == list(range(20))
    assert len(started) == allowed


def test_tasks_are_added_while_others_run() -> None:
    """The first task ends only when the last of those that are added has."""
    last = threading.Event()

    def first() -> int:
        assert last.wait(20)
        return 0

    def final() -> int:
        last.set()
        return 3

    parts: list[list[Callable[[], int]]] = [[], [lambda: 1, lambda: 2], [], [final]]
    more = iter(parts)
    assert list(concurrency.run([first], 2, never, lambda: next(more, []))) == [0, 1, 2, 3]


def test_added_tasks_run_although_every_thread_has_ended() -> None:
    parts: Iterator[list[Callable[[], int]]] = iter([[lambda: 2, lambda: 3]])

    def more() -> list[Callable[[], int]]:
        while threading.active_count() > before:
            time.sleep(0.001)
        return next(parts, [])

    before = threading.active_count()
    assert list(concurrency.run([lambda: 0, lambda: 1], 2, never, more)) == [0, 1, 2, 3]


def test_added_tasks_run_here_if_the_system_allows_no_more_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = iter([[threading.get_ident]])

    def more() -> list[Callable[[], int]]:
        while threading.active_count() > before:
            time.sleep(0.001)
        monkeypatch.setattr(concurrency, "start_threads", lambda *_: [])
        return next(parts, [])

    before = threading.active_count()
    there, here = concurrency.run([threading.get_ident], 2, never, more)
    assert (there == threading.get_ident(), here == threading.get_ident()) == (False, True)
