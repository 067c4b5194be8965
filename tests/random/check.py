"""Run a scenario and check its exit code, output and files against the contract."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nostra_cli.sandbox.server import serving
from tests.random.model import allowed, candidates, in_a_name, items, name_of
from tests.random.scenario import Run
from tests.running import clean_env, shell_code

_LIMIT = 30.0
"""Seconds after which a run counts as hung."""
_OLD = b"old,bytes\n"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """A finished run: its exit code (None if it hung), stdout and stderr."""

    code: int | None
    out: bytes
    err: bytes


class Children:
    """A process that forks one `nostra` for each run."""

    def __init__(self) -> None:
        """Start the process."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.random.child"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, run: Run, env: dict[str, str], folder: Path, streams: Path) -> Ended:
        """Run a command line until it ends; its streams are files or a terminal."""
        if not run.terminal:
            paths = [os.devnull, str(streams / "out"), str(streams / "err")]
            for path in paths[1:]:
                Path(path).touch()
            code = self._finish(run, env, folder, paths)
            return Ended(code, *(Path(path).read_bytes() for path in paths[1:]))
        own, other = pty.openpty()
        seen: list[bytes] = []
        reader = threading.Thread(target=_read, args=(own, seen))
        reader.start()
        try:
            name = os.ttyname(other)
            code = self._finish(run, env, folder, [name] * 3)
        finally:
            os.close(other)
            reader.join()
            os.close(own)
        return Ended(code, b"".join(seen), b"")

    def _finish(
        self, run: Run, env: dict[str, str], folder: Path, streams: list[str]
    ) -> int | None:
        assert self._process.stdin
        order = {"argv": run.argv, "env": env, "cwd": str(folder), "streams": streams}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        pid = int(self._line())
        hung = threading.Event()

        def give_up() -> None:
            hung.set()
            _send(pid, signal.SIGKILL)

        timers = [threading.Timer(_LIMIT, give_up)]
        if run.signal is not None:
            timers.append(threading.Timer(run.signal_after, _send, (pid, run.signal)))
        for timer in timers:
            timer.start()
        status = int(self._line())
        for timer in timers:
            timer.cancel()
        if hung.is_set():
            return None
        return shell_code(os.waitstatus_to_exitcode(status))

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _read(fd: int, seen: list[bytes]) -> None:
    """Read a terminal until its other end is closed."""
    with contextlib.suppress(OSError):
        while data := os.read(fd, 65536):
            seen.append(data)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="nostra-random-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def problems_of(run: Run, children: Children) -> list[str]:
    """Run a scenario; return the violations of the contract."""
    with _folder() as base, serving(scenario=run.scenario, large_bytes=1000) as sandbox:
        folder, home = base / "cwd", base / "home"
        folder.mkdir()
        home.mkdir()
        for name in run.old:
            (folder / name).write_bytes(_OLD)
        env = clean_env(
            home,
            NOSTRA_BASE_URL=sandbox.base_url,
            NOSTRA_TOKEN=sandbox.token,
            COLUMNS=str(run.columns),
        )
        ended = children.run(run, env, folder, base)
        return [*_of_output(run, ended, sandbox.token), *_of_files(run, ended, folder)]


def _of_output(run: Run, ended: Ended, token: str) -> Iterator[str]:
    text = (ended.out + ended.err).decode("utf-8", "replace")
    if ended.code is None:
        yield f"hung: {text[-500:]}"
        return
    if ended.code not in allowed(run):
        yield f"exit {ended.code}, allowed {sorted(allowed(run))}: {text[-500:]}"
    yield from _of_text(run, text, token)
    if run.has("--json") and not run.terminal and ended.out:
        yield from _of_json(run, ended.out)
    if _every_id_counts(run, ended) and "the deadline of" not in text:  # it names some of them
        for job in run.jobs:
            if job.id not in text and in_a_name(job.id) not in text:
                yield f"{job.id} is not accounted for: {text[-500:]}"


def _of_text(run: Run, text: str, token: str) -> Iterator[str]:
    if "Traceback" in text:
        yield f"a traceback: {text[text.index('Traceback') :][:2000]}"
    if token in text:
        yield "the token is shown"
    if "\x1b[31mred" in text and "--color=always" not in run.options:
        yield "a control sequence of the server's is shown"
    if text.count("\x1b[?25l") and text.rindex("\x1b[?25l") > text.rfind("\x1b[?25h"):
        yield "the cursor is hidden"


def _of_json(run: Run, out: bytes) -> Iterator[str]:
    documents = out.splitlines() if run.command == "wait" else [out]
    for document in documents:
        try:
            json.loads(document)
        except ValueError:
            yield f"stdout is not JSON: {document[-200:]!r}"


def _every_id_counts(run: Run, ended: Ended) -> bool:
    """Return whether the output must name each id."""
    ends_early = run.signal is not None or run.has("--any", "--fail-fast", "-o")
    narrow = run.terminal and run.columns < 80
    refused = 3 in allowed(run)
    return not (ends_early or narrow or refused or ended.code == 124)


def _of_files(run: Run, ended: Ended, folder: Path) -> Iterator[str]:
    target = folder / "folder/below" if "-d" in run.options else folder
    expected = {
        name_of(job, result, format_): candidates(job, result, format_)
        for job in run.jobs
        for result, format_ in items(run, job)
    }
    there = {path.name: path for path in target.iterdir()} if target.is_dir() else {}
    for name, path in there.items():
        if name == "SHA256SUMS" or name.startswith("."):
            continue
        data = path.read_bytes()
        if not (data in expected.get(name, ()) or (name in run.old and data == _OLD)):
            yield f"{name} holds {len(data)} bytes that are neither old nor complete"
    if run.command == "download" and ended.code == 0 and not run.has("-o"):
        yield from (f"{name} is missing" for name in expected if name not in there)
    if ended.code == 0:
        yield from (f"{name} is left" for name in there if name.startswith("."))
    if run.has("-o") and not run.terminal:
        [bodies] = expected.values()
        if ended.code == 0 and ended.out not in bodies:
            yield f"stdout holds {len(ended.out)} bytes that are not the body"


def repeat_line(run: Run) -> str:
    """Return the command that runs this seed alone."""
    return re.sub(r"\s+", " ", f"python -m tests.random --count 1 --seed {run.seed}")
