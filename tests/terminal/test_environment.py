"""Odd encodings, sizes and streams: never exit 1, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.faults.catalogue import covers
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("these are streams of POSIX", allow_module_level=True)

from tests.terminal import DRAWN_AT_ONCE, HIDE_CURSOR, cursor_is_shown, terminal

DESCRIPTION = (
    '{"primaryResult": true, "status": "completed", "jsonAvailable": true,'
    ' "csvAvailable": true, "xlsxAvailable": false}'
)
ODD = f"""
[[fault]]
path = "*/odd"
body = '{{"status": "completed", "invocationResults": {{"résult-完": {DESCRIPTION}}}}}'
[[fault]]
path = "*/busy"
body = '{{"status": "läuft \\u20ac"}}'
[[fault]]
path = "*/csv"
body = "größe,€\\nü,完\\n"
"""
ENCODINGS = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "strict ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "utf-16": {"PYTHONIOENCODING": "utf-16"},
    "idna": {"PYTHONIOENCODING": "idna"},
}
SIZES = {
    "thirty digits": {"COLUMNS": "9" * 30, "LINES": "9" * 30},
    "five thousand digits": {"COLUMNS": "9" * 5000, "LINES": "9" * 5000},
    "zero": {"COLUMNS": "0", "LINES": "0"},
    "negative": {"COLUMNS": "-1", "LINES": "-1"},
    "no number": {"COLUMNS": "wide", "LINES": "½"},
    "empty": {"COLUMNS": "", "LINES": ""},
    "one": {"COLUMNS": "1", "LINES": "1"},
    "other terminals": {"TTY_INTERACTIVE": "0", "TERM": "unknown", "COLORTERM": "truecolor"},
}
# Passes its own descriptors on, none of which blocks.
NOT_BLOCKING = (
    sys.executable,
    "-c",
    """
import os, sys
for fd in range(3):
    os.set_blocking(fd, False)
os.execv(sys.argv[1], sys.argv[1:])
""",
)


CODES = {
    "status odd busy": 0,
    "results odd": 0,
    "wait odd": 0,
    "wait busy --timeout 0.3": 124,
    "download odd -f csv --overwrite": 0,
    "download odd none -f csv --overwrite": 4,
    "preview odd -f csv": 0,
    "--help": 0,
}


DRAWN = ["status odd busy", "wait busy --timeout 0.3", "download odd none -f csv --overwrite"]


def check_terminal(nostra: Runner, commands: Iterable[str], columns: int = 80) -> None:
    for command in commands:
        args = [*DRAWN_AT_ONCE, *command.split()]
        with terminal(args, nostra.env, nostra.cwd, columns) as shown:
            assert shown.read_to_end() == CODES[command], (command, shown.seen)
        assert cursor_is_shown(shown.seen)


@pytest.fixture
def odd(home: Path, tmp_path: Path) -> Iterator[Runner]:
    with faulty(ODD) as sandbox:
        yield runner_for(sandbox, home, tmp_path)


@covers("streams")
@pytest.mark.parametrize("env", ENCODINGS.values(), ids=ENCODINGS)
def test_everything_is_shown_in_an_odd_encoding(env: dict[str, str], odd: Runner) -> None:
    check_terminal(replace(odd, env={**odd.env, **env}), CODES)


@covers("streams")
@pytest.mark.parametrize("env", SIZES.values(), ids=SIZES)
def test_everything_is_shown_at_an_odd_size(env: dict[str, str], odd: Runner) -> None:
    check_terminal(replace(odd, env={**odd.env, **env}), DRAWN)


@covers("streams")
@pytest.mark.parametrize("columns", [1, 2, 20])
def test_everything_is_shown_at_a_narrow_terminal(columns: int, odd: Runner) -> None:
    check_terminal(odd, DRAWN, columns)


@covers("streams")
@pytest.mark.parametrize("env", ENCODINGS.values(), ids=ENCODINGS)
def test_a_pipe_gets_everything_in_an_odd_encoding(env: dict[str, str], odd: Runner) -> None:
    for command in ("status odd busy", "download odd none -f csv --overwrite"):
        done = subprocess.run(
            [NOSTRA, *command.split()],
            env={**odd.env, **env},
            cwd=odd.cwd,
            capture_output=True,
            check=False,
        )
        assert done.returncode == CODES[command], (command, done)


def slowly(process: subprocess.Popen[bytes]) -> bytes:
    """Read stdout only once the process waits for its reader, with the pipe full."""
    assert process.stdout is not None
    found = bytearray()
    while piece := os.read(process.stdout.fileno(), 4096):
        found += piece
    return bytes(found)


@covers("streams")
def test_a_body_is_complete_on_a_stdout_that_does_not_block(home: Path, tmp_path: Path) -> None:
    with faulty("", large_bytes=3_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ["download", "demo-large", "-f", "csv", "-o", "-"]
        command = [*NOT_BLOCKING, NOSTRA, *args]
        with subprocess.Popen(
            command, env=nostra.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        ) as process:
            found = slowly(process)
        assert process.returncode == 0
        assert nostra(*args).out.encode() == found


@covers("streams")
def test_messages_are_complete_on_a_stderr_that_does_not_block(nostra: Runner) -> None:
    ids = [f"{'x' * 300}-{number}" for number in range(400)]
    command = [*NOT_BLOCKING, NOSTRA, "status", *ids]
    with subprocess.Popen(
        command, env=nostra.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        found = slowly(process).decode()
    assert process.returncode == 4
    assert found.count("error: ") == len(ids)
    assert found.endswith("\n")


@covers("streams")
def test_ids_are_complete_on_a_stdin_that_does_not_block(nostra: Runner) -> None:
    command = [*NOT_BLOCKING, NOSTRA, "status", "-"]
    with subprocess.Popen(
        command, env=nostra.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for line in (b"demo-dedup\n", b"demo-failed\n"):
            process.stdin.write(line)
            process.stdin.flush()
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b"demo-dedup\tcompleted\ndemo-failed\tfailed\n"


@covers("streams")
def test_a_terminal_that_does_not_block_works_like_any_other(nostra: Runner) -> None:
    command = [*NOT_BLOCKING, *DRAWN_AT_ONCE, "status", "demo-dedup"]
    with terminal(command, nostra.env, nostra.cwd) as shown:
        assert shown.read_to_end() == 0
    assert b"completed" in shown.seen


@covers("streams")
@pytest.mark.parametrize("args", ["status demo-dedup", "--help", "download demo-dedup -o - -f csv"])
def test_a_full_disk_behind_stdout_is_a_file_problem(nostra: Runner, args: str) -> None:
    ended = nostra(command=["sh", "-c", f"{NOSTRA} {args} > /dev/full"])
    assert (ended.code, ended.err.count("cannot write to stdout: No space left")) == (8, 1)


@covers("signals")
def test_a_process_in_the_background_draws_nothing(home: Path, tmp_path: Path) -> None:
    """Because a shell has the terminal, and the user types there."""
    with faulty('[[fault]]\npath = "*"\ndelay = 1.0\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        script = f"set -m; {NOSTRA} status demo-dedup & wait $!; echo done $?"
        with terminal(["sh", "-c", script], nostra.env, tmp_path, controlling=True) as shown:
            shown.read_until(b"done 0")
    assert HIDE_CURSOR not in shown.seen
    assert b"completed" in shown.seen
