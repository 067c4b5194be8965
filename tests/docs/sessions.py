"""Run the sessions of a page: each page in a folder, a home and a sandbox of its own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from nostra_cli.sandbox.server import serving
from tests.conftest import runner_for
from tests.docs.pages import Block, read_blocks, steps
from tests.running import NOSTRA, Runner

FILE = "file: "
SESSION = "session"
WITHOUT_TOKEN = "session without a token"
"""Where `token.txt` holds the token, and the environment does not."""
_CLOCK_STEP = 1.0
"""Seconds that pass in the sandbox at each look at its clock."""
_VARYING = [
    (r"\b127\.0\.0\.1:\d{4,5}\b", "127.0.0.1:8000"),
    (r"(ca_certificates\t).*?\t", r"\1the system's certificate directory: /etc/ssl/certs\t"),
    (r"ends in \w{4}\b", "ends in 5e1f"),
    (r"\b(\d+) in \d+\.\d\d s", r"\1 in 0.04 s"),
    (r" in \d+\.\d s", " in 0.2 s"),
    (r'"seconds": \d[\d.e-]*', '"seconds": 0.031'),
    (r'"waited": \d[\d.e-]*', '"waited": 0.062'),
    (r'"at": "[^"]*"', '"at": "2026-01-05T09:30:02.118Z"'),
]
"""What differs from run to run, and what the pages show in its place."""


def run_shell(nostra: Runner, script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script with `nostra` on its PATH, its stderr within its stdout."""
    path = os.pathsep.join([str(Path(NOSTRA).parent), nostra.env["PATH"]])
    return subprocess.run(
        ["sh", "-c", script, "sh", *args],
        cwd=nostra.cwd,
        env={**nostra.env, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=600,
        check=False,
    )


def rewrite(path: Path, folder: Path, home: Path) -> str:
    """Return the text of a page with the outputs that its commands have now."""
    text = path.read_text(encoding="utf-8")
    clock = count(0.0, _CLOCK_STEP)
    with serving(clock=lambda: next(clock), large_bytes=3_000_017) as sandbox:
        nostra = runner_for(sandbox, home, folder)
        (folder / "token.txt").write_text(f"{sandbox.token}\n", encoding="utf-8")
        for old, new in reversed(list(_outputs(read_blocks(path), nostra, home))):
            text = text[: old.start] + new + text[old.end :]
    return text


def _outputs(blocks: Iterable[Block], nostra: Runner, home: Path) -> Iterable[tuple[Block, str]]:
    for block in blocks:
        if block.mark.startswith(FILE):
            (nostra.cwd / block.mark.removeprefix(FILE)).write_text(block.text, encoding="utf-8")
        elif block.mark in (SESSION, WITHOUT_TOKEN):
            hidden = {"NOSTRA_TOKEN": ""} if block.mark == WITHOUT_TOKEN else {}
            runner = Runner(nostra.cwd, {**nostra.env, **hidden})
            shown = "".join(_step(runner, home, command) for command, _ in steps(block.text))
            yield block, shown


def _step(nostra: Runner, home: Path, command: str) -> str:
    output = run_shell(nostra, command).stdout
    output = output.replace(str(nostra.cwd), "/home/me/work").replace(str(home), "/home/me")
    for pattern, shown in _VARYING:
        output = re.sub(pattern, shown, output)
    return f"$ {command}\n{output}"
