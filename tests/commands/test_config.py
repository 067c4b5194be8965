"""`nostra config`, and the precedence of settings (contract, "Settings")."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import Runner

TOKEN = "s3cr3t-t0ken-of-mine"
DEFAULT_URL = "https://nostradamus.u-hopper.com"
FILE = """\
default_profile = "main"
[profiles.main]
token = "a-token-of-main-0001"
base_url = "https://main.example"
format = "csv"
dir = "main"
jobs = 1
timeout = "1m"
[profiles.other]
token = "a-token-of-other-0002"
base_url = "https://other.example"
format = "xlsx"
dir = "other"
jobs = 2
timeout = "2m"
[profiles.bare]
"""
MAIN = {
    "profile": "main",
    "token": "present, ends in 0001",
    "base_url": "https://main.example",
    "format": "csv",
    "dir": "main",
    "jobs": 1,
    "timeout": 60,
}
OTHER = {
    "profile": "other",
    "token": "present, ends in 0002",
    "base_url": "https://other.example",
    "format": "xlsx",
    "dir": "other",
    "jobs": 2,
    "timeout": 120,
}
DEFAULTS = {
    "profile": "default",
    "token": "absent",
    "base_url": DEFAULT_URL,
    "format": None,
    "dir": ".",
    "jobs": 8,
    "timeout": None,
}
BARE = {**DEFAULTS, "profile": "bare"}
URL = {"NOSTRA_BASE_URL": "https://env.example"}
ENV = {**URL, "NOSTRA_TOKEN": "a-token-of-env-0003"}
OF_ENV = {"token": "present, ends in 0003", "base_url": "https://env.example"}
IN_ENV = {"token": "environment NOSTRA_TOKEN", "base_url": "environment NOSTRA_BASE_URL"}


@dataclass(frozen=True)
class Row:
    """Settings with their sources, and the expected values and origins."""

    name: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    values: Mapping[str, object]
    origins: Mapping[str, str]
    file: str | None = FILE

    def __str__(self) -> str:
        return self.name


def of(name: str) -> dict[str, str]:
    """Return the origins of the settings of a profile."""
    keys = ("token", "base_url", "format", "dir", "jobs", "timeout")
    return {key: f"{key} in profile '{name}' of {{file}}" for key in keys}


PRECEDENCE = [
    Row("nothing", (), {}, DEFAULTS, {"profile": "default", "token": "not set"}, None),
    Row("file", (), {}, MAIN, {"profile": "default_profile in {file}", **of("main")}),
    Row("environment", (), ENV, {**MAIN, **OF_ENV}, {**of("main"), **IN_ENV}),
    Row(
        "environment-alone",
        (),
        ENV,
        {**DEFAULTS, **OF_ENV},
        {**IN_ENV, "profile": "default", "jobs": "default"},
        None,
    ),
    Row(
        "token-file",
        (),
        {"NOSTRA_TOKEN_FILE": "{token}"},
        {**MAIN, "token": "present, ends in 0004"},
        {"token": "environment NOSTRA_TOKEN_FILE"},
    ),
    Row(
        "token-before-token-file",
        (),
        {**ENV, "NOSTRA_TOKEN_FILE": "/nonexistent"},
        {**MAIN, **OF_ENV},
        IN_ENV,
    ),
    Row(
        "profile-by-environment",
        (),
        {"NOSTRA_PROFILE": "other"},
        OTHER,
        {"profile": "environment NOSTRA_PROFILE", **of("other")},
    ),
    Row(
        "profile-by-environment-is-below-the-environment",
        (),
        {**ENV, "NOSTRA_PROFILE": "other"},
        {**OTHER, **OF_ENV},
        {**of("other"), **IN_ENV},
    ),
    Row(
        "profile-by-flag-is-above-the-environment",
        ("--profile", "other"),
        {**ENV, "NOSTRA_PROFILE": "main", "NOSTRA_TOKEN_FILE": "/nonexistent"},
        OTHER,
        {"profile": "flag --profile", **of("other")},
    ),
    Row(
        "profile-by-flag-for-what-it-sets",
        ("--profile", "bare"),
        ENV,
        {**BARE, **OF_ENV},
        {"profile": "flag --profile", **IN_ENV, "format": "default", "timeout": "default"},
    ),
    Row("profile-by-flag-alone", ("--profile", "bare"), {}, BARE, {"base_url": "default"}),
    Row(
        "flag-is-above-all",
        ("--base-url", "https://flag.example", "--profile", "other"),
        ENV,
        {**OTHER, "base_url": "https://flag.example"},
        {**of("other"), "base_url": "flag --base-url"},
    ),
]


@pytest.mark.parametrize("row", PRECEDENCE, ids=str)
def test_flag_before_environment_before_profile_before_default(
    bare: Runner, home: Path, row: Row
) -> None:
    names = {"file": bare.env["NOSTRA_CONFIG"], "token": str(home / "token")}
    if row.file is not None:
        write(bare, row.file)
    Path(names["token"]).write_text("a-token-of-file-0004\n")
    env = {name: value.format(**names) for name, value in row.env.items()}
    found = bare("config", "list", "--json", *row.args, env=env)
    assert (found.code, found.err) == (0, "")
    settings = {setting["key"]: setting for setting in found.json()}
    assert {key: settings[key]["value"] for key in row.values} == row.values
    wanted = {key: origin.format(**names) for key, origin in row.origins.items()}
    assert {key: settings[key]["origin"] for key in wanted} == wanted


def write(nostra: Runner, content: str) -> Path:
    path = Path(nostra.env["NOSTRA_CONFIG"])
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(0o600)
    return path


def test_a_pipe_gets_lines_of_key_value_origin(bare: Runner) -> None:
    write(bare, FILE)
    ended = bare("config", "list", "--profile", "other", env=ENV)
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines[0] == ["profile", "other", "flag --profile"]
    assert lines[-1] == ["low_speed_time", "30", "default"]
    assert {len(line) for line in lines} == {3}
    assert "a-token-of" not in ended.out


def test_get_prints_the_value_alone(bare: Runner) -> None:
    write(bare, FILE)
    got = bare("config", "get", "jobs", "--profile", "other")
    assert (got.code, got.out, got.err) == (0, "2\n", "")
    assert bare("config", "get", "default_profile").out == "main\n"
    assert bare("config", "get", "token").out == "present, ends in 0001\n"
    found = bare("config", "get", "base_url", "--json", env=URL).json()
    assert found == {
        "key": "base_url",
        "value": "https://env.example",
        "origin": "environment NOSTRA_BASE_URL",
    }


def test_a_switch_is_shown_as_it_is_set(bare: Runner) -> None:
    assert bare("config", "set", "ci", "true").code == 0
    assert bare("config", "get", "ci").out == "true\n"


@pytest.mark.parametrize("key", ["token", "fromat"])
def test_getting_an_unknown_setting_is_a_usage_error(bare: Runner, key: str) -> None:
    ended = bare("config", "get", key)
    assert (ended.code, ended.out) == (2, "")


def test_set_and_unset_write_to_stderr_only(bare: Runner) -> None:
    path = bare.env["NOSTRA_CONFIG"]
    ended = bare("config", "set", "jobs", "3", "--profile", "new")
    message = f"Stored jobs = 3 in profile 'new' of {path}.\n"
    assert (ended.code, ended.out, ended.err) == (0, "", message)
    bare("config", "set", "default_profile", "new", "-q")
    assert tomllib.loads(Path(path).read_text()) == {
        "default_profile": "new",
        "profiles": {"new": {"jobs": 3}},
    }
    ended = bare("config", "unset", "jobs")
    message = f"Removed jobs from profile 'new' of {path}.\n"
    assert (ended.code, ended.out, ended.err) == (0, "", message)
    again = bare("config", "unset", "jobs", "--json")
    expected = {"key": "jobs", "profile": "new", "path": path, "changed": False}
    assert (again.code, again.json(), again.err) == (0, expected, "")


def test_a_setting_that_the_environment_overrides_is_a_warning(bare: Runner) -> None:
    ended = bare("config", "set", "base_url", "https://x.example", env=URL)
    assert ended.code == 0
    assert "warning: NOSTRA_BASE_URL is set and comes first" in ended.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("set", "token", TOKEN), "nostra login"),
        (("set", "jobs", "many"), "jobs must be a whole number"),
        (("set", "default_profile", "nope"), "no profile 'nope'"),
        (("lst",), "no such command: lst"),
    ],
)
def test_an_invalid_setting_changes_nothing(
    bare: Runner, args: tuple[str, ...], message: str
) -> None:
    ended = bare("config", *args)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert TOKEN not in ended.err
    assert not Path(bare.env["NOSTRA_CONFIG"]).parent.exists()


def test_path_shows_the_config_file_even_if_it_is_broken(bare: Runner) -> None:
    path = write(bare, "not TOML")
    assert bare("config", "path").out == f"{path}\n"
    assert bare("config", "path", "--json").json() == {"path": str(path)}


def test_help_is_shown_for_config_and_each_of_its_commands(bare: Runner) -> None:
    alone = bare("config")
    assert alone.code == 0
    assert "list   List the effective settings" in alone.out
    assert "nostra config set [OPTIONS]" in bare("config", "set", "-h").out


def test_several_settings_are_removed_at_once_or_none_if_one_is_unknown(bare: Runner) -> None:
    path = write(bare, FILE)
    assert bare("config", "unset", "jobs", "timout").code == 2
    assert path.read_text() == FILE
    ended = bare("config", "unset", "jobs", "token_command", "timeout", "--json")
    changes = [json.loads(line) for line in ended.out.splitlines()]
    assert [(change["key"], change["changed"]) for change in changes] == [
        ("jobs", True),
        ("token_command", False),
        ("timeout", True),
    ]
    main = tomllib.loads(path.read_text())["profiles"]["main"]
    assert set(main) == {"token", "base_url", "format", "dir"}
