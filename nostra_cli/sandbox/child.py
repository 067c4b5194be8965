"""A command that runs with the sandbox as its service."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_GRACE_SECONDS = 3.0
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Child:
    """A running command."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Watch `process`."""
        self._process = process

    def wait(self) -> int:
        """Wait for its end; return its exit code, 128 + N where signal N ended it.

        A signal is passed on, and the command has some seconds to clean up before it is ended.
        """
        events: queue.SimpleQueue[int] = queue.SimpleQueue()

        def pass_on(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGINT or not _in_foreground():
                self._process.send_signal(number)
            events.put(number)

        def watch() -> None:
            events.put(-abs(self._process.wait()))

        threading.Thread(target=watch, daemon=True).start()
        with _handled(pass_on):
            if events.get() > 0:
                _end(self._process, at_once=False)
        code = self._process.wait()
        return code if code >= 0 else 128 - code


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals that end a process while the block lasts, but for those it ignores."""
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    handled = [number for number in numbers if before[number] is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


def _in_foreground() -> bool:
    """Return whether Ctrl-C reaches the command, too: it goes to all that the terminal runs."""
    if sys.platform == "win32":
        return True
    else:
        try:
            fd = os.open("/dev/tty", os.O_RDONLY)
        except OSError:
            return False
        try:
            return os.tcgetpgrp(fd) == os.getpgrp()
        finally:
            os.close(fd)


@contextmanager
def started(command: Sequence[str], base_url: str, token: str) -> Iterator[Child]:
    """Start `command` with the sandbox in its environment; end it with the block.

    Raises OSError where it cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="nostra-sandbox-") as folder:
        env = environment(os.environ, base_url, token, Path(folder))
        process = subprocess.Popen([_found(command[0], env), *command[1:]], env=env)
        try:
            yield Child(process)
        finally:
            _end(process, at_once=True)


def _found(program: str, env: Mapping[str, str]) -> str:
    """Return the program as it is to be started: Windows looks for it on our PATH, not in `env`."""
    if sys.platform == "win32":
        program = shutil.which(program, path=env["PATH"]) or program
    return program


def environment(env: Mapping[str, str], base_url: str, token: str, folder: Path) -> dict[str, str]:
    """Return the environment of the command: this sandbox, this nostra, no other setting.

    The config file is one in `folder`, which is not there yet: an own `--profile` in a script must
    not lead it to the real service.
    """
    kept = {key: value for key, value in env.items() if not key.startswith("NOSTRA_")}
    here = [str(Path(sys.argv[0]).parent.absolute()), sysconfig.get_path("scripts")]
    direct = [kept.get("no_proxy") or kept.get("NO_PROXY") or "", "127.0.0.1"]
    return {
        **kept,
        "PATH": os.pathsep.join([*_having_nostra(here), kept.get("PATH", os.defpath)]),
        "NO_PROXY": ",".join(filter(None, direct)),
        "no_proxy": ",".join(filter(None, direct)),
        "NOSTRA_BASE_URL": base_url,
        "NOSTRA_TOKEN": token,
        "NOSTRA_CONFIG": str(folder / "config.toml"),
    }


def _having_nostra(folders: Sequence[str]) -> list[str]:
    names = ("nostra", "nostra.exe")
    return [f for f in folders if any((Path(f) / name).is_file() for name in names)][:1]


def _end(process: subprocess.Popen[bytes], at_once: bool) -> None:
    """End a command: terminate it, `at_once` or after some seconds, and kill it in the end."""
    if not at_once:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sleep() -> None:
    """Do nothing until a signal raises an exception."""
    forever = threading.Event()
    while not forever.wait(3600):
        pass
