"""The installed `nostra` in a subprocess, with what must hold of every run asserted at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOSTRA = str(Path(sys.executable).with_name("nostra"))
HURRIED = (
    sys.executable,
    "-c",
    """
import time
import nostra_cli.http.retry
import nostra_cli.http.timeouts
retrier = nostra_cli.http.retry.Retrier
init = retrier.__init__
retrier.__init__ = lambda *given, **named: init(
    *given, sleep=lambda seconds: time.sleep(seconds / 50), **named
)
nostra_cli.http.timeouts.CONNECT_SECONDS /= 10
from nostra_cli.__main__ import main
main()
""",
)
"""`nostra` as a process of its own; its pauses between attempts pass fifty times as fast, and it
waits for a connection a tenth as long. For tests in which these only cost time."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Ended:
    """A finished run."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, object]:
        """The one error that `--json` wrote to stderr."""
        [line] = self.err.splitlines()
        error: dict[str, object] = json.loads(line)["error"]
        return error

    def json(self) -> Any:
        """What `--json` wrote to stdout."""
        return json.loads(self.out)


def clean_env(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with this HOME, without proxies, colour variables or settings."""
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "TMPDIR") if key in os.environ}
    return {**kept, "HOME": str(home), "LANG": "C.UTF-8", "TERM": "xterm", **more}


def shell_code(returncode: int) -> int:
    """Return an exit code as a shell shows it: 130 also for a process ended by SIGINT."""
    return 128 - returncode if returncode < 0 else returncode


@dataclass(frozen=True)
class Runner:
    """Runs `nostra` in `cwd` with `env`."""

    cwd: Path
    env: Mapping[str, str]

    def __call__(
        self,
        *args: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        seconds: float = 60,
        command: Sequence[str] = (NOSTRA,),
    ) -> Ended:
        """Run it to its end, with piped streams, and assert what holds for every run."""
        merged = {**self.env, **(env or {})}
        done = subprocess.run(
            [*command, *args],
            cwd=self.cwd,
            env=merged,
            input=stdin.encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode())
        check_invariants(ended, merged.get("NOSTRA_TOKEN", ""))
        return ended

    def files(self) -> list[str]:
        """List what is in the working directory, hidden files too."""
        return sorted(path.name for path in self.cwd.iterdir())


def check_invariants(ended: Ended, token: str) -> None:
    """Assert what holds for every run: no traceback, no token, no control character on stderr."""
    for text in (ended.out, ended.err):
        assert "Traceback" not in text, text
        assert not token or token not in text, "the token is shown"
    assert not _CONTROLS.search(ended.err), repr(ended.err)
    assert ended.code != 1, ended.err
