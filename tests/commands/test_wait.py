"""`nostra wait`, as a script sees it."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import runner_for
from tests.faults.raw import Raw, head, listening, ok, swallow
from tests.running import NOSTRA, Ended, Runner, clean_env
from tests.sandbox.calling import faulty
from tests.terminal import terminal

RUNNING = ok(b'{"status": "running"}')
GROWING = '[invocation.job]\nstatuses = ["queued", "odd", "completed"]\n'


def objects(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def test_blocks_until_the_end_and_reports_each_change(home: Path, tmp_path: Path) -> None:
    with faulty(GROWING) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "job")
    assert (ended.code, ended.out) == (0, "job\tcompleted\n")
    assert ended.err == "job: queued\njob: odd\njob: completed\n"
    assert len(sandbox.requests) == 3


def test_json_is_a_line_for_each_final_id(nostra: Runner) -> None:
    ended = nostra("wait", "demo-failed", "demo-dedup", "--json")
    assert [found["invocation"] for found in objects(ended)] == ["demo-failed", "demo-dedup"]
    assert (ended.code, ended.error["code"]) == (5, 5)


def test_a_failure_is_exit_5_and_the_others_are_waited_for(nostra: Runner) -> None:
    ended = nostra("wait", "demo-failed", "demo-dedup")
    assert (ended.code, ended.out) == (5, "demo-failed\tfailed\ndemo-dedup\tcompleted\n")
    assert "ended in error" in ended.err


def test_json_has_each_change_and_comes_line_by_line(home: Path, tmp_path: Path) -> None:
    rule = '[invocation.late]\nstatuses = ["queued", "completed"]\n'
    with faulty(rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        command = [NOSTRA, "wait", "late", "demo-dedup", "--json"]
        process = subprocess.Popen(command, env=nostra.env, stdout=subprocess.PIPE, text=True)
        with process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            asked = len(sandbox.requests)
            last = json.loads(process.stdout.read())
    assert (first["invocation"], asked, len(sandbox.requests)) == ("demo-dedup", 2, 3)
    assert last["invocation"] == "late"
    assert [seen["status"] for seen in last["transitions"]] == ["queued", "completed"]
    assert first["at"] < last["at"] == last["transitions"][1]["at"]
    assert first["waited"] < 1 <= last["waited"]


def test_any_returns_at_the_first_final_id(nostra: Runner) -> None:
    ended = nostra("wait", "demo-stuck", "demo-dedup", "--any")
    assert (ended.code, ended.out) == (0, "demo-dedup\tcompleted\n")


def test_fail_fast_returns_at_the_first_failure(nostra: Runner) -> None:
    assert nostra("wait", "demo-dedup", "demo-failed", "demo-stuck", "--fail-fast").code == 5
    assert nostra("wait", "nope", "demo-stuck", "--fail-fast").code == 4


def test_the_deadline_names_what_is_left(nostra: Runner) -> None:
    ended = nostra("wait", "demo-dedup", "demo-stuck", "--timeout", "1")
    assert (ended.code, ended.out) == (124, "demo-dedup\tcompleted\n")
    assert "still in progress: demo-stuck" in ended.err


@pytest.mark.parametrize("fault", ["status = 503", "status = 429\nretry_after = 0", "drop = true"])
def test_a_failed_poll_does_not_end_it(home: Path, tmp_path: Path, fault: str) -> None:
    rule = f'[[fault]]\npath = "*/job"\nafter = 1\ntimes = 1\n{fault}\n'
    with faulty(GROWING + rule) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "job", "--timeout", "30s")
    assert (ended.code, ended.out) == (0, "job\tcompleted\n")


def test_a_refused_token_ends_it_at_once(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/job"\nafter = 1\nstatus = 401\n'
    with faulty(GROWING + rule) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "job")
    assert (ended.code, len(sandbox.requests)) == (3, 2)


def test_quiet_shows_only_data_and_errors(nostra: Runner) -> None:
    ended = nostra("wait", "demo-dedup", "-q")
    assert (ended.out, ended.err) == ("demo-dedup\tcompleted\n", "")


def test_interval_replaces_the_growing_pause(home: Path, tmp_path: Path) -> None:
    statuses = ", ".join(['"running"'] * 9)
    with faulty(f'[invocation.job]\nstatuses = [{statuses}, "completed"]') as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "job", "--interval", "0.05s")
    assert (ended.code, len(sandbox.requests)) == (0, 10)


def test_demo_takes_some_seconds(home: Path, tmp_path: Path) -> None:
    with serving() as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "demo")
    assert ended.err.splitlines()[-1] == "demo: completed"
    assert len(sandbox.requests) > 2


def test_wait_needs_an_id(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    assert nostra("wait").code == 2
    assert not sandbox.requests


@contextlib.contextmanager
def service(home: Path, cwd: Path) -> Iterator[tuple[Runner, Raw]]:
    """Serve ids by their names: `good`, `failed` and `running`; `sick` is 503, `bad` hangs."""
    unavailable = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"
    answers = {
        b"good": ok(b'{"status": "completed", "invocationResults": {}}'),
        b"failed": ok(b'{"status": "failed"}'),
        b"running": RUNNING,
        b"sick": unavailable,
        b"gone": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    }

    def handle(connection: socket.socket, _number: int) -> None:
        while asked := head(connection):
            name = asked.split()[1].rpartition(b"/")[2].rstrip(b"0123456789")
            raw.heads.append(asked)
            if name not in answers:
                swallow(connection)
                return
            connection.sendall(answers[name])

    with listening(handle) as raw:
        env = clean_env(home, NOSTRA_BASE_URL=raw.base_url, NOSTRA_TOKEN="t0ken", NO_COLOR="1")
        yield Runner(cwd, env), raw


MANY_BAD = [f"bad{number}" for number in range(8)]


@pytest.mark.parametrize(
    "arguments",
    [("bad", "good"), ("sick", "good"), (*MANY_BAD, "good"), ("running", "sick", "bad", "good")],
    ids=" ".join,
)
def test_any_returns_at_once_though_another_poll_hangs_or_fails(
    home: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with service(home, tmp_path) as (nostra, _):
        ended = nostra("wait", *arguments, "--any", seconds=4)
    assert (ended.code, ended.out) == (0, "good\tcompleted\n")


def test_fail_fast_returns_at_once_though_another_poll_hangs(home: Path, tmp_path: Path) -> None:
    with service(home, tmp_path) as (nostra, _):
        ended = nostra("wait", "bad", "failed", "good", "--fail-fast", seconds=4)
    assert ended.code == 5


def test_the_deadline_passes_while_polls_hang(home: Path, tmp_path: Path) -> None:
    with service(home, tmp_path) as (nostra, _):
        ended = nostra("wait", *MANY_BAD, "good", "sick", "--timeout", "2", seconds=4)
    assert (ended.code, ended.out) == (124, "good\tcompleted\n")
    assert "still in progress: bad0, bad1, bad2 and 6 more" in ended.err


def test_each_of_many_ids_is_accounted_for(home: Path, tmp_path: Path) -> None:
    ids = ["good1", "gone2", "failed3", "running4", "good5"]
    with service(home, tmp_path) as (nostra, _):
        ended = nostra("wait", *ids, "--timeout", "1.5", "--json", seconds=5)
    assert [found["invocation"] for found in objects(ended)] == ["good1", "failed3", "good5"]
    errors = [line for line in ended.err.splitlines() if line.startswith('{"error"')]
    assert [json.loads(line)["error"]["code"] for line in errors] == [4, 5, 124]
    assert "running4" in errors[2]
    assert ended.code == 4


def test_download_waits_for_the_others_while_it_transfers(home: Path, tmp_path: Path) -> None:
    """The transfer of `first` ends only once `late` was polled often enough to be completed."""
    polled = threading.Event()
    polls: list[bytes] = []
    result = {f"{format_}Available": format_ == "csv" for format_ in ("json", "csv", "xlsx")}
    described = {"r": result | {"primaryResult": True, "status": "completed"}}
    done = ok(json.dumps({"status": "completed", "invocationResults": described}).encode())

    def handle(connection: socket.socket, _number: int) -> None:
        while asked := head(connection):
            path = asked.split()[1]
            if path.endswith(b"/first/csv"):
                assert polled.wait(10)
            if path.endswith(b"/csv"):
                connection.sendall(ok(b"a,b\n1,2\n"))
                continue
            polls.append(path)
            late = polls.count(b"/api/invocation/late")
            if late == 3:
                polled.set()
            connection.sendall(done if path.endswith(b"/first") or late > 2 else RUNNING)

    with listening(handle) as raw:
        env = clean_env(home, NOSTRA_BASE_URL=raw.base_url, NOSTRA_TOKEN="t0ken")
        command = ["download", "first", "late", "--wait", "--interval", "0.1", "-j", "1"]
        ended = Runner(tmp_path, env)(*command, seconds=9)
    assert (ended.code, ended.out) == (0, "first.csv\nlate.csv\n")


def test_download_reports_the_others_though_a_poll_hangs(home: Path, tmp_path: Path) -> None:
    """`good` has no results, which is an error that comes before the deadline does."""
    with service(home, tmp_path) as (nostra, _):
        ended = nostra("download", "bad", "good", "--wait", "--timeout", "2", seconds=25)
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert (ended.code, len(errors)) == (4, 2)
    assert "no results" in errors[0]


@pytest.mark.parametrize("command", ["wait", "download"])
def test_an_interrupt_ends_hanging_polls_within_a_second(
    home: Path, tmp_path: Path, command: str
) -> None:
    with service(home, tmp_path) as (nostra, raw):
        more = ["--wait"] if command == "download" else []
        process = subprocess.Popen(
            [NOSTRA, command, *MANY_BAD, *more], env=nostra.env, stderr=subprocess.PIPE
        )
        end = time.monotonic() + 20
        while len(raw.heads) < len(MANY_BAD):
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 1.5
    assert (process.returncode, b"Traceback" in err) == (130, False)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("option", ["--any", "--fail-fast", "--timeout=1.5"])
def test_the_table_of_a_wait_that_ends_early_has_what_is_not_final(
    home: Path, tmp_path: Path, option: str
) -> None:
    ids = ["gone", "good", "running", "bad"]
    with (
        service(home, tmp_path) as (nostra, _),
        terminal([NOSTRA, "wait", *ids, option], nostra.env, tmp_path) as shown,
    ):
        assert shown.read_to_end(10) == 4
    text = shown.seen.decode()
    rows = [
        line.split() for line in text.splitlines() if line.startswith(("good ", "running ", "bad "))
    ]
    assert [row[0] for row in rows] == ["good", "running", "bad"], text


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_table_after_an_interrupt_has_what_is_not_final(home: Path, tmp_path: Path) -> None:
    with (
        service(home, tmp_path) as (nostra, _),
        terminal([NOSTRA, "wait", "running", "good"], nostra.env, tmp_path) as shown,
    ):
        shown.read_until(b"running: running")
        shown.process.send_signal(signal.SIGINT)
        assert shown.read_to_end(10) == 130
    assert [line.split() for line in shown.seen.decode().splitlines()[-2:]] == [
        ["running", "running"],
        ["good", "completed"],
    ]
