"""Large bodies, against curl and what else is installed."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from .measure import NOSTRA, TOKEN, Command, Row, Run, environment, paired, row
from .servers import Nginx


def bodies(runs: int, folder: Path, server: Nginx, label: str) -> Iterator[Row]:
    """A large CSV, against curl.

    In memory, where a sync costs nothing, against curl as it is; on the disk against curl with the
    sync that a file of ours has had.
    """
    with in_memory() as cwd:
        for what, url, args, wall, cpu in (
            ("http", server.http, [], 1.0, 1.0),
            ("http, `--verify off`", server.http, ["--verify", "off"], 0.8, None),
            ("https", server.https, [], 1.1, None),
        ):
            ours = ours_for(url, server, cwd, args)
            pairs = paired(
                ours,
                curl_beside(ours, server),
                runs,
                partial((cwd / "out.csv").unlink, missing_ok=True),
            )
            yield row(f"download of {label}, {what}: wall", "`curl -o`", wall, pairs)
            if cpu is not None:
                yield row(f"download of {label}, {what}: CPU", "`curl -o`", cpu, pairs, cpu_of)
            print(f"peak memory, {label}, {what}: {ours.peak() / (1 << 20):.1f} MiB (target <= 40)")
            (cwd / "out.csv").unlink()
    ours = ours_for(server.http, server, folder)
    pairs = paired(
        ours,
        curl_beside(ours, server, " && sync out.csv"),
        runs,
        partial((folder / "out.csv").unlink, missing_ok=True),
    )
    yield row(f"download of {label} to the disk, http: wall", "`curl -o` and `sync`", 1.0, pairs)


def beside_others(runs: int, server: Nginx, label: str) -> Iterator[Row]:
    """The same against what else is installed; no target, for the picture."""
    url = f"{server.http}/api/invocation/bench/csv"
    auth = f"Authorization: Token {TOKEN}"
    for tool, args in (
        ("wget", ["--no-config", "-q", "--header", auth, "-O", "out.csv", url]),
        ("aria2c", ["--no-conf", "-q", "--header", auth, "-o", "out.csv", url]),
    ):
        if shutil.which(tool):
            with in_memory() as cwd:
                ours = ours_for(server.http, server, cwd)
                theirs = Command([tool, *args], ours.env, cwd)
                pairs = paired(ours, theirs, runs, remover(cwd))
            yield row(f"download of {label}, http: wall", f"`{tool}`", None, pairs)


def remover(folder: Path) -> Callable[[], None]:
    """Give what removes the file of the run before."""
    return partial((folder / "out.csv").unlink, missing_ok=True)


@contextmanager
def in_memory() -> Iterator[Path]:
    """Give a folder where a sync costs nothing, if the system has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def ours_for(url: str, server: Nginx, cwd: Path, args: Sequence[str] = ()) -> Command:
    """Fetch a large CSV as out.csv."""
    env = environment(NOSTRA_BASE_URL=url, SSL_CERT_FILE=str(server.authority))
    return Command([NOSTRA, "download", "bench", "-o", "out.csv", "-q", *args], env, cwd)


def curl_beside(ours: Command, server: Nginx, after: str = "") -> Command:
    """Fetch it with curl; `after` goes on with the shell's line."""
    auth = f"Authorization: Token {TOKEN}"
    url = f"{ours.env['NOSTRA_BASE_URL']}/api/invocation/bench/csv"
    curl = ["curl", "-q", "-sSf", "--cacert", str(server.authority), "-H", auth]
    curl += [url, "-o", "out.csv"]
    line = f"{shlex.join(curl)}{after}" if after else f"exec {shlex.join(curl)}"
    return Command(["sh", "-c", line], ours.env, ours.cwd)


def cpu_of(run: Run) -> float:
    """Give the CPU seconds of a run."""
    return run.cpu
