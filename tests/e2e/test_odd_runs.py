"""What nobody types and some script does: odd operands, streams and settings, by hand once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nostra_cli import __version__
from nostra_cli.sandbox.server import Sandbox
from tests.running import NOSTRA, Runner

LONG = "a" * 300
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("download", "demo", "-o", "."), 2, "-o '.' is not a file name"),
        (("download", "demo", "-o", "/"), 2, "-o '/' is not a file name"),
        (("download", "demo", "-f", "csv", "-o", ".."), 8, ".. is a directory"),
        pytest.param(("download", "demo", "-d", LONG), 8, "File name too long", marks=POSIX),
        pytest.param(("download", "x", "-f", "csv", "-o", LONG), 8, "name too long", marks=POSIX),
        (("sandbox", "--port", "65536"), 2, "--port: '65536' is not a number from 0 to 65,535"),
        (("sandbox", "--port", "-1"), 2, "--port: '-1' is not a number from 0 to 65,535"),
    ],
)
def test_invalid_paths_and_ports_are_refused(
    nostra: Runner, sandbox: Sandbox, args: tuple[str, ...], code: int, said: str
) -> None:
    sandbox.requests.clear()
    ended = nostra(*args)
    assert (ended.code, ended.out, nostra.files()) == (code, "", [])
    assert said in ended.err
    assert not sandbox.requests


@POSIX
@pytest.mark.parametrize("args", ["--version", "--help", "status --help", "config path"])
def test_a_stdout_that_takes_nothing(nostra: Runner, args: str) -> None:
    """Closed, full, and a pipe that nobody reads: 8, 8, 141."""
    targets = [(">&-", "stdout is closed"), ("> /dev/full", "cannot write to stdout")]
    for target, said in targets if Path("/dev/full").exists() else targets[:1]:
        ended = nostra(command=["sh", "-c", f"{NOSTRA} {args} {target}"])
        assert (ended.code, ended.out) == (8, "")
        assert said in ended.err
    reader, writer = os.pipe()
    os.close(reader)
    command, env = [NOSTRA, *args.split()], dict(nostra.env)
    done = subprocess.run(command, env=env, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_version_is_one_line(nostra: Runner) -> None:
    ended = nostra("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"nostra {__version__}\n", "")


@pytest.mark.parametrize("command", ["results", "preview"])
def test_a_single_id_may_come_from_stdin(nostra: Runner, command: str) -> None:
    same = nostra(command, "demo-dedup").out
    assert nostra(command, "-", stdin="demo-dedup\r\n\ndemo-dedup\n").out == same != ""
    for stdin in ("", "demo-dedup\ndemo\n", "..\n"):
        ended = nostra(command, "-", "--json", stdin=stdin)
        assert (ended.code, ended.out, ended.error["kind"]) == (2, "", "usage")


def test_operands_may_begin_with_a_dash_and_count_once(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    ended = nostra("status", "--json", "--", "-x", "--json", "-x")
    assert (ended.code, ended.out) == (4, "")  # it failed before it had data
    asked = [request.path.rpartition("/")[2] for request in sandbox.requests]
    assert sorted(asked) == ["--json", "-x"]


def test_an_empty_variable_is_one_that_is_not_set(bare: Runner) -> None:
    names = ("NOSTRA_TOKEN", "NOSTRA_TOKEN_FILE", "NOSTRA_BASE_URL", "NOSTRA_PROFILE")
    ended = bare("config", "list", "--json", env=dict.fromkeys(names, ""))
    origins = {row["key"]: row["origin"] for row in ended.json()}
    assert (origins["profile"], origins["token"], origins["base_url"]) == (
        "default",
        "not set",
        "default",
    )


@POSIX
@pytest.mark.parametrize("home", ["/nonexistent", "/dev/null", "/proc/1/nothing"])
def test_an_unusable_home_is_no_problem_with_a_token_in_the_environment(
    nostra: Runner, home: str
) -> None:
    ended = nostra("status", "demo-dedup", env={"HOME": home})
    assert (ended.code, ended.out, ended.err) == (0, "demo-dedup\tcompleted\n", "")


def test_a_folder_as_the_config_file_is_a_usage_error(bare: Runner, tmp_path: Path) -> None:
    ended = bare("config", "list", "--json", env={"NOSTRA_CONFIG": str(tmp_path)})
    assert (ended.code, ended.out, ended.error["kind"]) == (2, "", "usage")
