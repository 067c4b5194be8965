"""Signals: who handles them while a block lasts, and threads that leave them alone."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""The names of the signals that ask a process to end."""
_OTHERS = ("SIGQUIT", "SIGTSTP", "SIGALRM")

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def handled_signals(handlers: Mapping[str, Handler]) -> Iterator[None]:
    """Handle signals, by their names, while the block lasts; only in the main thread.

    A signal that is ignored (nohup, a background job) stays ignored.
    """
    before = {}
    for name, handler in handlers.items():
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def take_default_action(number: int) -> None:
    """End or stop the process as the signal does by default; return when a stop is over."""
    handler = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, handler)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Handle ENDING at the end of the block: their handlers may raise exceptions.

    For a block that would lose what it has made, such as a process. In other threads no signal is
    handled anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    try:
        with handled_signals(dict.fromkeys(ENDING, lambda number, _frame: arrived.append(number))):
            yield
    finally:
        for number in arrived:
            signal.raise_signal(number)


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
    else:
        numbers = [getattr(signal, name) for name in (*ENDING, *_OTHERS)]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
