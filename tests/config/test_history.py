"""The history of used ids: its content, its limits, and failures that are ignored."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from nostra_cli.config import history
from nostra_cli.models import Format, Invocation, Result
from nostra_cli.sandbox.server import Sandbox
from tests.faults.secured import over_tls
from tests.running import NOSTRA, Runner, clean_env

SERVICE = "https://nostradamus.u-hopper.com"


def used(*ids: str, status: str = "running") -> list[Invocation]:
    return [Invocation(id_, status, (), {}) for id_ in ids]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def ids(env: dict[str, str]) -> list[str]:
    return [entry.id for entry in history.read(env)]


def test_the_newest_comes_first_and_once(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("a", "b"))
    history.record(env, SERVICE, used("c", "a", status="completed"))
    assert ids(env) == ["c", "a", "b"]
    assert [entry.status for entry in history.read(env)] == ["completed", "completed", "running"]


def test_the_same_id_of_two_services_is_two_entries(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("a"))
    history.record(env, "https://B.example:8443/path", used("a"))
    assert [(entry.origin, entry.id) for entry in history.read(env)] == [
        ("https://b.example:8443", "a"),
        (SERVICE, "a"),
    ]


def test_the_number_of_entries_is_limited(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("old", "x" * 201))
    many = tuple(Result(str(n), n == 0, "completed", frozenset()) for n in range(1000))
    history.record(env, SERVICE, [Invocation("many", "completed", many, {})])
    assert ids(env) == ["many", "old"]
    assert len(history.read(env)[0].results) == 20
    history.record(env, SERVICE, used(*map(str, range(50))))
    assert ids(env)[50:] == ["many", "old"]
    assert not history.read(env)[50].results
    history.record(env, SERVICE, used(*map(str, range(1000))))
    assert ids(env) == [str(n) for n in range(history.MAX_IDS)]


def test_results_are_kept_with_their_formats(env: dict[str, str]) -> None:
    results = (
        Result("z", True, "completed", frozenset({Format.XLSX, Format.CSV})),
        Result("a", False, "error", frozenset()),
    )
    history.record(env, SERVICE, [Invocation("a", "completed", results, {"secret": "x"})])
    assert list(history.read(env)[0].results.items()) == [("z", "csv xlsx"), ("a", "")]
    assert "secret" not in history.history_path(env).read_text()


def test_known_entries_are_not_written_again(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("a", "b"))
    before = history.history_path(env).stat()
    history.record(env, SERVICE, used("a", "b"))
    history.record(env, SERVICE, [])
    assert history.history_path(env).stat() == before
    history.record(env, SERVICE, used("b"))
    assert history.history_path(env).stat().st_ino != before.st_ino


def test_nobody_else_can_read_it(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("a"))
    path = history.history_path(env)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent)] == [0o600, 0o700]
    assert [p.name for p in path.parent.iterdir()] == ["history.json"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://localhost", "http://[::1]:1"])
def test_a_sandbox_is_not_remembered(env: dict[str, str], url: str) -> None:
    history.record(env, url, used("a"))
    assert not history.history_path(env).exists()


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "broken",
    ["", "{", "null", "[1]", '["abcd"]', '[["a", "b"]]', "\udcff", DEEP, '[[[], "a", "b", {}]]'],
)
def test_a_broken_file_is_read_as_empty(env: dict[str, str], broken: str) -> None:
    path = history.history_path(env)
    path.parent.mkdir(parents=True)
    path.write_bytes(broken.encode("utf-8", "surrogateescape"))
    assert history.read(env) == []
    history.record(env, SERVICE, used("a"))
    assert ids(env) == ["a"]


def test_words_of_another_kind_are_refused(env: dict[str, str]) -> None:
    history.record(env, SERVICE, used("a"))
    path = history.history_path(env)
    for wrong in ("[]", "1", '{"a": [1]}', '{"a": "b"}, 1'):
        path.write_text(f'[["x", "a", "b", {wrong}]]')
        assert history.read(env) == []


def test_a_history_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        history.record({"XDG_STATE_HOME": str(folder)}, SERVICE, used("a"))
    (tmp_path / "nostra" / "history.json").mkdir(parents=True)
    history.record({"XDG_STATE_HOME": str(tmp_path)}, SERVICE, used("a"))
    assert [path.name for path in (tmp_path / "nostra").iterdir()] == ["history.json"]


@pytest.fixture
def service(sandbox: Sandbox, home: Path, tmp_path: Path) -> Iterator[Runner]:
    """Yield `nostra` with a service whose host name is not a loopback one."""
    authority = trustme.CA()
    file = home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with over_tls(sandbox, authority.issue_cert("0.0.0.0")) as raw:
        env = clean_env(home, NOSTRA_TOKEN=sandbox.token, SSL_CERT_FILE=str(file))
        yield Runner(tmp_path, {**env, "NOSTRA_BASE_URL": f"https://0.0.0.0:{raw.port}"})


def remembered(home: Path) -> list[str]:
    path = home / ".local/state/nostra/history.json"
    text = path.read_text() if path.exists() else "[]"
    return [id_ for _, id_, *_ in json.loads(text)]


def test_every_command_that_sends_requests_records_ids(service: Runner, home: Path) -> None:
    assert service("status", "demo-stuck", "nope").code == 4
    assert remembered(home) == ["demo-stuck"]
    assert service("wait", "demo-failed").code == 5
    assert service("results", "demo-partial").code == 0
    assert service("download", "demo-dedup").code == 0
    assert remembered(home) == ["demo-dedup", "demo-partial", "demo-failed", "demo-stuck"]
    text = (home / ".local/state/nostra/history.json").read_text()
    assert service.env["NOSTRA_TOKEN"] not in text
    results = json.loads(text)[1][3]
    listed = service("results", "demo-partial").out.splitlines()
    assert list(results) == [line.split("\t")[0] for line in listed]
    env = {
        "_NOSTRA_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": "nostra wait demo-s",
    }
    assert service(env=env).out == "demo-stuck\trunning\n"


def test_it_can_be_switched_off(service: Runner, home: Path) -> None:
    config = home / "config.toml"
    config.write_text("[profiles.default]\nhistory = false\n")
    config.chmod(0o600)
    ended = service("status", "demo-stuck", env={"NOSTRA_CONFIG": str(config)})
    assert (ended.code, ended.err) == (0, "")
    assert remembered(home) == []
    config.write_text("[profiles.default]\nhistory = 'no'\n")
    ended = service("status", "demo-stuck", env={"NOSTRA_CONFIG": str(config)})
    assert (ended.code, remembered(home)) == (2, [])
    assert "must be true or false" in ended.err


def test_an_unwritable_home_is_ignored(service: Runner) -> None:
    ended = service("status", "demo-stuck", env={"HOME": "/proc/nowhere"})
    assert (ended.code, ended.err) == (0, "")


def test_a_command_in_the_sandbox_leaves_no_trace(nostra: Runner, home: Path) -> None:
    assert nostra("status", "demo-stuck").code == 0
    assert nostra("sandbox", "exec", "--", NOSTRA, "status", "demo-stuck").code == 0
    assert not (home / ".local").exists()
