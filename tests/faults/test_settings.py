"""Tokens and config files that are not as they should be."""

from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.catalogue import covers
from tests.running import Runner

SECRET = "s3cret"


@covers("token-newline")
@pytest.mark.parametrize("ending", ["\n", "\r\n", " \n\n", ""])
def test_white_space_around_a_token_is_stripped(nostra: Runner, home: Path, ending: str) -> None:
    file = home / "token"
    file.write_bytes((nostra.env["NOSTRA_TOKEN"] + ending).encode())
    by_file = {"NOSTRA_TOKEN": "", "NOSTRA_TOKEN_FILE": str(file)}
    assert nostra("status", "demo-dedup", env=by_file).code == 0
    by_value = {"NOSTRA_TOKEN": nostra.env["NOSTRA_TOKEN"] + ending}
    assert nostra("status", "demo-dedup", env=by_value).code == 0


@covers("token-bad")
@pytest.mark.parametrize(
    "token", [f"{SECRET} x", f"{SECRET}\nX: y", f"{SECRET}\x1b[31m", f"{SECRET}é", f"{SECRET}\x7f"]
)
def test_a_token_with_invalid_characters_is_refused_and_not_shown(
    nostra: Runner, home: Path, token: str
) -> None:
    file = home / "token"
    file.write_text(token)
    for env in (
        {"NOSTRA_TOKEN": token},
        {"NOSTRA_TOKEN": "", "NOSTRA_TOKEN_FILE": str(file)},
    ):
        ended = nostra("status", "demo-dedup", "-v", env=env)
        assert ended.code == 2
        assert SECRET not in ended.err


@covers("token-bad")
def test_a_token_file_that_is_not_there(nostra: Runner) -> None:
    env = {"NOSTRA_TOKEN": "", "NOSTRA_TOKEN_FILE": "/nonexistent"}
    ended = nostra("status", "x", env=env)
    assert (ended.code, "/nonexistent" in ended.err) == (2, True)


def config(nostra: Runner, home: Path, content: str | bytes, mode: int = 0o600) -> dict[str, str]:
    file = home / "config.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)
    return {"NOSTRA_CONFIG": str(file)}


@covers("bad-toml")
@pytest.mark.parametrize(
    ("content", "place"),
    [
        (f'a = 1\n[profiles.default]\ntoken = {SECRET}"', "line 3"),
        (f'a = 1\ntoken = "{SECRET}"\ntoken = "{SECRET}"', "line 3"),
        (f"[{SECRET}]\n[{SECRET}]\n", "line 2"),
        (b'a = "\xff"', "line 1"),
        ("a = " + "[" * 100_000, "line 1"),
    ],
)
def test_bad_toml_is_placed_but_not_quoted(
    nostra: Runner, home: Path, content: str | bytes, place: str
) -> None:
    env = config(nostra, home, content)
    ended = nostra("status", "demo-dedup", env=env)
    assert ended.code == 2
    assert env["NOSTRA_CONFIG"] in ended.err
    assert place in ended.err
    assert SECRET not in ended.err


@covers("unknown-key")
def test_an_unknown_key_is_a_warning(nostra: Runner, home: Path) -> None:
    env = config(nostra, home, f'tokn = "{SECRET}"\n[profiles.default]\nbase-url = "{SECRET}"\n')
    ended = nostra("status", "demo-dedup", env=env)
    assert ended.code == 0
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["warning", "warning"]
    assert "'tokn'" in ended.err
    assert "'base-url'" in ended.err
    assert SECRET not in ended.err
    assert nostra("status", "demo-dedup", "-q", env=env).err == ""


@covers("unknown-key")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_loose_mode_is_a_warning_that_names_the_fix(
    nostra: Runner, home: Path, mode: int
) -> None:
    env = config(nostra, home, "", mode)
    ended = nostra("status", "demo-dedup", env=env)
    assert ended.code == 0
    assert f"chmod 600 {env['NOSTRA_CONFIG']}" in ended.err


@covers("two-writers")
def test_writers_at_one_time_lose_nothing(nostra: Runner, home: Path) -> None:
    env = config(nostra, home, f'[profiles.mine]\ntoken = "{SECRET}"\n')

    def store(number: int) -> int:
        name = f"p{number}"
        return nostra("config", "set", "jobs", str(number), "--profile", name, env=env).code

    numbers = range(1, 6)
    with ThreadPoolExecutor(len(numbers)) as pool:
        assert set(pool.map(store, numbers)) == {0}
    found = tomllib.loads(Path(env["NOSTRA_CONFIG"]).read_text())["profiles"]
    stored = {f"p{number}": {"jobs": number} for number in numbers}
    assert found == {"mine": {"token": SECRET}, **stored}
