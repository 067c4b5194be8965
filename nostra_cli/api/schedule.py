"""Schedule the polls of many invocations, each on its own; without threads or network."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from nostra_cli.errors import DeadlinePassed, NostraError, Transient
from nostra_cli.http.retry import NORMAL, PATIENT, Retrier
from nostra_cli.models import Invocation

MIN_PAUSE = 1.0
MAX_PAUSE = 30.0
SPACING = 0.01
"""Seconds between the starts of two polls: at most a hundred requests a second."""
STALL_SECONDS = 1.0
"""If no poll starts or ends for this long, one more than `jobs` may start; then two, four, ..."""
MAX_POLLS = 64
ORDER_SECONDS = 0.2
"""An id final at its first poll waits this long for the first polls of the ids before it."""
_FIRST = NORMAL._replace(budgeted=False)
_SHOWN_IDS = 3


@dataclass(frozen=True, slots=True)
class Transition:
    """A status and when it was first seen, in seconds since the epoch and since the start."""

    status: str
    at: float
    waited: float


@dataclass(frozen=True, slots=True)
class Waited:
    """An invocation and the statuses that were seen."""

    invocation: Invocation
    transitions: tuple[Transition, ...]


@dataclass(slots=True)
class _State:
    """The state of an id that is not final; `failed` counts polls since the last response."""

    transitions: list[Transition] = field(default_factory=list)
    failed: int = 0

    @property
    def status(self) -> str:
        """The last status, "" before the first response."""
        return self.transitions[-1].status if self.transitions else ""

    def of(self, id_: str) -> Waited:
        """Return this state for an id."""
        return Waited(Invocation(id_, self.status, (), {}), tuple(self.transitions))


def pause_after(waited: float) -> float:
    """Return the seconds to the next poll of an id: a tenth of `waited`, at least 1, at most 30."""
    return min(MAX_PAUSE, max(MIN_PAUSE, waited / 10))


class Schedule:
    """The polls of many ids: up to `jobs` at once, and more while some of them hang.

    For each poll: `take` an id, call `next_step` with the response, then `put_back` or `finish` the
    id. `ended` returns the finished ids.
    """

    def __init__(
        self,
        ids: Sequence[str],
        retrier: Retrier,
        interval: float | None = None,
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Make every id due now, in the order of `ids`.

        `interval` (seconds) replaces the growing pause; `retrier` has the deadline and the pauses
        after failures. `wall` returns seconds since the epoch.
        """
        self._retrier = retrier
        self._interval = interval
        self._jobs = jobs
        self._clock = clock
        self._wall = wall
        self._start = clock()
        self._states = {id_: _State() for id_ in ids}
        self._not_polled = {id_: number for number, id_ in enumerate(self._states)}
        self._due = [(self._start, number, id_) for id_, number in self._not_polled.items()]
        self._ended: list[tuple[int, float, Waited | NostraError]] = []
        self._running: dict[str, float] = {}
        self._extra_polls = 0
        self._next_start = self._start
        self._last_change = self._start
        self._numbers = itertools.count(len(self._due))

    @property
    def left(self) -> int:
        """The number of ids that are not finished."""
        return len(self._states)

    @property
    def held(self) -> bool:
        """Whether some ids are finished that `ended` has not returned."""
        return bool(self._ended)

    @property
    def running(self) -> int:
        """The number of ids being polled."""
        return len(self._running)

    @property
    def waited(self) -> float:
        """The seconds since the start."""
        return self._clock() - self._start

    def delay(self) -> float | None:
        """Return the seconds until `take` returns an id; None if a poll has to end first."""
        if not self._due or self._retrier.deadline.remaining() == 0.0:
            return None
        when = max(self._due[0][0], self._next_start)
        if len(self._running) >= self._jobs + self._extra_polls:
            if len(self._running) >= max(MAX_POLLS, self._jobs):
                return None
            when = max(when, self._last_change + STALL_SECONDS)
        return max(0.0, when - self._clock())

    def take(self) -> str | None:
        """Return the id to poll now, if any is due."""
        if self.delay() != 0.0:
            return None
        if len(self._running) >= self._jobs + self._extra_polls:
            self._extra_polls = min(max(1, 2 * self._extra_polls), MAX_POLLS - self._jobs)
        id_ = heapq.heappop(self._due)[2]
        now = self._clock()
        self._running[id_] = self._last_change = now
        self._next_start = now + SPACING
        return id_

    def next_step(self, id_: str, found: Invocation | NostraError) -> Waited | NostraError | float:
        """Return how the wait for an id ended, or the seconds until its next poll.

        `found` is the result of its poll. Changes the state of this id only, so that threads may
        call it for other ids at the same time.
        """
        state = self._states[id_]
        if isinstance(found, Invocation):
            state.failed = 0
            if not state.transitions or state.status != found.status:
                state.transitions.append(Transition(found.status, self._wall(), self.waited))
            return Waited(found, tuple(state.transitions)) if found.final else self._pause()
        if isinstance(found, DeadlinePassed):
            return MIN_PAUSE  # `check_deadline` reports it
        pause = self._retry_pause(state, found) if isinstance(found, Transient) else None
        return found.about(id_) if pause is None else pause

    def put_back(self, id_: str, pause: float) -> None:
        """End the poll of an id; the next one is due in `pause` seconds."""
        self._end_poll(id_)
        heapq.heappush(self._due, (self._clock() + pause, next(self._numbers), id_))

    def finish(self, id_: str, end: Waited | NostraError) -> None:
        """End the poll of an id and the wait for it."""
        number = self._end_poll(id_)
        del self._states[id_]
        heapq.heappush(self._ended, (number, self._clock(), end))

    def ended(self) -> Waited | NostraError | None:
        """Return one finished id, once; None if none is ready.

        Ids that are final at their first poll keep their order, although polls run in parallel.
        """
        if not self._ended:
            return None
        number, when, _ = self._ended[0]
        before = next(iter(self._not_polled.values()), number)
        recent = self._clock() - when < ORDER_SECONDS
        if before < number and recent and self._retrier.deadline.remaining() != 0.0:
            return None
        return heapq.heappop(self._ended)[2]

    def unfinished(self) -> list[Waited]:
        """Return the ids that `ended` has not returned, with their last status ("" if unknown)."""
        ended = [end for _, _, end in sorted(self._ended, key=itemgetter(0))]
        finished = [e if isinstance(e, Waited) else _State().of(e.invocation or "") for e in ended]
        return finished + [state.of(id_) for id_, state in self._states.items()]

    def check_deadline(self) -> None:
        """Raise DeadlinePassed, naming the ids left, if no poll can start before the deadline."""
        deadline = self._retrier.deadline
        left = deadline.remaining()
        if left is None:
            return
        next_poll = self._due[0][0] - self._clock() if self._due and not self._running else 0.0
        if left > 0 and next_poll <= left + SPACING:
            return
        ids = list(self._states)
        more = f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""
        raise DeadlinePassed(
            f"the deadline of {deadline.seconds:g} s passed, "
            f"still in progress: {', '.join(ids[:_SHOWN_IDS])}{more}",
            "allow more time with --timeout",
        )

    def _end_poll(self, id_: str) -> int:
        """Return the sort key of an ended poll: first polls in the order of ids, then by time."""
        now = self._clock()
        if now - self._running.pop(id_) >= STALL_SECONDS:
            self._extra_polls = max(0, self._extra_polls - 1)
        self._last_change = now
        number = self._not_polled.pop(id_, None)
        return next(self._numbers) if number is None else number

    def _pause(self) -> float:
        pause = self._interval or pause_after(self.waited)
        left = self._retrier.deadline.remaining()
        if left is not None:
            # Poll once more shortly before the deadline, not after it.
            pause = min(pause, max(MIN_PAUSE, left - MIN_PAUSE), left)
        return pause

    def _retry_pause(self, state: _State, failure: Transient) -> float | None:
        """Return the seconds until the next poll after a failure; None if it was the last."""
        state.failed += 1
        policy = PATIENT if state.transitions else _FIRST
        pause = self._retrier.next_pause(failure, state.failed, policy)
        if pause is None:
            return None
        pause = max(pause, min(MIN_PAUSE, self._interval or MIN_PAUSE))
        left = self._retrier.deadline.remaining()
        if left is None or pause < left:
            self._retrier.notify(failure, pause, state.failed + 1, policy.attempts)
        return pause
