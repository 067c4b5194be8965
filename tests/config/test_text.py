"""Settings converted to shown text, and typed text converted to settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nostra_cli.config import file as config
from nostra_cli.config.settings import Flags, load
from nostra_cli.config.text import (
    Shown,
    check_keys,
    forget,
    from_text,
    overriding_variable,
    pick,
    show,
    store,
)
from nostra_cli.errors import UsageProblem

TOKEN = "s3cr3t-t0ken-of-mine"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"NOSTRA_CONFIG": str(tmp_path / "config.toml")}


def values(env: Mapping[str, str]) -> dict[str, object]:
    return {item.key: item.value for item in show(load(Flags(), env))}


def test_every_setting_is_shown_with_its_origin(env: dict[str, str]) -> None:
    assert values(env) == {
        "profile": "default",
        "base_url": "https://nostradamus.u-hopper.com",
        "token": "absent",
        "format": None,
        "dir": ".",
        "jobs": 8,
        "timeout": None,
        "low_speed_limit": 1024,
        "low_speed_time": 30,
        "ci": False,
        "history": True,
    }
    for key, text in (("format", "csv"), ("timeout", "1.5"), ("jobs", "3")):
        store(Flags(), env, key, text)
    items = show(load(Flags(), env))
    where = f"in profile 'default' of {env['NOSTRA_CONFIG']}"
    assert Shown("format", "csv", f"format {where}") in items
    assert Shown("timeout", 1.5, f"timeout {where}") in items
    assert Shown("jobs", 3, f"jobs {where}") in items


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("abcd", "present"),
        ("123456789abc", "present"),
        ("123456789abcd", "present, ends in abcd"),
        (TOKEN, "present, ends in mine"),
    ],
)
def test_only_the_end_of_a_long_token_is_shown(env: dict[str, str], token: str, text: str) -> None:
    assert values({**env, "NOSTRA_TOKEN": token})["token"] == text


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("format", "xlsx", "xlsx"),
        ("jobs", "64", 64),
        ("timeout", "90", "90"),
        ("timeout", "2h", "2h"),
        ("dir", "~/results", "~/results"),
        ("base_url", "http://localhost:80/x/", "http://localhost:80/x/"),
    ],
)
def test_text_is_converted_to_the_type_of_the_key(key: str, text: str, value: object) -> None:
    assert from_text(key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("format", "xml", "format not stored: not one of json, csv, xlsx"),
        ("format", "all", "format not stored"),
        ("jobs", "0", "jobs not stored: not a number from 1 to 64"),
        ("jobs", "65", "jobs not stored: not a number from 1 to 64"),
        ("jobs", "-1", "jobs must be a whole number"),
        ("jobs", "3.5", "jobs must be a whole number"),
        ("jobs", "٣", "jobs must be a whole number"),
        ("jobs", "9" * 5000, "jobs must be a whole number"),
        ("jobs", "", "jobs must be a whole number"),
        ("timeout", "1d", "'1d' is not a duration"),
        ("timeout", "0", "'0' is not a duration"),
        ("dir", "", "dir must be a string that is not empty"),
        ("base_url", "http://example.com", "would send the token unencrypted"),
        ("base_url", "example.com", r"not a valid http\(s\) URL"),
        ("nope", "x", "no setting 'nope'"),
        ("profile", "x", "no setting 'profile'"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(key: str, text: str, expected: str) -> None:
    with pytest.raises(UsageProblem, match=expected):
        from_text(key, text)


def test_the_hint_of_a_refused_value_is_a_command() -> None:
    with pytest.raises(UsageProblem) as refused:
        from_text("format", "xml")
    assert refused.value.hint == "to go back to the default: nostra config unset format"


def test_a_switch_is_true_or_false() -> None:
    assert (from_text("ci", "true"), from_text("ci", "false")) == (True, False)
    with pytest.raises(UsageProblem, match="ci must be true or false"):
        from_text("ci", "yes")


def test_no_token_is_set_from_the_command_line(env: dict[str, str]) -> None:
    with pytest.raises(UsageProblem, match="ps and the shell's history") as caught:
        store(Flags(), env, "token", TOKEN)
    assert "nostra login" in caught.value.hint
    assert TOKEN not in caught.value.message + caught.value.hint
    assert not Path(env["NOSTRA_CONFIG"]).exists()


def test_a_profile_is_named_by_flag_or_environment_or_the_file(env: dict[str, str]) -> None:
    by_env = {**env, "NOSTRA_PROFILE": "b"}
    assert store(Flags(profile="a"), by_env, "jobs", "1").profile == "a"
    assert store(Flags(), by_env, "jobs", "2").profile == "b"
    assert store(Flags(), env, "jobs", "3").profile == "default"
    store(Flags(), env, "default_profile", "a")
    assert store(Flags(), env, "jobs", "4").profile == "a"
    assert forget(Flags(), by_env, "jobs").profile == "b"
    found = config.read(env)
    assert found.profiles == {"a": {"jobs": 4}, "b": {}, "default": {"jobs": 3}}


def test_a_wrong_type_in_the_file_is_replaced(env: dict[str, str]) -> None:
    Path(env["NOSTRA_CONFIG"]).write_text('[profiles.default]\njobs = "3"\n')
    store(Flags(), env, "jobs", "3")
    assert config.read(env).profiles == {"default": {"jobs": 3}}


@pytest.mark.parametrize(
    ("key", "hint"),
    [("fromat", "did you mean format?"), ("zzz", "settings: profile, base_url, token, format")],
)
def test_an_unknown_setting_is_refused_with_a_suggestion(
    env: dict[str, str], key: str, hint: str
) -> None:
    with pytest.raises(UsageProblem, match=f"no setting '{key}'") as caught:
        pick(load(Flags(), env), key)
    assert caught.value.hint.startswith(hint)
    with pytest.raises(UsageProblem, match=f"no setting '{key}'"):
        check_keys([key])


@pytest.mark.parametrize(
    ("key", "how"), [("token", "nostra login"), ("format", "nostra config set format VALUE")]
)
def test_a_setting_that_is_not_set_is_refused_with_how_to_set_it(
    env: dict[str, str], key: str, how: str
) -> None:
    with pytest.raises(UsageProblem, match=f"^{key} is not set$") as caught:
        pick(load(Flags(), env), key)
    assert caught.value.hint == f"to set it: {how}"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("token", "NOSTRA_TOKEN"),
        ("token", "NOSTRA_TOKEN_FILE"),
        ("base_url", "NOSTRA_BASE_URL"),
        ("default_profile", "NOSTRA_PROFILE"),
    ],
)
def test_the_environment_comes_first(key: str, name: str) -> None:
    assert overriding_variable(key, {name: "x"}) == name
    assert overriding_variable(key, {name: ""}) is None
    assert overriding_variable("jobs", {name: "x"}) is None
