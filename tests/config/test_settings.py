"""Settings: their precedence and origins, and the keys of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nostra_cli.config.credentials import DEFAULT_BASE_URL, Token
from nostra_cli.config.schema import Setting
from nostra_cli.config.settings import (
    TABLE,
    Flags,
    Settings,
    load,
)
from nostra_cli.errors import AuthProblem, UsageProblem
from nostra_cli.models import Format

FILE = """
default_profile = "prod"

[profiles.prod]
token = "prod-token"
base_url = "https://prod.example/"

[profiles.bare]

[profiles.full]
token = "full-token"
base_url = "https://full.example/api"
format = "csv"
dir = "~/results"
jobs = 3
timeout = "15m"
ci = true
"""
ENV = {"NOSTRA_TOKEN": "env-token", "NOSTRA_BASE_URL": "https://env.example"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    write(path, FILE)
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def loaded(file: Path, env: Mapping[str, str] | None = None, **flags: str) -> Settings:
    return load(Flags(**flags), {"NOSTRA_CONFIG": str(file), **(env or {})})


def token_of(settings: Settings) -> tuple[str | None, str]:
    token = settings.token.value
    return token.value if isinstance(token, Token) else None, settings.token.origin


def test_without_any_source_the_defaults_apply(tmp_path: Path) -> None:
    found = loaded(tmp_path / "missing.toml")
    assert (found.profile.value, found.profile.origin) == ("default", "default")
    assert (found.base_url.value, found.base_url.origin) == (DEFAULT_BASE_URL, "default")
    assert DEFAULT_BASE_URL == "https://nostradamus.u-hopper.com"
    assert token_of(found) == (None, "not set")
    assert (found.format.value, found.dir.value, found.jobs.value) == (None, ".", 8)
    assert found.timeout.value is None
    assert (found.low_speed_limit.value, found.low_speed_time.value) == (1024, 30)
    assert found.ci.value is False
    rest = (found.format, found.dir, found.jobs, found.timeout, found.ci, found.low_speed_limit)
    assert {setting.origin for setting in rest} == {"default"}


@pytest.mark.parametrize(
    ("flag", "env", "name", "origin"),
    [
        ("full", "bare", "full", "flag --profile"),
        (None, "bare", "bare", "environment NOSTRA_PROFILE"),
        (None, "", "prod", "default_profile in {file}"),
        (None, None, "prod", "default_profile in {file}"),
    ],
)
def test_the_profile_is_flag_then_environment_then_file(
    file: Path, flag: str | None, env: str | None, name: str, origin: str
) -> None:
    flags = {"profile": flag} if flag else {}
    found = loaded(file, {"NOSTRA_PROFILE": env} if env is not None else {}, **flags)
    assert (found.profile.value, found.profile.origin) == (name, origin.format(file=file))


@pytest.mark.parametrize(
    ("flags", "env", "text"),
    [
        ({"profile": "nope"}, {}, "flag --profile"),
        ({"profile": ""}, {}, "flag --profile"),
        ({}, {"NOSTRA_PROFILE": "nope"}, "environment NOSTRA_PROFILE"),
    ],
)
def test_an_unknown_profile_is_refused_and_the_known_ones_are_listed(
    file: Path, flags: dict[str, str], env: dict[str, str], text: str
) -> None:
    with pytest.raises(UsageProblem, match=text) as caught:
        loaded(file, env, **flags)
    assert caught.value.hint == "profiles there: bare, full, prod"


PROD = "profile 'prod' of {file}"
FULL = "profile 'full' of {file}"


@pytest.mark.parametrize(
    ("flags", "env", "value", "origin"),
    [
        (
            {"base_url": "https://flag.example", "profile": "full"},
            ENV,
            "https://flag.example",
            "flag --base-url",
        ),
        ({"base_url": "https://flag.example"}, ENV, "https://flag.example", "flag --base-url"),
        ({}, ENV, "https://env.example", "environment NOSTRA_BASE_URL"),
        (
            {},
            {**ENV, "NOSTRA_PROFILE": "full"},
            "https://env.example",
            "environment NOSTRA_BASE_URL",
        ),
        ({}, {"NOSTRA_BASE_URL": ""}, "https://prod.example", "base_url in " + PROD),
        ({}, {"NOSTRA_PROFILE": "full"}, "https://full.example/api", "base_url in " + FULL),
        ({"profile": "full"}, ENV, "https://full.example/api", "base_url in " + FULL),
        ({"profile": "bare"}, ENV, "https://env.example", "environment NOSTRA_BASE_URL"),
        ({"profile": "bare"}, {}, DEFAULT_BASE_URL, "default"),
    ],
)
def test_the_base_url_is_flag_then_environment_then_profile_unless_one_is_named(
    file: Path, flags: dict[str, str], env: dict[str, str], value: str, origin: str
) -> None:
    found = loaded(file, env, **flags).base_url
    assert (found.value, found.origin) == (value, origin.format(file=file))


@pytest.mark.parametrize(
    ("flags", "env", "value", "origin"),
    [
        ({}, ENV, "env-token", "environment NOSTRA_TOKEN"),
        ({}, {**ENV, "NOSTRA_TOKEN_FILE": "/missing"}, "env-token", "environment NOSTRA_TOKEN"),
        ({}, {**ENV, "NOSTRA_PROFILE": "full"}, "env-token", "environment NOSTRA_TOKEN"),
        ({}, {"NOSTRA_TOKEN": ""}, "prod-token", "token in " + PROD),
        ({}, {}, "prod-token", "token in " + PROD),
        ({"profile": "full"}, ENV, "full-token", "token in " + FULL),
        ({"profile": "full"}, {"NOSTRA_TOKEN_FILE": "/missing"}, "full-token", "token in " + FULL),
        ({"profile": "bare"}, ENV, "env-token", "environment NOSTRA_TOKEN"),
        ({"profile": "bare"}, {}, None, "not set"),
    ],
)
def test_the_token_is_environment_then_profile_unless_one_is_named(
    file: Path, flags: dict[str, str], env: dict[str, str], value: str | None, origin: str
) -> None:
    assert token_of(loaded(file, env, **flags)) == (value, origin.format(file=file))


@pytest.mark.parametrize("profile", [None, "bare"])
def test_a_token_file_comes_before_the_profile_and_may_end_in_a_newline(
    file: Path, tmp_path: Path, profile: str | None
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b" file-token\r\n")
    flags = {"profile": profile} if profile else {}
    found = token_of(loaded(file, {"NOSTRA_TOKEN_FILE": str(secret)}, **flags))
    assert found == ("file-token", "environment NOSTRA_TOKEN_FILE")


@pytest.mark.parametrize("content", [b"", b"\n", b"sec ret", b"sec\xffret", b"\xef\xbb\xbfsecret"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    with pytest.raises(UsageProblem, match="NOSTRA_TOKEN_FILE") as caught:
        loaded(tmp_path / "missing.toml", {"NOSTRA_TOKEN_FILE": str(secret)})
    assert "ret" not in caught.value.message.replace(str(secret), "")


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_token_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageProblem, match="cannot read the token file"):
        loaded(tmp_path / "no.toml", {"NOSTRA_TOKEN_FILE": str(tmp_path / name)})


def test_no_token_says_how_to_set_one(file: Path) -> None:
    with pytest.raises(AuthProblem, match="no token for profile 'bare'") as caught:
        loaded(file, profile="bare").require_token()
    assert "NOSTRA_TOKEN" in caught.value.hint
    assert "nostra login --profile bare;" in caught.value.hint
    with pytest.raises(AuthProblem, match="no token for profile 'bare'") as caught:
        loaded(file, {"NOSTRA_PROFILE": "bare"}).require_token()
    assert "nostra login;" in caught.value.hint
    assert loaded(file).require_token().value == "prod-token"


def test_the_repr_of_a_token_does_not_show_it(file: Path) -> None:
    assert "prod-token" not in repr(loaded(file).token)


def test_a_profile_sets_the_other_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    found = loaded(file, {"NOSTRA_PROFILE": "full"})
    assert found.format.value is Format.CSV
    assert found.dir.value == "/home/somebody/results"
    assert (found.jobs.value, found.timeout.value, found.ci.value) == (3, 900, True)
    full = FULL.format(file=file)
    rest = (found.format, found.dir, found.jobs, found.timeout, found.ci)
    keys = ("format", "dir", "jobs", "timeout", "ci")
    assert [setting.origin for setting in rest] == [f"{key} in {full}" for key in keys]


def test_a_profile_can_disable_ci(tmp_path: Path) -> None:
    write(tmp_path / "c.toml", "[profiles.p]\nci = false")
    found = loaded(tmp_path / "c.toml", profile="p").ci
    assert (found.value, found.origin.startswith("ci in profile")) == (False, True)


@pytest.mark.parametrize(("value", "seconds"), [("90", 90), ("1.5", 1.5), ('"2h"', 7200)])
def test_a_timeout_may_be_a_number(tmp_path: Path, value: str, seconds: float) -> None:
    write(tmp_path / "c.toml", f"[profiles.p]\ntimeout = {value}")
    assert loaded(tmp_path / "c.toml", profile="p").timeout.value == seconds


@pytest.mark.parametrize(
    "line",
    [
        'format = "xml"',
        'format = ""',
        "jobs = 0",
        "jobs = 65",
        "jobs = -1",
        'timeout = "1d"',
        "timeout = 0",
        "timeout = inf",
        "timeout = nan",
        'base_url = ""',
        'token = ""',
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_origin(tmp_path: Path, line: str) -> None:
    write(tmp_path / "c.toml", f"[profiles.p]\n{line}")
    key = line.split(maxsplit=1)[0]
    with pytest.raises(UsageProblem, match=f"{key} in profile 'p' of"):
        loaded(tmp_path / "c.toml", profile="p")


@pytest.mark.parametrize(
    ("content", "key", "kind"),
    [
        ("default_profile = 1", "default_profile in {file}", "a string that is not empty"),
        ("token = 5", "token", "a string"),
        ('token = ["s3cr3t"]', "token", "a string"),
        ('token_command = "s3cr3t"', "token_command", "a command: a list of words"),
        ("token_command = []", "token_command", "a command: a list of words"),
        ('token_command = [""]', "token_command", "a command: a list of words"),
        ('token_command = ["s3cr3t", 1]', "token_command", "a command: a list of words"),
        ("base_url = true", "base_url", "a string"),
        ('jobs = "s3cr3t"', "jobs", "a whole number"),
        ("jobs = 1.5", "jobs", "a whole number"),
        ("jobs = 0x" + "f" * 5000, "jobs", "a whole number"),
        ("jobs = true", "jobs", "a whole number"),
        ("timeout = true", "timeout", "a duration"),
        ("timeout = 2024-01-01", "timeout", "a duration"),
        ("timeout = 0x" + "f" * 5000, "timeout", "a duration"),
        ("ci = 1", "ci", "true or false"),
        ('ci = "s3cr3t"', "ci", "true or false"),
        ("history = []", "history", "true or false"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_by_its_key(
    tmp_path: Path, content: str, key: str, kind: str
) -> None:
    file = tmp_path / "c.toml"
    if content.startswith("default_profile"):
        write(file, content)
        place = key.format(file=file)
    else:
        write(file, f"[profiles.default]\n{content}\n")
        place = f"{key} in profile 'default' of {file}"
    with pytest.raises(UsageProblem) as caught:
        loaded(file)
    assert caught.value.message.startswith(f"{place} must be {kind}")
    assert "s3cr3t" not in caught.value.message + caught.value.hint


def test_the_values_of_an_unused_profile_are_not_checked(tmp_path: Path) -> None:
    write(tmp_path / "c.toml", "[profiles.p]\njobs = 'x'\n[profiles.default]\njobs = 3\n")
    assert loaded(tmp_path / "c.toml").jobs.value == 3


def test_unknown_keys_of_every_profile_are_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    write(file, "[profiles.p]\nformt = 's3cr3t'\n[profiles.default]\ntoken_comand = ['x']\n")
    assert [warning.message for warning in loaded(file).config.warnings] == [
        f"unknown key 'formt' in profile 'p' of {file}",
        f"unknown key 'token_comand' in profile 'default' of {file}",
    ]


def test_a_token_and_a_token_command_exclude_each_other(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    write(file, "[profiles.p]\ntoken = 's3cr3t'\ntoken_command = ['true']\n")
    with pytest.raises(UsageProblem) as caught:
        loaded(file, {"NOSTRA_TOKEN": "x"}, profile="p")
    assert caught.value.message == f"both token and token_command in profile 'p' of {file}"
    assert caught.value.hint == "remove one of them: nostra config unset token_command"


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_row_has_a_help_text_and_a_source(row: Setting[object]) -> None:
    assert row.help
    assert row.variables or row.keys


def test_the_low_speed_settings_come_from_the_environment(tmp_path: Path) -> None:
    env = {"NOSTRA_LOW_SPEED_LIMIT": "10KiB", "NOSTRA_LOW_SPEED_TIME": "2m"}
    found = loaded(tmp_path / "no.toml", env)
    assert (found.low_speed_limit.value, found.low_speed_time.value) == (10240, 120)
    origins = [found.low_speed_limit.origin, found.low_speed_time.origin]
    assert origins == [f"environment {name}" for name in env]
    for name in env:
        with pytest.raises(UsageProblem, match=name):
            loaded(tmp_path / "no.toml", {name: "fast"})
