"""Bad input and bad environments: one line with a hint, the right code, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.running import Ended, Runner


def assert_error(ended: Ended, code: int, *words: str) -> None:
    """Check that the run ends with one error line and a hint, and nothing on stdout."""
    lines = ended.err.splitlines()
    assert ended.code == code, ended
    assert ended.out == ""
    assert [line.split(":")[0] for line in lines[-2:]] == ["error", "hint"], ended.err
    for word in words:
        assert word in ended.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["status"], ["ID"]),
        (["status", "--no-such", "x"], ["--no-such"]),
        (["statsu"], ["status"]),
        (["download", "demo", "-f", "xlxs"], ["xlxs", "json", "csv", "xlsx"]),
        (["download", "demo", "--timeout", "soon"], ["soon", "15m"]),
        (["download", "demo", "-o", "a.csv", "-d", "."], ["-o", "-d"]),
        (["download", "demo", "-o", "a.csv", "--name", "x"], ["-o", "--name"]),
        (["download", "demo", "-d", ""], ["-d", "leave it out"]),
        (["download", "a", "b", "-o", "a.csv"], ["-o", "several"]),
        (["download", "a", "-o", "a.csv", "-f", "csv", "-f", "json"], ["-o", "several"]),
        (["download", "a", "-o", "a.csv", "--all-results"], ["-o", "several"]),
        (["download", "a", "-o", "-", "-f", "all"], ["-o", "several"]),
        (["download", "demo", "--overwrite", "--skip-existing"], ["--overwrite"]),
        (["download", "demo", "-r", "x", "--all-results"], ["--all-results"]),
        (["download", "demo", "--name", "../{invocation}"], ["--name"]),
        (["download", "demo", "--name", "{invocation.__class__}"], ["--name"]),
        (["download", "demo", "--name", "{nothing}"], ["--name"]),
        (["status", ""], ["id"]),
        (["status", ".."], ["id"]),
        (["status", "a\x1b[31mb"], ["id"]),
        (["results", "-"], ["no id on stdin"]),
        (["preview", "-"], ["no id on stdin"]),
        (["sandbox", "run"], ["unexpected argument: run", "exec"]),
        (["sandbox", "exec"], ["COMMAND is missing", "exec"]),
        (["status", "x", "--color", "sometimes"], ["sometimes"]),
    ],
)
def test_wrong_options(nostra: Runner, sandbox: Sandbox, args: list[str], words: list[str]) -> None:
    sandbox.requests.clear()
    assert_error(nostra(*args), 2, *words)
    assert not sandbox.requests
    assert nostra.files() == []


def test_wrong_options_are_json_too(nostra: Runner) -> None:
    ended = nostra("status", "--jsn", "x", "--json")
    assert (ended.code, ended.error["kind"], ended.error["code"]) == (2, "usage", 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[profiles.default\ntoken = "s3cret"', ["line 1", "column"]),
        ('[profiles.default]\ntoken = "s3cret', ["line 2"]),
        ('profiles = "s3cret"', ["profiles", "table"]),
        ('[profiles.default]\ntoken = ["s3cret"]', ["token", "must be"]),
        ('[profiles.default]\nbase_url = "http://example.com/s3cret"', ["base_url", "https"]),
        ('[profiles.default]\nformat = "s3cret"', ["format", "xlsx"]),
        ('default_profile = "prod"\n[profiles.other]\ntoken = "s3cret"', ["prod", "other"]),
    ],
)
def test_bad_config_file(nostra: Runner, home: Path, content: str, words: list[str]) -> None:
    file = home / "bad.toml"
    file.write_text(content)
    file.chmod(0o600)
    env = {"NOSTRA_CONFIG": str(file), "NOSTRA_BASE_URL": "", "NOSTRA_TOKEN": "t0ken"}
    ended = nostra("status", "demo", env=env)
    assert_error(ended, 2, str(file), *words)
    assert "s3cret" not in ended.err


def test_no_token(nostra: Runner) -> None:
    assert_error(nostra("status", "demo", env={"NOSTRA_TOKEN": ""}), 3, "NOSTRA_TOKEN")


def test_wrong_token(nostra: Runner) -> None:
    ended = nostra("download", "demo-dedup", env={"NOSTRA_TOKEN": "wr0ng"})
    assert_error(ended, 3, "Invalid token", "NOSTRA_TOKEN")
    assert nostra.files() == []


def test_unknown_id(nostra: Runner) -> None:
    assert_error(nostra("download", "nope"), 4, "'nope'", "404")
    assert nostra.files() == []


def test_still_in_progress_and_failed(nostra: Runner) -> None:
    assert_error(nostra("download", "demo-stuck"), 9, "still in progress", "--wait")
    assert_error(nostra("results", "demo-stuck"), 9, "still in progress")
    assert_error(nostra("download", "demo-failed"), 5, "demo-failed")
    assert_error(nostra("download", "demo-failed", "--wait"), 5, "demo-failed")
    assert nostra.files() == []


def test_deadline(nostra: Runner) -> None:
    assert_error(nostra("wait", "demo-stuck", "--timeout", "1s"), 124, "demo-stuck", "--timeout")
    ended = nostra("download", "demo-stuck", "--wait", "--timeout", "1s", "--json")
    assert (ended.code, ended.out, ended.error["kind"]) == (124, "", "deadline")


@pytest.mark.parametrize(
    "url", ["http://example.com", "ftp://x", "https://u:p@x", "nonsense", "", "https://xn--"]
)
def test_an_invalid_base_url_is_refused(nostra: Runner, url: str) -> None:
    assert_error(nostra("status", "demo", "--base-url", url), 2, "--base-url")


def test_refuses_a_taken_port(nostra: Runner) -> None:
    with serving() as other:
        port = other.base_url.rpartition(":")[2]
        assert_error(nostra("sandbox", "--port", port), 2, "sandbox cannot start")
