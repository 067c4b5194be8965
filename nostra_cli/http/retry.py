"""What is worth repeating and when. Clock, sleep and randomness are passed in."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from nostra_cli.errors import DeadlinePassed, Transient

T = TypeVar("T")

LONGEST_RETRY_AFTER = 60.0
"""Seconds: a longer wish of the server is cut to this."""


class Policy(NamedTuple):
    """How often one request is tried, how the pauses grow (seconds), and who pays for them."""

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0
    budgeted: bool = True


NORMAL = Policy()
ONCE = Policy(attempts=1)
PATIENT = Policy(attempts=10, budgeted=False)
"""For a poll of a wait that has been answered before: it outlives two minutes of outage.

Polls are spread over time as it is; that one of them fails must not end the wait of another.
"""


class Deadline:
    """The moment at which the whole run must be over; `seconds` None means never."""

    def __init__(
        self, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start to count now."""
        self.seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> float | None:
        """Tell how many seconds are left (never below zero), None where there is no deadline."""
        return None if self._end is None else max(0.0, self._end - self._clock())

    def check(self, doing: str = "the work was done") -> None:
        """Raise DeadlinePassed once the deadline has passed before `doing`."""
        if self.remaining() == 0.0:
            raise self.passed(doing)

    def passed(self, doing: str) -> DeadlinePassed:
        """Make the error that says what was not reached in time."""
        return DeadlinePassed(
            f"the deadline of {self.seconds:g} s passed before {doing}",
            "allow more time with --timeout",
        )


class Budget:
    """The retries that one run has in all, so that many requests do not hammer a sick service.

    Each retry takes one; each success gives one back, up to where it began.
    """

    def __init__(self, most: int = 20) -> None:
        """Start full."""
        self.most = most
        self.left = most

    def take(self) -> bool:
        """Take one retry; False when there is none left."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def refund(self) -> None:
        """Give one back after a success."""
        self.left = min(self.most, self.left + 1)


class Retrier:
    """Repeats what failed for a while, within one budget and one deadline."""

    def __init__(
        self,
        deadline: Deadline,
        budget: Budget | None = None,
        notify: Callable[[Transient, float], None] = lambda _failure, _pause: None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        """Begin; `notify` is told of each pause before it begins: the failure and the seconds.

        `random` gives numbers from 0 to 1 and spreads the pauses.
        """
        self.deadline = deadline
        self.budget = budget or Budget()
        self._given_up = False
        self._notify = notify
        self._sleep = sleep
        self._random = random

    def give_up(self) -> None:
        """Repeat nothing from now on: the run is over."""
        self._given_up = True

    def run(self, attempt: Callable[[], T], doing: str, policy: Policy = NORMAL) -> T:
        """Call `attempt` until it answers; `doing` completes "the deadline passed before ...".

        Raises the last Transient when attempts or budget are spent, DeadlinePassed at the
        deadline, and at once whatever else `attempt` raises.
        """
        tries = 0
        while True:
            self.deadline.check(doing)
            try:
                answer = attempt()
            except Transient as failure:
                tries += 1
                self.pause(failure, tries, doing, policy)
            else:
                self.budget.refund()
                return answer

    def pause(self, failure: Transient, tries: int, doing: str, policy: Policy = NORMAL) -> None:
        """Sleep before the next attempt, `tries` of which have failed.

        Raises `failure` when there is to be no other, and DeadlinePassed, without sleeping, when
        the pause would outlast the deadline.
        """
        self.deadline.check(doing)
        if self._given_up or tries >= policy.attempts:
            raise failure
        if policy.budgeted and not self.budget.take():
            raise failure
        seconds = self._seconds(failure, tries, policy)
        left = self.deadline.remaining()
        if left is not None and seconds >= left:
            raise self.deadline.passed(doing) from failure
        self._notify(failure, seconds)
        self._sleep(seconds)
        if self._given_up:
            raise failure

    def _seconds(self, failure: Transient, tries: int, policy: Policy) -> float:
        if failure.wait is None:
            pause = min(policy.longest_pause, policy.first_pause * 2.0 ** (tries - 1))
            return pause * (0.5 + self._random() / 2)
        left = self.deadline.remaining()
        return failure.wait if left is not None else min(failure.wait, LONGEST_RETRY_AFTER)


_SECONDS = r"[0-9]{1,18}(\.[0-9]{1,18})?(?:[eE][0-9]{1,2})?"


def retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date (RFC 9110, 10.2.3).

    `now` is the wall clock in seconds since the epoch. Gives seconds from now, 0 for a date in the
    past, None for what cannot be understood (the caller then backs off by its own schedule).
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
