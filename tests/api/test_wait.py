"""The threads of a wait: hanging polls, a busy caller, the deadline, the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from nostra_cli.api import client
from nostra_cli.api.schedule import Waited
from nostra_cli.api.wait import Waiting
from nostra_cli.errors import AuthProblem, DeadlinePassed, NotFound, Transient
from nostra_cli.http.retry import ONCE, Policy, Retrier
from nostra_cli.http.timeouts import Deadline
from nostra_cli.models import Invocation

Poll = Callable[[], str]
SECONDS = 10.0


@dataclass
class Service:
    """Polls by id; each returns a status or raises. `give_up` releases those that hang."""

    polls: dict[str, Poll]
    aborted: threading.Event = field(default_factory=threading.Event)
    polled: list[str] = field(default_factory=list)
    watched: list[tuple[str, str]] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)

    def invocation(self, id_: str, policy: Policy) -> Invocation:
        assert policy is ONCE
        self.polled.append(id_)
        return Invocation(id_, self.polls[id_](), (), {})

    def hang(self) -> str:
        assert self.aborted.wait(SECONDS), "the hanging poll was not aborted"
        raise Transient("shut down")

    def seen(self, invocation: Invocation) -> None:
        self.watched.append((invocation.id, invocation.status))

    def pending(self, count: int, _seconds: float) -> None:
        self.counted.append(count)

    def waiting(self, jobs: int = 8, seconds: float | None = None) -> Waiting:
        self.retrier = Retrier(Deadline(seconds))
        return Waiting(list(self.polls), cast("client.Service", self), self, 0.01, jobs)

    def give_up(self) -> None:
        self.aborted.set()


def completed() -> str:
    return "completed"


def running() -> str:
    return "running"


def fail(error: BaseException) -> Poll:
    def poll() -> str:
        raise error

    return poll


def ids(found: Iterator[object]) -> list[str]:
    return [one.invocation.id for one in found if isinstance(one, Waited)]


@pytest.mark.parametrize("jobs", [1, 8])
def test_a_final_id_is_reported_while_another_poll_hangs(jobs: int) -> None:
    service = Service({})
    service.polls = {"bad": service.hang, "good": completed}
    waited = service.waiting(jobs).run()
    first = next(waited)
    assert isinstance(first, Waited)
    assert (first.invocation.id, service.aborted.is_set()) == ("good", False)
    waited.close()
    assert service.aborted.is_set()


def test_polls_continue_while_the_caller_is_busy() -> None:
    polled = threading.Event()

    def late() -> str:
        if busy.is_set():
            polled.set()
        return "running"

    busy = threading.Event()
    service = Service({"done": completed, "late": late})
    waited = service.waiting().run()
    next(waited)
    busy.set()
    assert polled.wait(SECONDS)
    waited.close()


def test_the_end_of_an_id_is_kept_while_the_caller_is_busy() -> None:
    service = Service({"a": completed, "b": completed})
    waiting = service.waiting()
    waited = waiting.run()
    next(waited)
    while len(service.watched) < 2:
        threading.Event().wait(0.01)
    assert ids(iter(waiting.unfinished())) == ["b"]
    assert ids(waited) == ["b"]


def test_ids_that_ended_while_the_caller_was_busy_are_returned_at_once() -> None:
    service = Service({"a": completed, "b": completed, "c": completed, "d": completed})
    waiting = service.waiting()
    waited = waiting.run()
    next(waited)
    while len(service.watched) < 4:
        threading.Event().wait(0.01)
    taken: list[str] = []
    while len(taken) < 3:
        taken += ids(iter(waiting.take_ended()))
    assert taken == ["b", "c", "d"]
    assert list(waited) == []


def test_the_deadline_passes_while_a_poll_hangs() -> None:
    service = Service({})
    service.polls = {"a": completed, "b": service.hang}
    found = []
    with pytest.raises(DeadlinePassed, match="still in progress: b"):
        found += ids(service.waiting(seconds=0.3).run())
    assert service.aborted.is_set()


def test_no_thread_is_left_when_the_wait_is_abandoned() -> None:
    service = Service({})
    service.polls = {"done": completed, **{f"id{n}": service.hang for n in range(7)}}
    before = threading.active_count()
    waited = service.waiting().run()
    next(waited)
    waited.close()
    assert threading.active_count() == before


def test_nothing_is_aborted_when_all_are_final() -> None:
    """A download keeps what it has received."""
    service = Service({"a": completed, "b": completed})
    assert sorted(ids(service.waiting().run())) == ["a", "b"]
    assert not service.aborted.is_set()


def test_a_refused_token_ends_the_wait_at_once() -> None:
    service = Service({})
    service.polls = {"a": service.hang, "b": fail(AuthProblem("refused"))}
    with pytest.raises(AuthProblem):
        list(service.waiting().run())
    assert service.aborted.is_set()


def test_a_missing_id_is_reported_in_its_place() -> None:
    missing = NotFound("not found")
    service = Service({"a": fail(missing)})
    assert list(service.waiting().run()) == [missing]


def test_a_bug_in_a_poll_is_raised() -> None:
    service = Service({"a": fail(ZeroDivisionError())})
    with pytest.raises(ZeroDivisionError):
        list(service.waiting().run())


def test_the_watcher_receives_every_status_and_the_count() -> None:
    statuses = iter(["queued", "running", "completed"])
    service = Service({"a": lambda: next(statuses)})
    assert ids(service.waiting().run()) == ["a"]
    assert service.watched == [("a", "queued"), ("a", "running"), ("a", "completed")]
    assert {*service.counted} <= {0, 1}
    assert service.counted[-1] == 0


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_the_wait_continues_if_the_system_allows_no_more_threads(
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
    statuses = iter(["running", "completed"])
    service = Service({"a": lambda: next(statuses), "b": completed, "c": completed})
    assert ids(service.waiting().run()) == ["b", "c", "a"]
