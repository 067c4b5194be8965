"""`python -m scripts.mutation`: how many small changes of the sources do the tests notice?

Each mutant is one seeded change at one place (a comparison turned, a call dropped, a number plus
one) in a copy of the tree. The quick tests run until one fails, those of the changed module first.
What no test notices is printed with its place.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
PACKAGE = "nostra_cli"
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
END_TO_END = ("commands", "cli", "terminal", "faults", "e2e")
"""The folders of the tests that reach most of the sources, and so run before the others."""
LEFT_OUT = (".git", ".venv*", "dist", "build", "*_cache", "__pycache__", ".hypothesis")


class Kind(StrEnum):
    """The kind of a change."""

    COMPARISON = "comparison turned"
    CALL = "call dropped"
    NUMBER = "number plus one"


@dataclass(frozen=True)
class Mutant:
    """One change of one file; `start` and `end` are offsets in its UTF-8 bytes."""

    path: str
    line: int
    kind: Kind
    start: int
    end: int
    before: str
    after: str

    def apply(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def __str__(self) -> str:
        """Return place and change on one line."""
        before = " ".join(self.before.split())
        return f"{self.path}:{self.line}: {self.kind}: {before} -> {self.after}"


class Outcome(StrEnum):
    """The outcome of a mutant."""

    NOTICED = "noticed"
    SURVIVED = "SURVIVED"
    TIMED_OUT = "timed out"


def mutants(path: str, source: bytes) -> Iterator[Mutant]:
    """Yield every change that can be made in a module."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for node, kind, changed in _changes(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        yield Mutant(path, node.lineno, kind, start, end, source[start:end].decode(), changed)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, Kind, str]]:
    """Yield the nodes that can be changed, each with its replacement."""
    if isinstance(node, ast.JoinedStr) or _is_type_checking(node):
        return  # Python 3.11 has no places for what is inside an f-string
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        turned = ast.Compare(node.left, [TURNED[type(node.ops[0])]()], node.comparators[:1])
        if len(node.ops) == 1:
            yield node, Kind.COMPARISON, f"({ast.unparse(turned)})"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, Kind.CALL, "pass"
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield node, Kind.NUMBER, str(node.value + 1)
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _changes(child)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def choose(found: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Choose `count` mutants, each kind equally often as far as there are enough."""
    chance = random.Random(seed)
    by_kind = [[mutant for mutant in found if mutant.kind is kind] for kind in Kind]
    for group in by_kind:
        chance.shuffle(group)
    chosen: list[Mutant] = []
    while len(chosen) < count and any(by_kind):
        chosen += [group.pop() for group in by_kind if group][: count - len(chosen)]
    return chosen


def ordered_tests(path: str, root: Path) -> list[str]:
    """Return all test files: first those of a module, then of its room, then of commands."""
    room, stem = Path(path).parent.name, Path(path).stem
    if room == PACKAGE:
        room = "tests"

    def rank(test: Path) -> tuple[bool, ...]:
        near = test.parent.name == room
        own = near and test.stem.startswith(f"test_{stem}")
        return not own, not near, test.parent.name not in END_TO_END

    tests = sorted(sorted(root.glob("tests/**/test_*.py")), key=rank)
    return [str(test.relative_to(root)) for test in tests]


class Copy:
    """A copy of the tree with an environment of its own, in which its `nostra` is installed."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Copy `root` to `folder`, and borrow the packages of this environment."""
        self.root = folder
        shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        venv.create(folder / ".venv", symlinks=True)
        binaries = folder / ".venv" / "bin"
        self.python = binaries / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = folder / ".venv" / "lib" / version / "site-packages"
        borrowed = sysconfig.get_path("purelib")
        (packages / "copy.pth").write_text(f"{folder}\n{borrowed}\n")
        script = binaries / "nostra"
        script.write_text(f"#!{self.python}\nfrom {PACKAGE}.__main__ import main\nmain()\n")
        script.chmod(0o755)
        self.ignored: list[str] = []

    def judge(self, mutant: Mutant, seconds: float) -> tuple[Outcome, str]:
        """Run the tests on a mutant until one notices it or the time is over; undo the change.

        Returns the test, too. It fails twice with the change and passes without: a test that
        fails because the machine is busy, or always, has noticed nothing.
        """
        path = self.root / mutant.path
        original, changed = path.read_bytes(), mutant.apply(path.read_bytes())
        tests = ordered_tests(mutant.path, self.root)
        end = time.monotonic() + seconds
        try:
            while True:
                self._write(path, changed)
                outcome, failed = self.run(tests, end)
                if outcome is not Outcome.NOTICED:
                    return outcome, ""
                again, _ = self.run(failed, end)
                self._write(path, original)
                if again is Outcome.NOTICED and self.run(failed, end)[0] is Outcome.SURVIVED:
                    return Outcome.NOTICED, failed[0].partition("[")[0]
                self.ignored += failed
                tests = [test for test in tests if test not in failed]
        finally:
            self._write(path, original)

    def run(self, tests: list[str], end: float) -> tuple[Outcome, list[str]]:
        """Run tests until the first failure, which is returned; stop at `end`."""
        command = [str(self.python), "-m", "pytest", "-x", "-q", "-m", "not slow", "--cache-clear"]
        process = subprocess.Popen(
            [*command, *(f"--deselect={test}" for test in self.ignored), *tests],
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(max(end - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Outcome.TIMED_OUT, []
        if code in (0, 5):  # 5: no test was left to run
            return Outcome.SURVIVED, []
        found = self.root / ".pytest_cache" / "v" / "cache" / "lastfailed"
        return Outcome.NOTICED, list(json.loads(found.read_text())) if found.exists() else tests[:1]

    def _write(self, path: Path, source: bytes) -> None:
        """Write a module, and remove what is compiled of it: its time and size may be the same."""
        path.write_bytes(source)
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            compiled.unlink()


def find(root: Path, *patterns: str) -> list[Mutant]:
    """Return every mutant of the modules that match a pattern."""
    paths = sorted(path for pattern in patterns for path in root.glob(pattern))
    return [
        mutant
        for path in paths
        for mutant in mutants(str(path.relative_to(root)), path.read_bytes())
    ]


def judge_all(root: Path, chosen: list[Mutant], jobs: int, seconds: float) -> list[Outcome]:
    """Judge mutants in `jobs` copies of the tree, and print each as it is judged."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            copies.put(Copy(root, Path(folder) / str(number)))

        def judge(mutant: Mutant) -> Outcome:
            copy = copies.get()
            try:
                outcome, test = copy.judge(mutant, seconds)
            finally:
                copies.put(copy)
            print(f"{outcome}: {mutant}{test and f'  [{test}]'}", flush=True)
            return outcome

        return list(pool.map(judge, chosen))


def main() -> None:
    """Read the command line, judge the mutants, print the totals."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__)
    parser.add_argument("-n", type=int, default=40, help="number of mutants (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: 0)")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for each mutant")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once (default: 2)")
    parser.add_argument(
        "--files", nargs="+", default=[f"{PACKAGE}/**/*.py"], help="patterns of the modules"
    )
    given = parser.parse_args()
    chosen = choose(find(ROOT, *given.files), given.n, given.seed)
    outcomes = judge_all(ROOT, chosen, given.jobs, given.timeout)
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in Outcome)
    print(f"{len(outcomes)} mutants (seed {given.seed}): {counts}")


if __name__ == "__main__":
    main()
