"""Run a command in an environment, and say what must not be."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nostra_cli.sandbox.server import Sandbox
from tests.environment.commands import Command
from tests.environment.environments import Environment
from tests.running import NOSTRA, clean_env
from tests.terminal import terminal

SECONDS = 120.0


@dataclass(frozen=True)
class Run:
    """What a run ended with, and what it showed."""

    code: int
    out: bytes
    err: bytes
    seconds: float


def allowed(environment: Environment, command: Command) -> frozenset[int]:
    """Return the exit codes that the contract allows for a command in an environment."""
    broken = [environment.breaks[need] for need in command.needs if need in environment.breaks]
    return (
        frozenset({command.code}).union(environment.also)
        if not broken
        else frozenset().union(*broken)
    )


def complaint(environment: Environment, command: Command, run: Run, token: str) -> str | None:
    """Say what is wrong with a run; None if nothing is."""
    shown = f"{command} in {environment}: exit code {run.code}\n{run.out!r}\n{run.err!r}"
    if run.code not in allowed(environment, command):
        return f"{shown}\nallowed: {sorted(allowed(environment, command))}"
    if b"Traceback" in run.out + run.err or token.encode() in run.out + run.err:
        return shown
    plain = not environment.terminal and "PYTHONIOENCODING" not in environment.env
    if "--json" in command.line and run.out.strip() and plain:
        try:
            json.loads(run.out)
        except ValueError:
            return f"{shown}\nstdout is no JSON"
    return None


def run(environment: Environment, command: Command, sandbox: Sandbox, folder: Path) -> Run:
    """Run `command` in fresh folders below `folder`."""
    home, cwd = folder / "home", folder / "cwd"
    home.mkdir(parents=True)
    cwd.mkdir()
    places = {"home": str(home), "cwd": str(cwd)}
    variables = _variables(environment, command, sandbox, places)
    prelude = environment.prelude.format(**{key: shlex.quote(path) for key, path in places.items()})
    line = [*environment.wrapper, "/bin/sh", "-c", f'{prelude}\nexec "$@"', "sh", NOSTRA]
    argv = [*line, *command.line.split()]
    began = time.monotonic()
    if environment.terminal:
        with terminal(argv, variables, cwd, controlling=True) as shown:
            code = shown.read_to_end(SECONDS)
        return Run(code, shown.seen, b"", time.monotonic() - began)
    with _process(argv, variables, cwd, environment.nonblocking) as process:
        stdin = command.stdin.format(token=sandbox.token).encode()
        out, err = process.communicate(stdin, timeout=SECONDS)
    return Run(process.returncode, out, err, time.monotonic() - began)


def _variables(
    environment: Environment, command: Command, sandbox: Sandbox, places: dict[str, str]
) -> dict[str, str]:
    env = clean_env(
        Path(places["home"]), NOSTRA_BASE_URL=sandbox.base_url, NOSTRA_TOKEN=sandbox.token
    )
    env.update(command.env)
    for name, value in environment.env.items():
        if value is None:
            env.pop(name, None)
        else:
            text = value if isinstance(value, str) else os.fsdecode(value)
            env[name] = text.format(**places)
    return env


@contextlib.contextmanager
def _process(
    argv: list[str], env: dict[str, str], cwd: Path, nonblocking: tuple[int, ...]
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process with pipes whose ends of its own do not block where that is asked for."""
    pipes = [os.pipe(), os.pipe(), os.pipe()]
    theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
    ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
    for fd in nonblocking:
        os.set_blocking(theirs[fd], False)
    stdin, stdout, stderr = theirs
    process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=stderr)
    for fd in theirs:
        os.close(fd)
    process.stdin = os.fdopen(ours[0], "wb")
    process.stdout, process.stderr = os.fdopen(ours[1], "rb"), os.fdopen(ours[2], "rb")
    try:
        with process:
            yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
