"""Unusual config files and missing home directories: each its own error, in bounded time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nostra_cli.config import edit, history
from nostra_cli.config import file as config_file
from nostra_cli.config.settings import Flags, Settings, load
from nostra_cli.config.text import store
from nostra_cli.errors import FileProblem, NostraError, UsageProblem
from nostra_cli.models import Invocation

if sys.platform == "win32":
    pytest.skip("pipes and devices of POSIX", allow_module_level=True)

SERVICE = "https://nostradamus.u-hopper.com"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file, "READ_SECONDS", 0.2)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def loaded(**env: str) -> Settings:
    return load(Flags(), env)


def problem(**env: str) -> str:
    with pytest.raises(UsageProblem) as caught:
        loaded(**env)
    return caught.value.message


def written(pipe: Path, content: bytes) -> threading.Thread:
    """Write to a pipe as soon as somebody reads from it."""
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    return writer


def test_a_config_file_may_be_a_pipe(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file, "READ_SECONDS", 20)
    written(pipe, b"[profiles.default]\njobs = 3\n")
    assert loaded(NOSTRA_CONFIG=str(pipe)).jobs.value == 3


def test_a_pipe_that_nobody_writes_to_ends_in_time(pipe: Path) -> None:
    expected = f"cannot read the config file {pipe}: no end of its content within 0.2 s"
    assert problem(NOSTRA_CONFIG=str(pipe)) == expected


def test_a_device_can_stand_for_a_missing_config_file() -> None:
    assert loaded(NOSTRA_CONFIG=os.devnull).config.warnings == ()


def test_an_endless_device_is_too_large() -> None:
    assert "larger than 1 MiB" in problem(NOSTRA_CONFIG="/dev/zero")


@pytest.mark.parametrize("name", ["/", "x" * 300, "/dev/tty/x", "a/" * 3000])
def test_a_path_that_cannot_be_a_file(name: str) -> None:
    try:
        loaded(NOSTRA_CONFIG=name)
    except UsageProblem as error:
        assert error.message.startswith("cannot read the config file")  # noqa: PT017


def test_a_token_file_may_be_a_pipe(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file, "READ_SECONDS", 20)
    written(pipe, b"piped\n")
    found = loaded(NOSTRA_CONFIG=os.devnull, NOSTRA_TOKEN_FILE=str(pipe))
    assert found.require_token().value == "piped"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pipe", "no end of its content within 0.2 s"),
        ("/", "Is a directory"),
        ("/dev/null", "not a valid token: empty"),
        ("/dev/zero", "a space, a control or a non-ASCII character"),
        ("missing", "No such file or directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_an_invalid_token_file_is_refused(
    pipe: Path, name: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pipe.parent)
    message = problem(NOSTRA_CONFIG=os.devnull, NOSTRA_TOKEN_FILE=name)
    assert "token file" in message
    assert expected in message


@pytest.fixture(
    params=[None, OSError(5, "Input/output error"), KeyError("uid not found")], ids=repr
)
def homeless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove HOME and the passwd entry."""
    monkeypatch.delenv("HOME", raising=False)

    def no_entry(_uid: int) -> None:
        raise KeyError("getpwuid(): uid not found")

    def fail(_path: str) -> str:
        raise request.param

    monkeypatch.setattr("pwd.getpwuid", no_entry)
    if request.param is not None:
        monkeypatch.setattr("os.path.expanduser", fail)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("homeless")
