"""Whole processes, in pairs: one of ours, one of theirs, and so on; ratios pair by pair."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOSTRA = str(Path(sys.executable).with_name("nostra"))
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def environment(**more: str) -> dict[str, str]:
    """Give a plain environment: no proxies, no bundles, no settings of a user."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return {**kept, "NOSTRA_TOKEN": TOKEN, "NOSTRA_CONFIG": "/nonexistent/config.toml", **more}


@dataclass(frozen=True)
class Run:
    """What one process took, in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Command:
    """A command line and where it runs; it must end with 0."""

    args: Sequence[str]
    env: Mapping[str, str]
    cwd: Path

    def run(self) -> Run:
        """Run it once, its output thrown away."""
        began = time.perf_counter()
        process = subprocess.Popen(
            list(self.args),
            env=dict(self.env),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(self.args)} ended with {process.returncode}")
        return Run(wall, usage.ru_utime + usage.ru_stime)

    def peak(self) -> int:
        """Run it once more; give the peak of its resident memory in bytes."""
        args = [sys.executable, "-I", "-c", PEAK, *self.args]
        done = subprocess.run(
            args, env=dict(self.env), cwd=self.cwd, capture_output=True, text=True, check=True
        )
        return int(done.stdout)


# A small process in between: the peak of a child begins with the size of its parent.
PEAK = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(os.wait4(process.pid, 0)[2].ru_maxrss * 1024)
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    against: str
    target: float | None
    ratios: Sequence[float]
    ours: float
    unit: str = "x"

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """Say whether the target is met, and by how much it is missed."""
        if self.target is None:
            return ""
        if self.median <= self.target:
            return "met"
        return f"missed by {(self.median / self.target - 1) * 100:.0f} %"

    def markdown(self) -> str:
        """Write it as a row of a Markdown table."""
        low, high = min(self.ratios), max(self.ratios)
        target = f"<= {self.target:g}" if self.target is not None else ""
        return (
            f"| {self.what} | {self.against} | {low:.2f} | **{self.median:.2f}** | {high:.2f} | "
            f"{target} | {self.verdict} | {self.ours * 1000:.0f} ms |"
        )


HEADER = """\
| what | against | min | median | max | target | | ours (median) |
|---|---|---|---|---|---|---|---|"""


def paired(
    ours: Command, theirs: Command, runs: int, between: Callable[[], None] = lambda: None
) -> list[tuple[Run, Run]]:
    """Run both in turn, after one run of each that does not count; `between` cleans up."""
    pairs = []
    for number in range(runs + 1):
        between()
        first = ours.run()
        between()
        second = theirs.run()
        if number:
            pairs.append((first, second))
    between()
    return pairs


def row(
    what: str,
    against: str,
    target: float | None,
    pairs: Sequence[tuple[Run, Run]],
    figure: Callable[[Run], float] = lambda run: run.wall,
) -> Row:
    """Make a row of one figure of the runs."""
    ratios = [figure(a) / figure(b) for a, b in pairs]
    return Row(what, against, target, ratios, statistics.median(figure(a) for a, _ in pairs))
