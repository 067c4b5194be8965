"""Fork one `nostra` for each line on stdin; its clocks run faster.

Everything is imported before the first fork, so that a run costs milliseconds. Each line is a JSON
object: argv, env, cwd, and the paths that stdin, stdout and stderr are opened from. Writes the pid
of the run, then its wait status, a line each.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import termios
import threading
import time
from typing import Any

SPEED = 20.0
"""Seconds of nostra's clocks in one real second."""


def hurry() -> None:
    """Speed up the clocks, pauses and timeouts of this process, except those of sockets."""
    monotonic, sleep, wait = time.monotonic, time.sleep, threading.Condition.wait

    def fast_wait(self: threading.Condition, timeout: float | None = None) -> bool:
        return wait(self, None if timeout is None else timeout / SPEED)

    time.monotonic = lambda: monotonic() * SPEED
    time.sleep = lambda seconds: sleep(float(seconds) / SPEED)
    threading.Condition.wait = fast_wait  # type: ignore[method-assign]


def preload() -> None:
    """Import all modules that a run may need."""
    import nostra_cli

    for module in pkgutil.walk_packages(nostra_cli.__path__, "nostra_cli."):
        if not module.name.endswith("__main__") and "sandbox" not in module.name:
            importlib.import_module(module.name)
    for name in ("rich.progress", "rich.table", "rich.text", "encodings.latin_1", "difflib"):
        importlib.import_module(name)


def become(order: dict[str, Any]) -> None:
    """Apply the streams, the environment and the directory of an order to this process."""
    os.setsid()
    for fd, path in enumerate(order["streams"]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        if os.isatty(opened):
            fcntl.ioctl(opened, termios.TIOCSCTTY, 0)
        os.dup2(opened, fd)
        os.close(opened)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "utf-8", line_buffering=True
    )
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = ["nostra", *order["argv"]]


def run(order: dict[str, Any]) -> int:
    """Run one command; return its exit code."""
    become(order)
    from nostra_cli.__main__ import main

    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def serve() -> None:
    """Fork a run for each line of stdin."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a fork sets it before it runs
    hurry()
    preload()
    gc.freeze()
    orders, reports = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in orders:
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            code = 70
            try:
                code = run(json.loads(line))
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        reports.write(f"{pid}\n")
        reports.flush()
        _, status = os.waitpid(pid, 0)
        reports.write(f"{status}\n")
        reports.flush()


if __name__ == "__main__":
    serve()
