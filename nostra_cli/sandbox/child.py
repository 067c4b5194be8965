"""A command that runs with the sandbox as its service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_GRACE_SECONDS = 3.0
_POLL_SECONDS = 0.01
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a command; return its exit code, 128 + N where signal N ended it.

    A signal is passed on, and the command has some seconds to clean up before it is ended.
    """
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT or not _in_foreground():
            process.send_signal(number)
        received.append(number)

    with _handled(pass_on):
        while process.poll() is None and not received:
            time.sleep(_POLL_SECONDS)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
        _end(process)
    code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals that end a process while the block lasts, except ignored ones."""
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
    """Return whether Ctrl-C reaches the command, too: the terminal sends it to both."""
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
def started(command: Sequence[str], base_url: str, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start `command` with the sandbox in its environment; end it with the block.

    Raises OSError where it cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="nostra-sandbox-") as folder:
        env = environment(os.environ, base_url, token, Path(folder))
        program = command[0]
        if sys.platform == "win32":  # it would look on this process's PATH, not on that of `env`
            program = shutil.which(program, path=env["PATH"]) or program
        process = None
        arrived: list[int] = []
        try:
            # An exception in Popen would lose a process that has started.
            with _handled(lambda number, _frame: arrived.append(number)):
                process = subprocess.Popen([program, *command[1:]], env=env)
            for number in arrived:
                signal.raise_signal(number)
            yield process
        finally:
            if process is not None:
                _end(process)


def environment(env: Mapping[str, str], base_url: str, token: str, folder: Path) -> dict[str, str]:
    """Return the environment of the command: this sandbox, this nostra, no other setting.

    The config file in `folder` does not exist yet: a `--profile` in a script must not lead to the
    real service.
    """
    kept = {key: value for key, value in env.items() if not key.startswith("NOSTRA_")}
    folders = [str(Path(sys.argv[0]).parent.absolute()), sysconfig.get_path("scripts")]
    names = ("nostra", "nostra.exe")
    own = [f for f in folders if any((Path(f) / name).is_file() for name in names)][:1]
    direct = [kept.get("no_proxy") or kept.get("NO_PROXY") or "", "127.0.0.1"]
    return {
        **kept,
        "PATH": os.pathsep.join([*own, kept.get("PATH", os.defpath)]),
        "NO_PROXY": ",".join(filter(None, direct)),
        "no_proxy": ",".join(filter(None, direct)),
        "NOSTRA_BASE_URL": base_url,
        "NOSTRA_TOKEN": token,
        "NOSTRA_CONFIG": str(folder / "config.toml"),
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate a command that is still running, and kill it if that does not end it in time."""
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
    while True:
        time.sleep(3600)
