"""Retries: one loop of attempts, with backoff, Retry-After, a budget and a deadline."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, TypeVar

from nostra_cli.errors import Corrupt, Transient
from nostra_cli.http.timeouts import Deadline

T = TypeVar("T")

RETRYABLE_STATUSES = frozenset({408, 425, 429, *range(500, 600)}) - {501}
"""Temporary failures of the service or of a proxy, such as 520 to 524 of some; 501 is for good."""
BUDGET = 20
"""Retries of one run, so that many requests do not hammer a failing service."""
MAX_RETRY_AFTER = 60.0
"""Seconds: without a deadline, a longer Retry-After is cut to this."""

Notify = Callable[[Transient, float, int, int], None]
"""Called before each pause: failure, pause (seconds), number of the next attempt, maximum."""


class Policy(NamedTuple):
    """The number of attempts and how the pauses grow (seconds); whether the budget counts."""

    attempts: int = 5
    first_pause: float = 0.5
    max_pause: float = 30.0
    budgeted: bool = True


NORMAL = Policy()
ONCE = Policy(attempts=1)
PATIENT = Policy(attempts=10, budgeted=False)
"""For polls of an id after its first response: survives two minutes of outage.

No budget: polls are spread over time, and the failures of one id must not end the wait for another.
"""


class Retrier:
    """Retry temporary failures within one budget and one deadline, for many threads."""

    def __init__(
        self,
        deadline: Deadline,
        budget: int = BUDGET,
        notify: Notify = lambda *_: None,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Share a budget of retries: each retry takes one, each success gives one back.

        `sleep` replaces the pause that `give_up` ends; `random` returns the jitter, from 0 to 1.
        """
        self.deadline = deadline
        self.retries_left = self._budget = budget
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self.notify = notify
        self._sleep = sleep or self._given_up.wait
        self._random = random

    def give_up(self) -> None:
        """Make no more attempts, and end the pauses under way."""
        self._given_up.set()

    def attempts(self, before: str, policy: Policy = NORMAL) -> Iterator[Attempt]:
        """Yield attempts until a `with attempt:` block ends without a Transient.

            for attempt in retrier.attempts("the status was known"):
                with attempt:
                    status = fetch()

        A Transient in the block is followed by a pause and the next attempt, or raised if `policy`
        or the budget allows none; any other exception is raised at once. DeadlinePassed is raised,
        without a pause, if the next attempt would begin too late; `before` completes its message,
        "the deadline passed before ...".
        """
        attempt = Attempt(self, before, policy)
        while not attempt.done:
            self.deadline.check(before)
            yield attempt

    def run(self, call: Callable[[], T], before: str, policy: Policy = NORMAL) -> T:
        """Return what `call` returns, retried as in `attempts`."""
        for attempt in self.attempts(before, policy):
            with attempt:
                return call()
        raise AssertionError("unreachable")

    def next_pause(self, failure: Transient, failed: int, policy: Policy) -> float | None:
        """Return the seconds after attempt number `failed`; None if it was the last."""
        if self._given_up.is_set() or failed >= policy.attempts:
            return None
        if policy.budgeted:
            with self._lock:
                if not self.retries_left:
                    return None
                self.retries_left -= 1
        if failure.wait is None:
            pause = min(policy.max_pause, policy.first_pause * 2.0 ** (failed - 1))
            return pause * (0.5 + self._random() / 2)
        unlimited = self.deadline.remaining() is None
        return min(failure.wait, MAX_RETRY_AFTER) if unlimited else failure.wait

    def refund(self) -> None:
        """Give one retry back to the budget, after a success."""
        with self._lock:
            self.retries_left = min(self._budget, self.retries_left + 1)

    def _pause(self, failure: Transient, failed: int, before: str, policy: Policy) -> bool:
        """Pause after attempt number `failed`; return False if it was the last.

        Raises DeadlinePassed, without a pause, if the deadline comes first.
        """
        self.deadline.check(before)
        seconds = self.next_pause(failure, failed, policy)
        if seconds is None:
            return False
        left = self.deadline.remaining()
        if left is not None and seconds >= left:
            raise self.deadline.passed(before) from failure
        self.notify(failure, seconds, failed + 1, policy.attempts)
        self._sleep(seconds)
        return not self._given_up.is_set()


class Attempt:
    """The attempts of one loop: a context manager, entered once for each attempt."""

    def __init__(self, retrier: Retrier, before: str, policy: Policy) -> None:
        self.done = False
        self._retrier = retrier
        self._before = before
        self._policy = policy
        self._failed = 0
        self._unusable = 0
        self._again = False

    def progressed(self) -> None:
        """Count attempts from zero: this one made progress, even if it fails later."""
        self._unusable = 0
        if self._failed:
            self._failed = 0
            self._retrier.refund()

    def again(self) -> None:
        """Attempt again, at once, after this block: the response is not usable.

        Raises Corrupt after as many unusable responses as the policy has attempts.
        """
        self._unusable += 1
        if self._unusable >= self._policy.attempts:
            raise Corrupt(
                f"no usable response in {self._unusable} attempts before {self._before}",
                "try again later",
            )
        self._again = True

    def __enter__(self) -> Attempt:
        self._again = False
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """End an attempt; suppress a Transient if another attempt follows."""
        if isinstance(error, Transient):
            self._failed += 1
            return self._retrier._pause(error, self._failed, self._before, self._policy)
        if error is None and not self._again:
            self.done = True
            self._retrier.refund()
        return False


_SECONDS = r"[0-9]{1,200}(\.[0-9]{1,18})?(?:[eE][0-9]{1,2})?"


def retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for, None for an invalid one.

    It has seconds or an HTTP date (RFC 9110, 10.2.3); `now` is in seconds since the epoch.
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
