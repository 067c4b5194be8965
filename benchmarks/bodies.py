"""Large bodies, against curl."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from .measure import NOSTRA, TOKEN, Command, Row, Run, environment, paired, row
from .servers import ROWS, Nginx


def bodies(runs: int, folder: Path, server: Nginx, size: int, label: str) -> Iterator[Row]:
    """Compare a CSV of each kind in memory, then one over https and one on the disk.

    In memory a sync costs nothing, so that curl is as it is; on the disk curl gets the sync that
    nostra's file has had.
    """
    with in_memory() as cwd:
        between = partial(warm, cwd / "out.csv", size)
        for kind in ROWS:
            ours = ours_for(server.http, kind, server, cwd)
            pairs = paired(ours, curl_beside(ours, kind, server), runs, between)
            what = f"download of {label}, {kind}"
            yield row(f"{what}: wall", "`curl -o`", 0.8 if kind == "plain" else 0.85, pairs)
            yield row(f"{what}: CPU", "`curl -o`", 0.8 if kind == "plain" else 0.85, pairs, cpu_of)
            between()
            print(f"peak memory, {label}, {kind}: {ours.peak() / (1 << 20):.1f} MiB (<= 40)")
        ours = ours_for(server.https, "plain", server, cwd)
        pairs = paired(ours, curl_beside(ours, "plain", server), runs, between)
        yield row(f"download of {label}, https: wall", "`curl -o`", 1.1, pairs)
    ours = ours_for(server.http, "plain", server, folder)
    theirs = curl_beside(ours, "plain", server, " && sync out.csv")
    pairs = paired(ours, theirs, runs, partial((folder / "out.csv").unlink, missing_ok=True))
    yield row(f"download of {label} to the disk: wall", "`curl -o` and `sync`", 1.0, pairs)


def warm(target: Path, size: int) -> None:
    """Remove the file of the run before, then allot and free as much memory as the next needs.

    Otherwise one command of a pair gets pages that the other one has just freed.
    """
    target.unlink(missing_ok=True)
    block = bytes(1 << 20)
    with target.open("wb") as file:
        for _ in range(size >> 20):
            file.write(block)
    target.unlink()


@contextmanager
def in_memory() -> Iterator[Path]:
    """Give a folder where a sync costs nothing, if the system has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def ours_for(url: str, kind: str, server: Nginx, cwd: Path) -> Command:
    """Fetch a large CSV as out.csv."""
    env = environment(NOSTRA_BASE_URL=url, SSL_CERT_FILE=str(server.authority))
    return Command([NOSTRA, "download", f"bench-{kind}", "-o", "out.csv", "-q"], env, cwd)


def curl_beside(ours: Command, kind: str, server: Nginx, after: str = "") -> Command:
    """Fetch it with curl; `after` continues the shell's line."""
    auth = f"Authorization: Token {TOKEN}"
    url = f"{ours.env['NOSTRA_BASE_URL']}/api/invocation/bench-{kind}/csv"
    curl = ["curl", "-q", "-sSf", "--cacert", str(server.authority), "-H", auth]
    curl += [url, "-o", "out.csv"]
    line = f"{shlex.join(curl)}{after}" if after else f"exec {shlex.join(curl)}"
    return Command(["sh", "-c", line], ours.env, ours.cwd)


def cpu_of(run: Run) -> float:
    """Give the CPU seconds of a run."""
    return run.cpu
