"""Many tasks on a few threads, their answers in the order of the tasks."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE = 0.8
"""Seconds for the threads to put down what they hold, once the work is given up."""


def run(tasks: Sequence[Callable[[], T]], jobs: int, give_up: Callable[[], None]) -> Iterator[T]:
    """Give the answer of each task, in order, while `jobs` of them run at once.

    What a task raises is raised when it happens. Then, or when the caller leaves or is interrupted,
    `give_up` is called: it has to make the running tasks end soon. The notes of the errors that
    they end with are added to the exception.
    """
    if min(jobs, len(tasks)) <= 1:
        for task in tasks:
            yield task()
        return
    pool = _Pool(tasks)
    threads = [
        threading.Thread(target=pool.work, daemon=True) for _ in range(min(jobs, len(tasks)))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from pool.answers()
    except BaseException as error:
        pool.stop()
        give_up()
        _join(threads)
        for note in pool.notes(error):
            error.add_note(note)
        raise


class _Pool(Generic[T]):
    """The tasks, and what became of them."""

    def __init__(self, tasks: Sequence[Callable[[], T]]) -> None:
        self._tasks = tasks
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(tasks)):
            self._todo.put(number)
        self._done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = (
            queue.SimpleQueue()
        )
        self._stopped = False

    def work(self) -> None:
        """Take task after task until there is none left."""
        while not self._stopped:
            try:
                number = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                answer = self._tasks[number]()
            except BaseException as error:  # noqa: BLE001 - it is raised by the main thread
                self._done.put((number, None, error))
            else:
                self._done.put((number, answer, None))

    def stop(self) -> None:
        """Begin no other task."""
        self._stopped = True

    def answers(self) -> Iterator[T]:
        """Give the answers in order, and raise what is raised."""
        early: dict[int, T] = {}
        for wanted in range(len(self._tasks)):
            while wanted not in early:
                number, answer, error = self._done.get()
                if error is not None:
                    raise error
                early[number] = answer  # type: ignore[assignment] # None only where T allows it
            yield early.pop(wanted)

    def notes(self, raised: BaseException) -> Iterator[str]:
        """Give the notes of what the other tasks raised, or gave as their answer."""
        while not self._done.empty():
            _, answer, error = self._done.get()
            for ended in (answer, error):
                if isinstance(ended, BaseException) and ended is not raised:
                    yield from getattr(ended, "__notes__", ())


def _join(threads: Sequence[threading.Thread]) -> None:
    end = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
