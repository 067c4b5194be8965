"""`nostra wait`, as a script sees it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import runner_for
from tests.running import NOSTRA, Ended, Runner
from tests.sandbox.calling import faulty

GROWING = '[invocation.job]\nstatuses = ["queued", "odd", "completed"]\n'


def objects(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def test_blocks_until_the_end_and_tells_of_each_change(home: Path, tmp_path: Path) -> None:
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


def test_quiet_says_nothing_but_data_and_errors(nostra: Runner) -> None:
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
