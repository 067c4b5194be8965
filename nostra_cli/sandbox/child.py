"""A command that runs with the sandbox as its service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_GRACE_SECONDS = 3.0


class Child:
    """A running command."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Watch `process`."""
        self._process = process

    def wait(self) -> int:
        """Wait for its end; gives its exit code, 128 + N where signal N ended it."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code


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
            _end(process)


def _found(program: str, env: Mapping[str, str]) -> str:
    """Give the program as it is to be started: Windows looks for it on our PATH, not in `env`."""
    if sys.platform == "win32":
        program = shutil.which(program, path=env["PATH"]) or program
    return program


def environment(env: Mapping[str, str], base_url: str, token: str, folder: Path) -> dict[str, str]:
    """Give the environment of the command: this sandbox, this nostra, no other setting.

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


def _end(process: subprocess.Popen[bytes]) -> None:
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
