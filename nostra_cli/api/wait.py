"""When to poll again, and the wait on many invocations."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from nostra_cli import concurrency as parallel
from nostra_cli.errors import DeadlinePassed, NostraError, capture_error
from nostra_cli.http.retry import NORMAL, PATIENT, Policy
from nostra_cli.http.timeouts import Deadline
from nostra_cli.models import Invocation

SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
SPREAD = 0.01
"""Seconds between the polls of two ids: many of them are no burst."""
_ROUND = 16
_SLEEP_SLICE = 30.0
_SHOWN_IDS = 3


class Watcher(Protocol):
    """Is told how a wait goes on; `output` fulfils it."""

    def seen(self, invocation: Invocation) -> None:
        """An answer came; it may say the same as the one before."""

    def pending(self, count: int, seconds: float) -> None:
        """So many invocations are still in progress after so many seconds."""


def pause_after(waited: float) -> float:
    """Tell how long to pause after `waited` seconds (both in seconds).

    A tenth of the time waited, so that the end is noticed within 10 % of the wait, at least
    every 30 s and never more often than once a second.
    """
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, waited / 10))


@dataclass(frozen=True, slots=True)
class Transition:
    """A status and when it was first seen: in seconds since the epoch, and of the wait."""

    status: str
    at: float
    waited: float


@dataclass(frozen=True, slots=True)
class Waited:
    """A final invocation and the statuses it went through, as they were seen; one at least."""

    invocation: Invocation
    transitions: tuple[Transition, ...]


@dataclass(slots=True)
class Waiting:
    """How to wait: `poll` asks for one id, `interval` (seconds) replaces the growing pause.

    `jobs` polls run at once where many are due; `give_up` ends those under way. `clock` measures,
    `wall` tells the time of day (both in seconds).
    """

    poll: Callable[[str, Policy], Invocation]
    deadline: Deadline
    watcher: Watcher
    interval: float | None = None
    jobs: int = 1
    give_up: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time
    _start: float = field(init=False, default=0.0)
    _history: dict[str, list[Transition]] = field(init=False, default_factory=dict)

    def run(self, ids: Sequence[str]) -> Iterator[Invocation | NostraError]:
        """Give each invocation as it becomes final, or the error that ended the wait for it.

        Raises AuthProblem at once, and DeadlinePassed with the ids that were left.
        """
        self._start = self.clock()
        first = range(len(ids))
        due = [(self._start + place // _ROUND * _ROUND * SPREAD, place) for place in first]
        left = dict.fromkeys(ids)
        while due:
            try:
                self._sleep_until(due[0][0], len(due))
                for place, found in self._round(ids, due):
                    if isinstance(found, Invocation) and not found.final:
                        heapq.heappush(due, (self._next(len(left)), place))
                    else:
                        del left[ids[place]]
                        yield found
            except DeadlinePassed as passed:
                raise self._passed(list(left), passed) from passed

    def waited(self, final: Invocation) -> Waited:
        """Tell how the wait for an invocation went that `run` gave."""
        return Waited(final, tuple(self._history[final.id]))

    def _round(
        self, ids: Sequence[str], due: list[tuple[float, int]]
    ) -> Iterator[tuple[int, Invocation | NostraError]]:
        """Poll what is due, some at once; takes it off `due`."""
        now = self.clock()
        places: list[int] = []
        while due and len(places) < _ROUND and due[0][0] <= now:
            places.append(heapq.heappop(due)[1])
        tasks = [partial(self._poll, ids[place]) for place in places]
        return zip(places, parallel.run(tasks, self.jobs, self.give_up), strict=True)

    def _poll(self, id_: str) -> Invocation | NostraError:
        policy = PATIENT if id_ in self._history else NORMAL
        found = capture_error(id_, lambda: self.poll(id_, policy))
        if isinstance(found, Invocation):
            self._note(found)
            self.watcher.seen(found)
        return found

    def _note(self, found: Invocation) -> None:
        seen = self._history.setdefault(found.id, [])
        if not seen or seen[-1].status != found.status:
            seen.append(Transition(found.status, self.wall(), self.clock() - self._start))

    def _next(self, count: int) -> float:
        now = self.clock()
        spread = min(LONGEST_PAUSE, count * SPREAD)
        pause = max(self.interval or pause_after(now - self._start), spread)
        left = self.deadline.remaining()
        if left is not None:
            # One more look shortly before the deadline, not one that comes too late.
            pause = min(pause, max(SHORTEST_PAUSE, left - SHORTEST_PAUSE))
        return now + pause

    def _sleep_until(self, when: float, count: int) -> None:
        while (pause := when - self.clock()) > 0:
            left = self.deadline.remaining()
            if left is not None and left <= pause:
                self.sleep(left)
                raise self.deadline.passed("the wait was over")
            self.sleep(min(pause, _SLEEP_SLICE))
            self.watcher.pending(count, self.clock() - self._start)

    def _passed(self, left: Sequence[str], passed: DeadlinePassed) -> DeadlinePassed:
        named = ", ".join(left[:_SHOWN_IDS])
        more = f" and {len(left) - _SHOWN_IDS} more" if len(left) > _SHOWN_IDS else ""
        return DeadlinePassed(
            f"the deadline of {self.deadline.seconds:g} s passed, still in progress: {named}{more}",
            passed.hint,
        )
