"""Threads that leave the signals to the main thread."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")


def start_thread(target: Callable[[], object]) -> threading.Thread:
    """Start a daemon thread that receives no signals.

    The system may give signals that arrive together to any thread. The main thread, which handles
    them, would then go on waiting. Raises RuntimeError if the system allows no more threads.
    """

    def run() -> None:
        if sys.platform != "win32":
            numbers = [getattr(signal, name) for name in SIGNALS]
            signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        target()

    thread = threading.Thread(target=run, name=getattr(target, "__name__", None), daemon=True)
    thread.start()
    return thread
