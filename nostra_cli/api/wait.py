"""Wait for many invocations, polled on background threads."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from nostra_cli.api.client import Service
from nostra_cli.api.schedule import ORDER_SECONDS, Schedule, Waited
from nostra_cli.concurrency import join_threads, start_threads
from nostra_cli.errors import AuthProblem, NostraError
from nostra_cli.http.retry import ONCE
from nostra_cli.models import Invocation

_TICK = 1.0
"""Seconds between two calls of `Watcher.pending`."""


class Watcher(Protocol):
    """Receives the progress of a wait, from several threads; `output` implements it."""

    def seen(self, invocation: Invocation) -> None:
        """Receive a status; it may be the same as before."""

    def pending(self, count: int, seconds: float) -> None:
        """Receive the number of invocations in progress after `seconds`."""


@dataclass(slots=True)
class Waiting:
    """The wait for many invocations.

    `interval` (seconds) replaces the growing pause; up to `jobs` polls run at once.
    """

    ids: Sequence[str]
    service: Service
    watcher: Watcher
    interval: float | None = None
    jobs: int = 1
    _schedule: Schedule = field(init=False)
    _changed: threading.Condition = field(init=False, default_factory=threading.Condition)
    _error: BaseException | None = field(init=False, default=None)
    _threads: list[threading.Thread] = field(init=False, default_factory=list)
    _over: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._schedule = Schedule(self.ids, self.service.retrier, self.interval, self.jobs)

    def run(self) -> Generator[Waited | NostraError]:
        """Yield each invocation when it is final, or the error that ended the wait for it.

        Polling continues while the caller handles one. Raises AuthProblem, and DeadlinePassed
        naming the ids left.
        """
        dispatcher = start_threads(self._dispatch, 1)
        try:
            while (item := self._next(alone=not dispatcher)) is not None:
                yield item
        finally:
            self._stop(dispatcher)

    def take_ended(self) -> list[Waited | NostraError]:
        """Return what else has ended; `run` will not yield it again."""
        with self._changed:
            return list(iter(self._schedule.ended, None))

    def unfinished(self) -> list[Waited]:
        """Return the ids that `run` has not yielded, with their last status ("" if unknown)."""
        with self._changed:
            return self._schedule.unfinished()

    def _next(self, alone: bool) -> Waited | NostraError | None:
        """Return the next finished id, None if none is left; if `alone`, poll in this thread."""
        schedule = self._schedule
        while True:
            with self._changed:
                if self._error is not None:
                    raise self._error
                if (item := schedule.ended()) is not None:
                    return item
                if not schedule.left:
                    return None
                if not schedule.held:
                    schedule.check_deadline()
                remaining = self.service.retrier.deadline.remaining()
                seconds = ORDER_SECONDS if schedule.held else _TICK
                seconds = seconds if remaining is None else min(seconds, remaining)
                if not alone:
                    self._changed.wait(seconds)
            if alone:
                self._dispatch_one(seconds)
            if left := schedule.left:
                self.watcher.pending(left, schedule.waited)

    def _stop(self, dispatcher: Sequence[threading.Thread]) -> None:
        with self._changed:
            self._over = True
            running = self._schedule.running
            self._changed.notify_all()
        if running:
            self.service.give_up()
        join_threads([*dispatcher, *self._threads])

    def _dispatch(self) -> None:
        try:
            while not self._over:
                self._dispatch_one(None)
        except BaseException as error:  # noqa: BLE001 - it is raised by `run`
            self._fail(error)

    def _dispatch_one(self, seconds: float | None) -> None:
        """Start the poll of an id that is due, or wait until one is (at most `seconds`)."""
        with self._changed:
            id_ = self._schedule.take()
            if id_ is None:
                times = [t for t in (seconds, self._schedule.delay()) if t is not None]
                if not self._over:
                    self._changed.wait(min(times, default=None))
                return
        task = partial(self._poll, id_)
        started = start_threads(task, 1)
        self._threads = [*(t for t in self._threads if t.is_alive()), *started]
        if not started:
            task()

    def _poll(self, id_: str) -> None:
        try:
            step = self._schedule.next_step(id_, self._found(id_))
        except BaseException as error:  # noqa: BLE001 - it is raised by `run`
            self._fail(error)
            return
        with self._changed:
            if self._over:  # it was aborted: that is not the end of this id
                return
            if isinstance(step, Waited | NostraError):
                self._schedule.finish(id_, step)
            else:
                self._schedule.put_back(id_, step)
            left, waited = self._schedule.left, self._schedule.waited
            self._changed.notify_all()
        self.watcher.pending(left, waited)

    def _found(self, id_: str) -> Invocation | NostraError:
        try:
            found = self.service.invocation(id_, ONCE)
        except AuthProblem:
            raise
        except NostraError as error:
            return error
        if not self._over:
            self.watcher.seen(found)
        return found

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()
