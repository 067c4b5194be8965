"""How long the network may take; one thread that acts at a moment, unless it is called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
"""For each piece."""
_TICK = 0.1
"""Seconds: how late it may be. To wake for each new limit would cost more than it gives."""


class Watchdog:
    """Limits blocks in time; its thread begins with the first of them."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._changed = threading.Condition()
        self._limits: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def limited(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Call `act`, in another thread, if the block lasts longer than `seconds`."""
        key = object()
        with self._changed:
            self._limits[key] = (time.monotonic() + seconds, act)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._limits.pop(key, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                passed = [key for key, (when, _) in self._limits.items() if when <= now]
                acts = [self._limits.pop(key)[1] for key in passed]
                if not acts:
                    self._changed.wait(_TICK)
            for act in acts:
                act()
