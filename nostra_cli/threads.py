"""Threads that leave the signals to the main thread."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")


def start_thread(target: Callable[[], object]) -> threading.Thread:
    """Start a daemon thread that receives no signals.

    The system may give signals that arrive together to any thread. The main thread, which handles
    them, would then go on waiting. Raises RuntimeError if the system allows no more threads.
    """
    thread = threading.Thread(target=target, daemon=True)
    with _blocked_signals():  # the new thread inherits it
        thread.start()
    return thread


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """Let signals wait while the block lasts."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in SIGNALS])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
