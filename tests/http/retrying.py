"""A retrier with a clock that only sleeping advances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nostra_cli.errors import NostraError, Transient
from nostra_cli.http.retry import BUDGET, Retrier
from nostra_cli.http.timeouts import Deadline


@dataclass
class World:
    """A retrier with a clock that only sleeping advances."""

    seconds: float | None = None
    chance: float = 1.0
    budget: int = BUDGET
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    notified: list[tuple[str, float, int, int]] = field(default_factory=list)
    calls: int = 0

    def __post_init__(self) -> None:
        self.retrier = Retrier(
            deadline=Deadline(self.seconds, lambda: self.now),
            budget=self.budget,
            sleep=self._sleep,
            random=lambda: self.chance,
            notify=lambda failure, *pause: self.notified.append((failure.message, *pause)),
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def failing(
        self, times: float, error: Callable[[], NostraError] = lambda: Transient("down")
    ) -> Callable[[], str]:
        """Return a function that fails the first `times` calls."""
        left = times

        def attempt() -> str:
            nonlocal left
            self.calls += 1
            left -= 1
            if left >= 0:
                raise error()
            return "answer"

        return attempt