class TestWithoutAHome:
    def test_settings_come_from_the_environment(self) -> None:
        found = loaded(NOSTRA_TOKEN="t")
        assert found.require_token().value == "t"
        assert found.config.warnings == ()

    def test_a_file_named_like_the_missing_home_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "~" / ".config" / "nostra" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text("[profiles.default]\njobs = 3\n")
        monkeypatch.chdir(tmp_path)
        assert loaded().jobs.value == 8

    def test_nothing_is_stored_and_it_says_why(self) -> None:
        with pytest.raises(UsageProblem, match="no home directory") as caught:
            store(Flags(), {}, "jobs", "3")
        assert caught.value.hint == "set HOME or NOSTRA_CONFIG"
        with pytest.raises(UsageProblem, match="no home directory"):
            config_file.config_path({})

    def test_a_profile_is_looked_for_and_not_found(self) -> None:
        with pytest.raises(UsageProblem, match="no profile 'x'"):
            load(Flags(profile="x"), {})

    def test_the_default_profile_may_be_named(self) -> None:
        assert load(Flags(profile="default"), {}).profile.value == "default"
        assert load(Flags(), {"NOSTRA_PROFILE": "default"}).profile.value == "default"

    def test_the_history_is_skipped(self) -> None:
        history.record({}, SERVICE, [Invocation("a", "running", (), {})])
        assert history.read({}) == []

    def test_the_variable_of_the_standard_is_enough(self, tmp_path: Path) -> None:
        env = {"XDG_CONFIG_HOME": str(tmp_path)}
        assert config_file.config_path(env) == tmp_path / "nostra" / "config.toml"

    def test_a_directory_in_it_is_a_usage_problem(self, tmp_path: Path) -> None:
        file = tmp_path / "c.toml"
        file.write_text("[profiles.default]\ndir = '~/results'\n")
        assert "dir in profile 'default'" in problem(NOSTRA_CONFIG=str(file))


@pytest.mark.parametrize("path", ["~nosuchuser/x", "~nosuchuser", "~nosuchuser/../x"])
def test_the_home_of_an_unknown_user_is_a_usage_problem(tmp_path: Path, path: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"[profiles.default]\ndir = '{path}'\n")
    where = f"dir in profile 'default' of {file}"
    assert problem(NOSTRA_CONFIG=str(file)) == f"{where}: no home directory for ~nosuchuser"
    found: dict[str, UsageProblem] = {}
    assert load(Flags(), {"NOSTRA_CONFIG": str(file)}, found).dir.value == "."
    assert list(found) == ["dir"]
    with pytest.raises(UsageProblem, match="no home directory for ~nosuchuser"):
        store(Flags(), {"NOSTRA_CONFIG": str(tmp_path / "d.toml")}, "dir", path)


def test_the_variable_of_the_config_file_takes_a_home(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "NOSTRA_CONFIG": "~/c.toml"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        assert config_file.config_path(env) == tmp_path / "c.toml"


def test_a_config_file_in_the_home_of_an_unknown_user_is_a_usage_problem() -> None:
    env = {"NOSTRA_CONFIG": "~nosuchuser/c.toml"}
    assert problem(**env) == "NOSTRA_CONFIG: no home directory for ~nosuchuser"
    found: dict[str, UsageProblem] = {}
    load(Flags(), env, found)
    assert list(found) == ["config"]


def test_a_directory_with_a_nul_is_a_usage_problem(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[profiles.default]\ndir = "a\\u0000b"\n')
    where = f"dir in profile 'default' of {file}"
    assert problem(NOSTRA_CONFIG=str(file)) == f"{where}: a path has no NUL character"


def test_a_history_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    env = {"XDG_STATE_HOME": str(tmp_path)}
    path = history.history_path(env)
    path.parent.mkdir()
    os.mkfifo(path)
    assert history.read(env) == []
    history.record(env, SERVICE, [Invocation("a", "running", (), {})])
    assert [entry.id for entry in history.read(env)] == ["a"]


def test_a_relative_file_in_a_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert loaded(NOSTRA_CONFIG="c.toml").jobs.value == 8
    with pytest.raises(FileProblem):
        edit.put({"NOSTRA_CONFIG": "c.toml"}, None, {"jobs": 3})


def test_a_config_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NostraError) as caught:
        edit.put({"NOSTRA_CONFIG": str(tmp_path / "file" / "x" / "c.toml")}, None, {"jobs": 3})
    assert caught.value.code == 8
