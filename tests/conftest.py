"""Fixtures of all tests: a sandbox for each worker, and a `nostra` that uses it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from nostra_cli.sandbox.server import Sandbox, serving
from tests.running import Runner, clean_env

# The same examples in each run, and none of them late: a loaded machine is no failure.
settings.register_profile("nostra", derandomize=True, deadline=None, max_examples=60)
# To look further, with other examples in each run: pytest --hypothesis-profile thorough
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("nostra")

# A background job of a script, or nohup, ignores these; the processes under test would, too.
for _name in ("SIGHUP", "SIGINT", "SIGQUIT"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)

_WORKERS_FOR_A_CORE = 2


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Make `-n auto` two workers for each core: most tests wait for a process or a pause.

    A worker that is done takes the tests of another: some of them last a minute, most a moment.
    """
    config.option.dist = "worksteal"
    asked_for = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(asked_for) if asked_for else _WORKERS_FOR_A_CORE * (os.cpu_count() or 1)


LARGE_BYTES = 3_000_017  # some blocks of rows, and nothing round


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Yield a sandbox whose clock moves ten seconds at each reading: `demo` completes soon."""
    clock = partial(next, count(0.0, 10.0))
    with serving(large_bytes=LARGE_BYTES, clock=clock) as running:
        yield running


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty HOME."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def nostra(sandbox: Sandbox, home: Path, tmp_path: Path) -> Runner:
    """Return `nostra` in an empty directory, with the sandbox as its service."""
    return runner_for(sandbox, home, tmp_path)


@pytest.fixture
def bare(home: Path, tmp_path: Path) -> Runner:
    """Return `nostra` without any setting except the path of the config file."""
    return Runner(tmp_path, clean_env(home, NOSTRA_CONFIG=str(home / "nostra" / "config.toml")))


def runner_for(sandbox: Sandbox, home: Path, cwd: Path) -> Runner:
    """Return `nostra` with a sandbox as its service."""
    env = clean_env(home, NOSTRA_BASE_URL=sandbox.base_url, NOSTRA_TOKEN=sandbox.token)
    return Runner(cwd, env)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no more threads start, as at the system's limit."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
