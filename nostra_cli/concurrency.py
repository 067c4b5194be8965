"""Run tasks on threads, and return their results in order.

Not a ThreadPoolExecutor: Python waits for its threads at exit, and a thread that resolves a host
name cannot be interrupted, so Ctrl-C would not end the process within a second.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import itemgetter
from typing import TypeVar

from nostra_cli.errors import add_kept, kept_parts, thread_errors
from nostra_cli.signals import deferred_signals, start_thread

T = TypeVar("T")
_Done = queue.SimpleQueue[tuple[int, T | None, BaseException | None]]

_MORE_SECONDS = 0.5
"""The time between two calls of `more`."""
_JOIN_SECONDS = 0.8
"""The time for aborted threads to clean up."""


def run(
    tasks: Sequence[Callable[[], T]],
    jobs: int,
    abort: Callable[[], None],
    more: Callable[[], Sequence[Callable[[], T]]] | None = None,
    *,
    interruptible: bool = True,
) -> Iterator[T]:
    """Yield the result of each task, in order, while up to `jobs` of them run at once.

    While they run, `more` is called now and then for tasks to add; not with one job. A task
    that runs alone runs on the main thread, where a signal may raise an exception anywhere in it,
    if it is `interruptible`.

    Raises the first exception of a task at once, after the results that waited for their turn.
    Then, and if the caller stops early, `abort` must make the running tasks end; the partial files
    that they keep are recorded on the exception. If the system allows fewer threads, fewer tasks
    run at once.
    """
    todo = deque(enumerate(tasks))
    done: _Done[T] = queue.SimpleQueue()
    work = partial(_work, todo, done)
    count = min(jobs, len(tasks))
    more = more if jobs > 1 else None
    if count < 2 and not more and interruptible:
        for task in tasks:
            yield task()
        return
    threads: list[threading.Thread] = []
    early: dict[int, T] = {}

    def start(number: int) -> int:
        before = len(threads)
        with deferred_signals():  # an exception in here would lose threads that have started
            threads.extend(start_threads(work, number))
        return len(threads) - before

    def add(number: int) -> int:
        added = more() if more else ()
        todo.extend(enumerate(added, number))
        running = sum(thread.is_alive() for thread in threads)
        if not running + start(min(jobs - running, len(todo))):
            work()
        return len(added)

    try:
        if start(count):
            yield from _in_order(done, early, len(tasks), add if more else None)
        else:
            yield from (task() for task in tasks)
    except BaseException as error:
        todo.clear()
        abort()
        join_threads(threads)
        ended = sorted([*early.items(), *_ended(done)], key=itemgetter(0))
        others = [other for _, other in ended if other is not error]
        add_kept(error, (part for other in others for part in kept_parts(other)))
        if not isinstance(error, GeneratorExit):
            yield from (result for result in others if not isinstance(result, BaseException))
        raise


def start_threads(target: Callable[[], None], count: int) -> list[threading.Thread]:
    """Start up to `count` daemon threads, as many as the system allows."""
    threads: list[threading.Thread] = []
    for _ in range(count):
        try:
            threads.append(start_thread(target))
        except RuntimeError:  # can't start new thread
            break
    return threads


def join_threads(threads: Sequence[threading.Thread]) -> None:
    """Wait for aborted threads to clean up, less than a second in total."""
    end = time.monotonic() + _JOIN_SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def _work(todo: deque[tuple[int, Callable[[], T]]], done: _Done[T]) -> None:
    """Run tasks until none is left, or one has raised an exception."""
    while todo:
        try:
            number, task = todo.popleft()
        except IndexError:  # another thread was faster
            return
        try:
            result = task()
        except BaseException as error:  # noqa: BLE001 - it is raised by the main thread
            todo.clear()  # here: the main thread may take a moment
            done.put((number, None, error))
        else:
            done.put((number, result, None))


def _in_order(
    done: _Done[T], early: dict[int, T], count: int, add: Callable[[int], int] | None
) -> Iterator[T]:
    """Yield the results in order; raise the first exception.

    Those that wait for their turn are in `early`. `add` adds tasks, the first with the number it
    is given, and returns how many.
    """
    wanted = 0
    while wanted < count:
        while wanted not in early:
            with suppress(queue.Empty):
                number, result, error = done.get(timeout=_MORE_SECONDS if add else None)
                if error is not None:
                    raise error
                early[number] = result  # type: ignore[assignment] # None only if T allows it
            count += add(count) if add else 0
        yield early.pop(wanted)
        wanted += 1


def _ended(done: _Done[T]) -> Iterator[tuple[int, T | BaseException]]:
    """Yield the number of each task that has ended meanwhile, and its result or exception."""
    while not done.empty():
        number, result, error = done.get()
        yield number, result if error is None else error  # type: ignore[misc] # as above


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """Call a function that may block for ever; raises TimeoutError after `seconds`.

    It runs in a daemon thread, which is left behind then. Raises FileProblem where no thread can
    be started, and what `function` raises.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def call() -> None:
        try:
            results.append(function())
        except Exception as error:  # noqa: BLE001 - raised in the calling thread
            errors.append(error)

    with thread_errors():
        thread = start_thread(call)
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
