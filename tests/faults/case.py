"""A fault as data, and the requirements for a run with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import requests

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.faults.catalogue import register
from tests.running import HURRIED, NOSTRA, Ended
from tests.sandbox.calling import faulty

CSV = "/api/invocation/demo-dedup/csv"
STATUS = "/api/invocation/demo-dedup"
OLD = "old,bytes\n"


@dataclass(frozen=True)
class Case:
    """A fault (TOML), a command, and its expected outcome."""

    line: str
    name: str
    toml: str
    code: int
    said: tuple[str, ...] = ()
    args: tuple[str, ...] = ("download", "demo-dedup", "-f", "csv")
    requests: int | None = None
    part: bool = False
    env: tuple[tuple[str, str], ...] = ()
    seconds: float = 40.0
    large: int = 1_000_000

    @property
    def command(self) -> tuple[str, ...]:
        """The installed nostra, with shorter pauses where retries only cost time."""
        repeats = self.code in (6, 7) or "times = " in self.toml
        timed = self.line in ("for-ever", "retry-after", "retry-after-deadline", "slow")
        return HURRIED if repeats and not timed else (NOSTRA,)

    def __str__(self) -> str:
        """Return its name in the list of tests."""
        return f"{self.line}-{self.name}"


def table(module: str, cases: list[Case]) -> list[Case]:
    """Register the cases of a module, and return them."""
    for case in cases:
        register(case.line, f"{module.rpartition('.')[2]}[{case.name}] -> {case.code}")
    return cases


def both(cases: list[Case]) -> list[tuple[Case, bool]]:
    """Return each case without and with an old file as its target.

    A case that takes seconds of retries, or is no download, is returned once.
    """
    pairs = []
    for number, case in enumerate(cases):
        once = case.code == 6 or case.args[0] != "download"
        pairs += [(case, bool(number % 2))] if once else [(case, False), (case, True)]
    return pairs


def check(case: Case, home: Path, folder: Path, old: bool) -> tuple[Ended, Sandbox]:
    """Run a case and assert its outcome and the invariants; `old`: a file is to be replaced."""
    with faulty(case.toml, case.large) as sandbox:
        nostra = runner_for(sandbox, home, folder)
        name = f"{case.args[1]}.csv"
        if old:
            (folder / name).write_text(OLD)
        args = [*case.args, "--overwrite"] if case.args[0] == "download" else [*case.args]
        began = time.monotonic()
        ended = nostra(*args, env=dict(case.env), seconds=case.seconds, command=case.command)
        assert time.monotonic() - began < case.seconds
        assert ended.code == case.code, ended
        for word in case.said:
            assert word in ended.err, ended.err
        if case.requests is not None:
            assert len(sandbox.requests) == case.requests
        if case.args[0] == "download":
            check_files(case, sandbox, folder / name, old)
        check_secrets(sandbox, home, folder)
    return ended, sandbox


def check_files(case: Case, sandbox: Sandbox, target: Path, old: bool) -> None:
    """Check that the target is old or complete, and that a part file is kept only as expected."""
    if case.code == 0:
        assert target.read_bytes() == truth(sandbox, case.args[1])
    elif old:
        assert target.read_text() == OLD
    else:
        assert not target.exists()
    parts = {f".{target.name}.part", f".{target.name}.part.json"}
    expected = {target.name} if target.exists() else set()
    found = {path.name for path in target.parent.iterdir()}
    assert found == (expected | parts if case.part else expected)


def truth(sandbox: Sandbox, invocation: str) -> bytes:
    """Return the true body: the request by the result's id has no fault."""
    headers = {"Authorization": f"Token {sandbox.token}"}
    base = f"{sandbox.base_url}/api/invocation/{invocation}"
    found = requests.get(base, headers=headers, timeout=20).json()["invocationResults"]
    [primary] = [name for name, result in found.items() if result["primaryResult"]]
    return requests.get(f"{base}/result/{primary}/csv", headers=headers, timeout=60).content


def check_secrets(sandbox: Sandbox, *folders: Path) -> None:
    """Check that no file holds the token."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                assert sandbox.token.encode() not in path.read_bytes(), path
