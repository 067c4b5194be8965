"""Killed at any moment; cut at any offset; and the memory that all this takes."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import runner_for
from tests.faults.catalogue import covers
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("kill -9 and wait4 are of POSIX", allow_module_level=True)

ROUNDS = int(os.environ.get("NOSTRA_TEST_KILLS", "40"))
MANY_ROUNDS = int(os.environ.get("NOSTRA_TEST_KILLS", "15"))
SIZE = 100_000_000
LARGE = ("download", "demo-large", "-f", "csv")
CSV = "/api/invocation/demo-large/csv"
MIB = 1 << 20
OLD = hashlib.sha256(b"old").hexdigest()
pytestmark = pytest.mark.slow


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@covers("killed")
def test_killed_at_random_moments(home: Path, tmp_path: Path) -> None:
    """The target is old or whole after each kill, and what is left never does harm."""
    moments = random.Random(20_22)
    with serving(large_bytes=SIZE) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        target = tmp_path / "demo-large.csv"
        assert nostra(*LARGE, "--verify", "off").code == 0
        whole, old = sha256(target), b"old"
        finished = 0
        for number in range(ROUNDS):
            target.write_bytes(old)
            process = subprocess.Popen(
                [NOSTRA, *LARGE, "-q", "--overwrite"],
                cwd=tmp_path,
                env=dict(nostra.env),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(moments.uniform(0.1, 0.6))
            process.kill()
            process.wait()
            done = target.stat().st_size != len(old)
            finished += done
            assert sha256(target) == whole if done else target.read_bytes() == old, number
            rest = {".demo-large.csv.part", ".demo-large.csv.part.json", target.name}
            assert set(nostra.files()) <= rest
        target.write_bytes(old)
        assert nostra(*LARGE, "--overwrite").code == 0
        assert sha256(target) == whole
        assert nostra.files() == [target.name]
        assert finished < ROUNDS


MANY = "[invocation.many]\nresults = 12\nbytes = 60_000\n"
ALL = ("download", "many", "--all-results", "-f", "all", "--checksums", "--overwrite", "-j", "8")


@covers("killed")
def test_many_files_killed_at_random_moments(home: Path, tmp_path: Path) -> None:
    """Each file is old or complete after each kill, and the next run leaves a clean directory."""
    moments = random.Random(20_26)
    with faulty(MANY) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        assert nostra(*ALL).code == 0
        complete = {name: sha256(tmp_path / name) for name in nostra.files()}
        new = 0
        for number in range(MANY_ROUNDS):
            for name in complete.keys() - {"SHA256SUMS"}:
                (tmp_path / name).write_bytes(b"old")
            process = subprocess.Popen(
                [NOSTRA, *ALL, "-q"],
                cwd=tmp_path,
                env=dict(nostra.env),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            kill_after(process, moments.randrange(len(complete)), tmp_path)
            process.wait()
            found = {name: sha256(tmp_path / name) for name in complete}
            bad = {name for name in found if found[name] not in (complete[name], OLD)}
            assert bad == set(), number
            new += sum(value != OLD for value in found.values()) - 1
            if number % 10 == 9 or number == MANY_ROUNDS - 1:
                assert nostra(*ALL, "-q").code == 0
                assert {name: sha256(tmp_path / name) for name in nostra.files()} == complete
        assert new > 0


def kill_after(process: subprocess.Popen[bytes], count: int, folder: Path) -> None:
    """Kill a process when `count` old files are replaced, or it has ended."""
    while process.poll() is None:
        if sum(path.stat().st_size > len("old") for path in folder.glob("many*")) >= count:
            break
    process.kill()


@covers("killed", "resume")
def test_the_partial_file_of_a_killed_run_is_resumed(home: Path, tmp_path: Path) -> None:
    with serving(large_bytes=SIZE) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = subprocess.Popen([NOSTRA, *LARGE, "-q"], cwd=tmp_path, env=dict(nostra.env))
        part = tmp_path / ".demo-large.csv.part"
        end = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size > SIZE // 10):
            assert time.monotonic() < end
        process.kill()
        process.wait()
        size = part.stat().st_size
        [entry] = nostra(*LARGE, "--json").json()
        assert entry["resumed"] is True
        assert sandbox.requests[-1].headers["range"] == f"bytes={size}-"


@covers("short", "resume")
def test_cut_ten_times_at_random_offsets(home: Path, tmp_path: Path) -> None:
    """The file is right, and hardly anything is fetched twice."""
    size, offsets = 50_000_000, random.Random(7)
    pieces = [offsets.randrange(100_000, 9_000_000) for _ in range(10)]
    rules = [f'[[fault]]\npath = "{CSV}"\ntimes = 1\ncut_after = {piece}\n' for piece in pieces]
    with faulty("".join(rules), large_bytes=size) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        [entry] = nostra(*LARGE, "--json").json()
        starts = [
            int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            for request in sandbox.requests
            if request.path == CSV
        ]
        whole = truth(sandbox)
    assert entry["sha256"] == whole
    assert len(starts) == 11
    again = sum(max(0, a + n - b) for a, n, b in zip(starts, pieces, starts[1:], strict=False))
    assert again <= size // 10


def truth(sandbox: Sandbox) -> str:
    """Return the hash of the body as curl downloads it, without faults."""
    command = [
        "curl",
        "-q",
        "-sSf",
        "--noproxy",
        "*",
        "-H",
        f"Authorization: Token {sandbox.token}",
    ]
    done = subprocess.run([*command, sandbox.base_url + CSV], capture_output=True, check=True)
    return hashlib.sha256(done.stdout).hexdigest()


# A small process in between: a peak counts from before the exec, and pytest itself is large.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
unit = 1 if sys.platform == "darwin" else 1024
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * unit)
"""


def peak(nostra: Runner, *args: str) -> tuple[int, int]:
    """Run to the end; return the exit code and the peak resident memory in bytes."""
    command = [sys.executable, "-I", "-c", MEASURE, NOSTRA]
    measured = nostra(*args, seconds=600, command=command)
    code, most = measured.out.split()
    return int(code), int(most)


@covers("bomb")
def test_memory_of_a_large_body(home: Path, tmp_path: Path) -> None:
    peaks = []
    for size in (10_000_000, 2_500_000_000):
        with serving(large_bytes=size) as sandbox:
            code, most = peak(runner_for(sandbox, home, tmp_path), *LARGE, "--overwrite", "-q")
        assert code == 0
        peaks.append(most)
    (tmp_path / "demo-large.csv").unlink()
    assert max(peaks) < 64 * MIB
    assert peaks[1] - peaks[0] < 8 * MIB


@covers("bomb", "huge-json")
@pytest.mark.parametrize(
    ("path", "args", "code"),
    [
        ("*/csv", ["download", "demo-dedup", "-f", "csv", "--timeout", "20s"], (7, 124)),
        ("*", ["status", "demo-dedup"], (7,)),
    ],
)
def test_memory_of_a_bomb(
    path: str, args: list[str], code: tuple[int, ...], home: Path, tmp_path: Path
) -> None:
    """Few bytes on the wire that inflate to gigabytes."""
    text = 'body = " "\nrepeat = 3_000_000_000\ngzip = "ok"'
    with faulty(f'[[fault]]\npath = "{path}"\n{text}\n') as sandbox:
        ended, most = peak(runner_for(sandbox, home, tmp_path), *args)
    assert ended in code
    assert most < 64 * MIB
    assert not list(tmp_path.iterdir())
