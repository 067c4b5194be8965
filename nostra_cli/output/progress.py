"""Progress: redrawn at the end of a terminal, elsewhere a line now and then.

Threads report to the values in here; the thread of `live` reads and draws them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from nostra_cli.models import Invocation, Outcome, outcome_of
from nostra_cli.units import show_duration, show_size

if TYPE_CHECKING:
    from nostra_cli.output.live import Live

HEARTBEAT_SECONDS = 60.0
_STATUSES_SHOWN = 3

Report = Callable[[str], None]
Clock = Callable[[], float]
T = TypeVar("T")


class TransferState(NamedTuple):
    """The progress of one transfer in bytes; `total` is None if unknown."""

    key: int
    label: str
    done: int
    total: int | None


class ProgressState(NamedTuple):
    """A state to draw: an activity with its seconds, transfers, files finished and expected."""

    activity: tuple[str, float] | None = None
    transfers: tuple[TransferState, ...] = ()
    finished: int = 0
    finished_bytes: int = 0
    expected: int = 0


class Progress:
    """The progress of a command: waits, transfers, and whatever may take a moment."""

    def __init__(self, report: Report, live: Live | None, clock: Clock = time.monotonic) -> None:
        """Draw on `live`, or without it `report` a line now and then."""
        self._report = report
        self._live = live
        self._clock = clock
        self._lock = threading.Lock()
        self._busy: list[tuple[str, float]] = []
        self._waits: list[Wait] = []
        self._meters: list[TransferMeter] = []
        self._finished = 0
        self._finished_bytes = 0
        self._expected = 0

    @contextmanager
    def busy(self, doing: str) -> Iterator[None]:
        """Show a spinner while the block lasts, unless there is a wait or a transfer to show."""
        entry = (doing, self._clock())
        with self._shown(), self._listed(self._busy, entry):
            yield

    @contextmanager
    def waiting(self, count: int) -> Iterator[Wait]:
        """Show the wait for `count` invocations while the block lasts."""
        wait = Wait(count, self._report if self._live is None else None, self._clock)
        with self._shown(), self._listed(self._waits, wait):
            yield wait

    @contextmanager
    def transfers(
        self, count: int | None = None
    ) -> Iterator[Callable[[str], AbstractContextManager[TransferMeter]]]:
        """Show transfers while the block lasts; yields a function that opens the meter of one.

        `count` is the number of transfers to expect, if known.
        """
        with self._lock:
            self._expected += count or 0
        with self._shown():
            yield self._metering

    @contextmanager
    def _metering(self, label: str) -> Iterator[TransferMeter]:
        meter = TransferMeter(label, self._report, self._clock, heartbeat=self._live is None)
        try:
            with self._listed(self._meters, meter):
                yield meter
        finally:
            with self._lock:
                self._finished += 1
                self._finished_bytes += meter.done

    @contextmanager
    def _listed(self, entries: list[T], entry: T) -> Iterator[None]:
        with self._lock:
            entries.append(entry)
        try:
            yield
        finally:
            with self._lock:
                entries.remove(entry)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        if self._live is None:
            yield
            return
        with self._live.shown(self.state):
            yield

    def state(self) -> ProgressState:
        """Return the state to draw now."""
        with self._lock:
            transfers = tuple(m.state() for m in self._meters if m.started)
            activity: tuple[str, float] | None = None
            if self._waits and not (transfers and self._waits[-1].ended):
                activity = (self._waits[-1].summary(), self._waits[-1].began)
            elif self._busy and not transfers:
                activity = self._busy[-1]
            if activity is not None:
                activity = (activity[0], self._clock() - activity[1])
            count = max(self._expected, self._finished + len(self._meters))
            return ProgressState(activity, transfers, self._finished, self._finished_bytes, count)


class Wait:
    """Watches a wait: the status of each invocation, and how many are final; thread-safe."""

    def __init__(self, count: int, report: Report | None, clock: Clock) -> None:
        """Watch `count` invocations; `report` gets a line for each change and each minute."""
        self.began = clock()
        self._count = count
        self._report = report
        self._lock = threading.Lock()
        self._status: dict[str, str] = {}
        self._final = 0
        self._heartbeat = HEARTBEAT_SECONDS

    def seen(self, invocation: Invocation) -> None:
        """Record the status of an invocation, which may not have changed."""
        with self._lock:
            changed = self._status.get(invocation.id) != invocation.status
            self._status[invocation.id] = invocation.status
        if changed and self._report is not None:
            self._report(f"{invocation.id}: {invocation.status}")

    def pending(self, count: int, seconds: float) -> None:
        """Record that `count` invocations are still in progress after `seconds`."""
        with self._lock:
            self._final = max(self._final, self._count - count)
            due = self._report is not None and count > 0 and seconds >= self._heartbeat
            if due:
                self._heartbeat = seconds - seconds % HEARTBEAT_SECONDS + HEARTBEAT_SECONDS
        if due and self._report is not None:
            pending = "1 invocation is" if count == 1 else f"{count} invocations are"
            self._report(f"{pending} still in progress after {show_duration(seconds)}")

    @property
    def ended(self) -> bool:
        """Whether all invocations are final."""
        return self._counts()[1] == self._count

    def _counts(self) -> tuple[list[tuple[str, str]], int]:
        """Return the ids in progress with their statuses, and the number of final ones."""
        with self._lock:
            statuses = list(self._status.items())
            final = self._final
        pending = [item for item in statuses if outcome_of(item[1]) is Outcome.IN_PROGRESS]
        return pending, max(final, len(statuses) - len(pending))

    def summary(self) -> str:
        """Return the wait in one line."""
        pending, final = self._counts()
        if self._count == 1:
            return ": ".join(pending[0]) if pending else "waiting for 1 invocation"
        known = f"{final} of {self._count} final"
        if final == self._count:
            return known
        if not pending:
            left = self._count - final
            return f"waiting for {left} invocation{'s' * (left > 1)}, {known}"
        if len(pending) == 1:
            return f"{pending[0][0]}: {pending[0][1]}, {known}"
        counted = Counter(status for _, status in pending).most_common()
        parts = [f"{number} {status}" for status, number in counted[:_STATUSES_SHOWN]]
        if rest := sum(number for _, number in counted[_STATUSES_SHOWN:]):
            parts.append(f"{rest} other")
        return f"{', '.join(parts)}; {known}"


class TransferMeter:
    """Counts the bytes of one transfer; one thread reports to it."""

    def __init__(self, label: str, report: Report, clock: Clock, heartbeat: bool) -> None:
        """Begin at 0; with `heartbeat`, report a line each minute."""
        self._label = label
        self._report = report
        self._clock = clock
        self._heartbeat = heartbeat
        self._next = 0.0
        self._total: int | None = None
        self.done = 0
        self.started = False

    def start(self, done: int, total: int | None) -> None:
        """Begin a body of which `done` bytes are there already."""
        self.done, self._total, self.started = done, total, True
        self._next = self._clock() + HEARTBEAT_SECONDS
        if done:
            self._report(f"{self._label}: resuming at {show_size(done)}")

    def advance(self, count: int) -> None:
        """Add `count` bytes."""
        self.done += count
        if self._heartbeat and self._clock() >= self._next:
            self._next = self._clock() + HEARTBEAT_SECONDS
            total = f" of {show_size(self._total)}" if self._total is not None else ""
            self._report(f"{self._label}: {show_size(self.done)}{total}")

    def state(self) -> TransferState:
        """Return the progress now."""
        return TransferState(id(self), self._label, self.done, self._total)
