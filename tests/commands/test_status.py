"""`nostra status`, as a script sees it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.faults.raw import head, listening, ok
from tests.running import HURRIED, NOSTRA, Runner, clean_env
from tests.sandbox.calling import faulty


def test_prints_id_and_status_separated_by_a_tab(nostra: Runner) -> None:
    ended = nostra("status", "demo-dedup", "demo-stuck", "demo-failed")
    assert ended.code == 0
    assert ended.out == "demo-dedup\tcompleted\ndemo-stuck\trunning\ndemo-failed\tfailed\n"
    assert ended.err == ""


def test_json_is_an_array_with_every_key_of_the_service(nostra: Runner) -> None:
    statuses = nostra("status", "demo-dedup", "demo-stuck", "--json").json()
    assert [status["invocation"] for status in statuses] == ["demo-dedup", "demo-stuck"]
    assert [status["outcome"] for status in statuses] == ["completed", "in_progress"]
    assert statuses[0]["status"] == "completed"
    assert statuses[0]["invocationType"] == "deduplication"
    assert len(statuses[0]["invocationResults"]) == 1
    assert statuses[1]["invocationResults"] is None


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["demo-dedup"], 0),
        (["demo-failed"], 5),
        (["demo-stuck"], 9),
        (["demo-dedup", "demo-stuck", "demo-failed"], 9),
        (["nope", "demo-failed"], 4),
        (["demo-failed", "nope"], 5),
    ],
)
def test_exit_status(nostra: Runner, ids: Sequence[str], code: int) -> None:
    assert nostra("status", "--exit-status", *ids).code == code


def test_an_id_that_fails_leaves_the_others(nostra: Runner) -> None:
    ended = nostra("status", "nope", "demo-dedup", "--json")
    statuses = ended.json()
    assert (ended.code, len(statuses), ended.error["kind"]) == (4, 1, "not_found")


def test_ids_come_from_stdin_and_count_once(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    ended = nostra("status", "-", "demo-stuck", stdin="demo-dedup\n\ndemo-stuck\r\ndemo-dedup\n")
    assert ended.out == "demo-dedup\tcompleted\ndemo-stuck\trunning\n"
    assert len(sandbox.requests) == 2


def test_options_come_before_and_after_the_ids(nostra: Runner, sandbox: Sandbox) -> None:
    flags = ["--base-url", sandbox.base_url, "-q", "--color", "never"]
    env = {"NOSTRA_BASE_URL": "https://127.0.0.1:1"}
    assert nostra("status", *flags, "demo-dedup", env=env).out == "demo-dedup\tcompleted\n"
    assert nostra("status", "demo-dedup", *flags, env=env).out == "demo-dedup\tcompleted\n"


def test_control_characters_of_the_server_are_neutralised(home: Path, tmp_path: Path) -> None:
    status = r"run\u001b[31mning\tnow\u202e\u009b"
    with faulty(f"[[fault]]\npath = '*'\nbody = '{{\"status\": \"{status}\"}}'") as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("status", "x")
        assert ended.out == "x\trun\\x1b[31mning\\tnow\\u202e\\x9b\n"
        seen = nostra("status", "x", "--json").json()
        assert seen[0]["status"] == "run\x1b[31mning\tnow\u202e\x9b"
        assert "\u202e" not in nostra("status", "x", "--json").out


def test_colour_only_if_it_is_requested(nostra: Runner) -> None:
    forced = {"FORCE_COLOR": "1", "GITHUB_ACTIONS": "true", "CLICOLOR_FORCE": "1"}
    assert "\x1b" not in nostra("status", "demo-dedup", env=forced).out
    assert nostra("status", "demo-dedup", "--color", "always").out == (
        "demo-dedup\t\x1b[32mcompleted\x1b[0m\n"
    )


def test_trace_has_the_exchange_without_the_token(nostra: Runner) -> None:
    ended = nostra("status", "demo-dedup", "-v")
    assert "> GET http://127.0.0.1" in ended.err
    assert "authorization: ***" in ended.err
    assert "< 200 OK" in ended.err


def test_runs_without_a_writable_home(nostra: Runner) -> None:
    ended = nostra("status", "demo-dedup", env={"HOME": "/nonexistent"})
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(("setting", "at_once"), [("", 8), ("jobs = 3", 3), ("jobs = 1", 1)])
def test_up_to_jobs_ids_are_requested_at_once_and_shown_in_order(
    home: Path, tmp_path: Path, setting: str, at_once: int
) -> None:
    """Respond to each request only when `at_once` requests have arrived; more must not arrive."""
    gate, asking, counts = threading.Barrier(at_once), set(), []

    def handle(connection: socket.socket, number: int) -> None:
        while request := head(connection):
            asking.add(number)
            with contextlib.suppress(threading.BrokenBarrierError):
                gate.wait(10)
            counts.append(len(asking))
            asking.discard(number)
            id_ = request.split()[1].rpartition(b"/")[2]
            connection.sendall(ok(b'{"status": "is-%s"}' % id_))

    ids = [f"id{number}" for number in range(at_once * 4)]
    with listening(handle) as server:
        env = clean_env(home, NOSTRA_BASE_URL=server.base_url, NOSTRA_TOKEN="t0ken")
        config = home / "config.toml"
        config.write_text(f"[profiles.default]\n{setting}\n")
        config.chmod(0o600)
        more = {"NOSTRA_CONFIG": str(config)}
        ended = Runner(tmp_path, env)("status", *ids, env=more, seconds=9)
    assert ended.out == "".join(f"{id_}\tis-{id_}\n" for id_ in ids)
    assert max(counts) == at_once


def test_connections_are_reused(home: Path, tmp_path: Path) -> None:
    numbers: set[int] = set()

    def handle(connection: socket.socket, number: int) -> None:
        while head(connection):
            numbers.add(number)
            connection.sendall(ok(b'{"status": "running"}'))

    ids = [f"id{number}" for number in range(40)]
    with listening(handle) as server:
        env = clean_env(home, NOSTRA_BASE_URL=server.base_url, NOSTRA_TOKEN="t0ken")
        assert Runner(tmp_path, env)("status", *ids).code == 0
    assert len(numbers) <= 8


def test_json_of_many_is_one_array_in_order(nostra: Runner) -> None:
    ids = ["demo-dedup", "nope", "demo-stuck", "demo-failed"]
    ended = nostra("status", *ids, "--json")
    assert [status["invocation"] for status in ended.json()] == [ids[0], *ids[2:]]
    assert ended.code == 4


@pytest.mark.parametrize("command", ["status", "wait", "results", "download", "preview"])
def test_an_id_of_70000_characters_is_a_usage_error(nostra: Runner, command: str) -> None:
    ended = nostra(command, "x" * 70_000)
    assert (ended.code, len(ended.err) < 400) == (2, True)


def test_an_id_of_the_maximum_length_is_requested(nostra: Runner) -> None:
    assert nostra("status", "ü" * 2048).code == 4


@pytest.mark.skipif(sys.platform == "win32", reason="no such locale")
def test_ids_are_utf_8_where_the_locale_is_not(nostra: Runner, sandbox: Sandbox) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    sandbox.requests.clear()
    assert nostra("status", "größe", "-", stdin="naïve\n", env=ascii_only).code == 4
    segments = sorted(request.path.rpartition("/")[2] for request in sandbox.requests)
    assert segments == ["gr%C3%B6%C3%9Fe", "na%C3%AFve"]


@pytest.mark.skipif(sys.platform == "win32", reason="no ulimit")
@pytest.mark.parametrize(("limit", "code"), [(5, 8), (9, 0), (32, 0)])
def test_a_limit_of_open_files_is_waited_for_or_an_error_of_its_own(
    home: Path, tmp_path: Path, limit: int, code: int
) -> None:
    """Where some connections can be opened, all requests go through these."""
    command = HURRIED if code else (NOSTRA,)
    shell = ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command)
    with faulty("[[fault]]\npath = '*'\ndelay = 0.05\nbody = '{\"status\": \"x\"}'") as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("status", *(f"id{number}" for number in range(20)), command=shell)
    assert ended.code == code, ended.err
    assert ("raise the limit (ulimit -n)" in ended.err) == (code == 8)
