"""The invocations of the sandbox, and how the status of each changes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nostra_cli.sandbox.content import FORMATS, Content, Rows
from nostra_cli.sandbox.samples import sample

Clock = Callable[[], float]

COLLECTION = "4b1c7f0a9d2e4c55a1f3e8d0"
CREATED_AT = "2026-01-05T09:30:00Z"
# The invocation types of the vendor's pages, and the tables of each: the primary one first.
TABLES_OF_TYPE = {
    "churn-prediction": ("churn", "customers", "drivers"),
    "deduplication": ("deduplication",),
    "demand-prediction": ("demand",),
    "boosting": ("customers", "drivers", "deduplication"),
    "insights": ("demand", "drivers", "customers"),
    "lead-time-prediction": ("demand",),
    "safety-stock": ("demand",),
    "adv-safety-stock": ("demand",),
    "reorder-point": ("demand",),
    "adv-reorder-point": ("demand",),
}


@dataclass(frozen=True)
class Life:
    """The statuses of an invocation in their order; the last one stays.

    With `seconds`, each status begins that long after the first poll; without, each poll sees the
    next one.
    """

    statuses: tuple[str, ...]
    seconds: tuple[float, ...] | None = None

    def status(self, polls: int, elapsed: float) -> str:
        """Return the status at poll `polls` (0: none yet), `elapsed` seconds after the first."""
        if self.seconds is None:
            return self.statuses[min(max(polls, 1), len(self.statuses)) - 1]
        begun = sum(1 for second in self.seconds if second <= elapsed)
        return self.statuses[max(begun, 1) - 1]


DONE = Life(("completed",))
SOON = Life(("queued", "running", "completed"), (0.0, 1.0, 3.0))


@dataclass(frozen=True)
class Result:
    """One result; without contents if it ended in error."""

    id: str
    contents: Mapping[str, Content]
    primary: bool = False
    status: str = "completed"

    def document(self) -> dict[str, object]:
        """Return the result as the status of its invocation describes it."""
        available = {f"{kind}Available": kind in self.contents for kind in FORMATS}
        return {"primaryResult": self.primary, "status": self.status, **available}


@dataclass(frozen=True)
class Invocation:
    """A job as it was submitted, and its results to come."""

    id: str
    type: str
    life: Life
    results: tuple[Result, ...] = ()
    args: Mapping[str, object] = field(default_factory=dict)
    collection: str = COLLECTION

    def result(self, result_id: str | None) -> Result | None:
        """Return the result of this id (None: the primary one), or None."""
        for result in self.results:
            if result.primary if result_id is None else result.id == result_id:
                return result
        return None

    def document(self, status: str) -> dict[str, object]:
        """Return the body of `GET /api/invocation/{id}`; with results once it is completed."""
        results = {result.id: result.document() for result in self.results}
        return {
            "id": self.id,
            "collectionId": self.collection,
            "invocationType": self.type,
            "args": dict(self.args),
            "createdAt": CREATED_AT,
            "status": status,
            "invocationResults": results if status == "completed" else None,
        }


def made_id(text: str) -> str:
    """Return an id that looks like the service's, the same for the same text."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def tabled(invocation: str, table: str, *, primary: bool, kinds: tuple[str, ...]) -> Result:
    """Make a result from one of the sample tables."""
    contents = {kind: sample(table, kind) for kind in kinds}
    return Result(made_id(f"{invocation}/{table}"), contents, primary=primary)


def typed(invocation: str, kind: str) -> tuple[Result, ...]:
    """Make the results of an invocation type, by id (the primary one may come anywhere)."""
    primary = TABLES_OF_TYPE[kind][0]
    results = [
        tabled(invocation, table, primary=table == primary, kinds=FORMATS)
        for table in TABLES_OF_TYPE[kind]
    ]
    return tuple(sorted(results, key=lambda result: result.id))


def _partial(name: str) -> Invocation:
    results = (
        Result(made_id(f"{name}/customers"), {}, status="error"),
        tabled(name, "demand", primary=True, kinds=FORMATS),
        tabled(name, "drivers", primary=False, kinds=("json", "csv")),
    )
    return Invocation(name, "insights", DONE, results)


def _large(name: str, size: int) -> Invocation:
    contents = {kind: Rows(kind, size) for kind in ("json", "csv")}
    result = Result(made_id(name), contents, primary=True)
    return Invocation(name, "churn-prediction", DONE, (result,))


def demos(large_bytes: int) -> tuple[Invocation, ...]:
    """Make the invocations of every sandbox; `large_bytes` is the size of each large body."""
    churn, dedup, demand = "churn-prediction", "deduplication", "demand-prediction"
    return (
        Invocation("demo", churn, SOON, typed("demo", churn)),
        Invocation("demo-dedup", dedup, DONE, typed("demo-dedup", dedup)),
        Invocation("demo-demand", demand, DONE, typed("demo-demand", demand)),
        _partial("demo-partial"),
        Invocation("demo-failed", churn, Life(("failed",))),
        Invocation("demo-stuck", churn, Life(("running",))),
        _large("demo-large", large_bytes),
    )


class State:
    """The invocations of one sandbox and how far each has come; safe to share between threads."""

    def __init__(self, invocations: tuple[Invocation, ...], clock: Clock) -> None:
        """Take the invocations, and a monotonic clock in seconds."""
        self._invocations = {invocation.id: invocation for invocation in invocations}
        self.ids = tuple(self._invocations)
        self._polls: dict[str, tuple[int, float]] = {}  # how many, and when the first one was
        self._clock = clock
        self._lock = threading.Lock()

    def find(self, invocation_id: str) -> Invocation | None:
        """Return the invocation of this id, or None."""
        return self._invocations.get(invocation_id)

    def poll(self, invocation: Invocation) -> str:
        """Count a poll and return the status; the first poll starts the life of an invocation."""
        with self._lock:
            polls, first = self._polls.get(invocation.id, (0, self._clock()))
            self._polls[invocation.id] = (polls + 1, first)
        return invocation.life.status(polls + 1, self._clock() - first)

    def status(self, invocation: Invocation) -> str:
        """Return the status without counting a poll."""
        now = self._clock()
        polls, first = self._polls.get(invocation.id, (0, now))
        return invocation.life.status(polls, now - first)

    def create(self, collection: str, kind: str, args: Mapping[str, object]) -> str:
        """Add an invocation that lives like `demo`, with the results of its type; return its id."""
        with self._lock:
            name = made_id(f"created {len(self._invocations)}")
            made = Invocation(name, kind, SOON, typed(name, kind), args, collection)
            self._invocations[name] = made
        return name
