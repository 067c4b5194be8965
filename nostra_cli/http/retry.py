"""Retries: one loop of attempts, with backoff, Retry-After, a budget and a deadline."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple, TypeVar

from nostra_cli.errors import Corrupt, Transient
from nostra_cli.http.timeouts import Deadline

T = TypeVar("T")

RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Of the service and of a proxy: what they say of a moment, not of the request."""
MAX_RETRY_AFTER = 60.0
"""Seconds: without a deadline, a longer Retry-After is cut to this."""

Notify = Callable[[Transient, float, int, int], None]
"""Called before each pause with the failure, the pause (seconds), the number of the next attempt
and the number of attempts there are."""


class Policy(NamedTuple):
    """How often a request is attempted and how the pauses grow (seconds).

    Retries are taken from the budget of the run where `budgeted` is true.
    """

    attempts: int = 5
    first_pause: float = 0.5
    max_pause: float = 30.0
    budgeted: bool = True


NORMAL = Policy()
ONCE = Policy(attempts=1)
PATIENT = Policy(attempts=10, budgeted=False)
"""For a poll of a wait that has been answered before: it outlives two minutes of outage.

Polls are spread over time as it is; that one of them fails must not end the wait of another.
"""


class Budget:
    """The retries of one run in all, so that many requests do not hammer a failing service.

    Each retry takes one; each success gives one back, up to `max`.
    """

    def __init__(self, max: int = 20) -> None:
        """Start full."""
        self.max = max
        self.left = max
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one retry; return False when there is none left."""
        with self._lock:
            taken = self.left > 0
            self.left -= taken
        return taken

    def refund(self) -> None:
        """Give one back after a success."""
        with self._lock:
            self.left = min(self.max, self.left + 1)


class Retrier:
    """Repeats what failed for a while, within one budget and one deadline; for many threads."""

    def __init__(
        self,
        deadline: Deadline,
        budget: Budget | None = None,
        notify: Notify = lambda *_: None,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Keep what the attempts share.

        `sleep` replaces the pause that `give_up` ends; `random` returns numbers from 0 to 1, which
        spread the pauses.
        """
        self.deadline = deadline
        self.budget = budget or Budget()
        self._given_up = threading.Event()
        self.notify = notify
        self._sleep = sleep or self._given_up.wait
        self._random = random

    def give_up(self) -> None:
        """Attempt nothing from now on: the run is over. Ends the pauses under way."""
        self._given_up.set()

    def attempts(self, doing: str, policy: Policy = NORMAL) -> Iterator[Attempt]:
        """Yield attempts until a `with attempt:` block ends without a Transient.

            for attempt in retrier.attempts("the status was known"):
                with attempt:
                    status = fetch()

        A Transient in the block is followed by a pause and the next attempt. It is raised when
        `policy` or the budget allows no other; any other exception is raised at once.
        `doing` completes "the deadline passed before ...": DeadlinePassed is raised, without a
        pause, where the next attempt would begin too late.
        """
        attempt = Attempt(self, doing, policy)
        while not attempt.done:
            self.deadline.check(doing)
            yield attempt

    def run(self, call: Callable[[], T], doing: str, policy: Policy = NORMAL) -> T:
        """Return what `call` returns, attempted as `attempts` says."""
        for attempt in self.attempts(doing, policy):
            with attempt:
                return call()
        raise AssertionError("unreachable")

    def next_pause(self, failure: Transient, failed: int, policy: Policy) -> float | None:
        """Return the seconds between attempt number `failed` and the next; None if it is the last.

        Takes one retry from the budget, if `policy` has one.
        """
        if self._given_up.is_set() or failed >= policy.attempts:
            return None
        if policy.budgeted and not self.budget.take():
            return None
        return self._seconds(failure, failed, policy)

    def _pause(self, failure: Transient, failed: int, doing: str, policy: Policy) -> bool:
        """Pause after the attempt number `failed`; return False where no other is to follow.

        Raises DeadlinePassed, without a pause, when the deadline comes first.
        """
        self.deadline.check(doing)
        seconds = self.next_pause(failure, failed, policy)
        if seconds is None:
            return False
        left = self.deadline.remaining()
        if left is not None and seconds >= left:
            raise self.deadline.passed(doing) from failure
        self.notify(failure, seconds, failed + 1, policy.attempts)
        self._sleep(seconds)
        return not self._given_up.is_set()

    def _seconds(self, failure: Transient, failed: int, policy: Policy) -> float:
        if failure.wait is None:
            pause = min(policy.max_pause, policy.first_pause * 2.0 ** (failed - 1))
            return pause * (0.5 + self._random() / 2)
        left = self.deadline.remaining()
        return failure.wait if left is not None else min(failure.wait, MAX_RETRY_AFTER)


class Attempt(AbstractContextManager["Attempt"]):
    """The attempts of one loop, entered once for each."""

    def __init__(self, retrier: Retrier, doing: str, policy: Policy) -> None:
        """Begin with no failure; use `Retrier.attempts`."""
        self.done = False
        self._retrier = retrier
        self._doing = doing
        self._policy = policy
        self._failed = 0
        self._unusable = 0
        self._again = False

    def progressed(self) -> None:
        """Count attempts from zero: this one got somewhere, whatever becomes of it."""
        self._unusable = 0
        if self._failed:
            self._failed = 0
            self._retrier.budget.refund()

    def again(self) -> None:
        """Attempt again, at once, after this block: the response cannot be used.

        Raises Corrupt where none of as many responses as the policy has attempts could be.
        """
        self._unusable += 1
        if self._unusable >= self._policy.attempts:
            raise Corrupt(
                f"no usable response in {self._unusable} attempts before {self._doing}",
                "try again later",
            )
        self._again = True

    def __enter__(self) -> Attempt:
        """Begin an attempt."""
        self._again = False
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """End an attempt; swallow a Transient after which there is to be another attempt."""
        if isinstance(error, Transient):
            self._failed += 1
            return self._retrier._pause(error, self._failed, self._doing, self._policy)
        if error is None and not self._again:
            self.done = True
            self._retrier.budget.refund()
        return False


_SECONDS = r"[0-9]{1,18}(\.[0-9]{1,18})?(?:[eE][0-9]{1,2})?"


def retry_after(value: str | None, now: float) -> float | None:
    """Parse a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3).

    `now` is the wall clock in seconds since the epoch. Returns seconds from now, 0 for a date in
    the past, None for what cannot be understood (the caller then backs off by its own schedule).
    """
    text = (value or "").strip()
    if re.fullmatch(_SECONDS, text):
        return float(text)
    if not text.isascii() or not text.endswith("GMT"):
        return None
    from email.utils import parsedate_to_datetime  # slow to import, rarely needed

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
