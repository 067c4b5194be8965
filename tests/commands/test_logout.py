"""`nostra logout`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.running import Runner, clean_env

FILE = """\
default_profile = "prod"
mine = 1

[profiles.prod]
token = "s3cr3t"
format = "csv"

[profiles.test]
token = "0ther"
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    return path


@pytest.fixture
def nostra(home: Path, tmp_path: Path, file: Path) -> Runner:
    return Runner(tmp_path, clean_env(home, NOSTRA_CONFIG=str(file)))


def test_the_token_is_removed_and_the_other_keys_are_kept(nostra: Runner, file: Path) -> None:
    ended = nostra("logout")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        f"Removed the token of profile 'prod' from {file}.",
        "The profile keeps format. To remove all of it:",
        "nostra config unset format --profile prod",
    ]
    assert file.read_text() == FILE.replace('token = "s3cr3t"\n', "")


@pytest.mark.parametrize(
    ("args", "env"), [(["--profile", "test"], {}), ([], {"NOSTRA_PROFILE": "test"})]
)
def test_the_profile_may_be_named(
    nostra: Runner, file: Path, args: list[str], env: dict[str, str]
) -> None:
    ended = nostra("logout", "--json", *args, env=env)
    assert ended.json() == {"profile": "test", "path": str(file), "removed": True}
    assert file.read_text() == FILE.replace('token = "0ther"\n', "")


def test_without_a_stored_token_logout_says_so(nostra: Runner, home: Path, file: Path) -> None:
    ended = nostra("logout", "--profile", "nope")
    expected = f"No token is stored for profile 'nope' in {file}.\n"
    assert (ended.code, ended.out, ended.err) == (0, "", expected)
    assert file.read_text() == FILE
    missing = str(home / "folder" / "config.toml")
    ended = nostra("logout", "--json", env={"NOSTRA_CONFIG": missing})
    assert ended.json() == {"profile": "default", "path": missing, "removed": False}
    assert not (home / "folder").exists()


def test_a_token_in_the_environment_is_a_warning(nostra: Runner) -> None:
    ended = nostra("logout", env={"NOSTRA_TOKEN": "an0ther-t0ken"})
    assert "warning: NOSTRA_TOKEN is still set" in ended.err


def test_the_command_that_removes_the_rest_does_so(nostra: Runner, file: Path) -> None:
    *_, command = nostra("logout").err.splitlines()
    assert nostra(*command.split()[1:]).code == 0
    assert tomllib.loads(file.read_text())["profiles"]["prod"] == {}
