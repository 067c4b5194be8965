"""Find and read the config file; its errors and warnings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.config import file as config
from nostra_cli.errors import UsageProblem

SECRET = "s3cr3t-t0ken"
needs_modes = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
Write = Callable[..., dict[str, str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the file and returns the environment that names it."""

    def written(content: str | bytes, mode: int = 0o600) -> dict[str, str]:
        path = tmp_path / "config.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return {"NOSTRA_CONFIG": str(path)}

    return written


@pytest.mark.skipif("linux" not in sys.platform, reason="platformdirs gives the path there")
@pytest.mark.parametrize(
    "env",
    [
        {},
        {"XDG_CONFIG_HOME": ""},
        {"XDG_CONFIG_HOME": "  "},
        {"XDG_CONFIG_HOME": "/somewhere/else"},
        {"XDG_CONFIG_HOME": "/somewhere/else/"},
        {"XDG_CONFIG_HOME": "/with space/ö"},
        {"HOME": "/other/home"},
        {"HOME": "/other/home", "XDG_CONFIG_HOME": "/x"},
    ],
)
def test_the_file_is_where_platformdirs_says(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    expected = Path(platformdirs.user_config_dir("nostra", appauthor=False)) / "config.toml"
    assert config.config_path(env) == expected


def test_the_file_is_where_the_environment_says() -> None:
    env = {"NOSTRA_CONFIG": "/some/file", "XDG_CONFIG_HOME": "/x"}
    assert config.config_path(env) == Path("/some/file")
    assert config.config_path({"NOSTRA_CONFIG": "", "XDG_CONFIG_HOME": "/x"}) != Path()


@pytest.mark.parametrize("name", ["missing.toml", "no/such/folder/c.toml", "file/c.toml"])
def test_a_missing_file_is_read_as_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    assert config.read({"NOSTRA_CONFIG": str(path)}) == config.ConfigFile(path, {}, {})


def test_profiles_are_read_with_every_key(write: Write) -> None:
    env = write(
        'default_profile = "p"\n[profiles.p]\ntoken = "t"\nbase_url = "https://x"\n'
        'format = "csv"\ndir = "d"\njobs = 4\ntimeout = 1.5\n[profiles."q r"]\ntimeout = "2h"\r\n'
    )
    found = config.read(env)
    assert found.top_level == {"default_profile": "p"}
    assert found.warnings == ()
    assert found.profiles == {
        "p": {
            "token": "t",
            "base_url": "https://x",
            "format": "csv",
            "dir": "d",
            "jobs": 4,
            "timeout": 1.5,
        },
        "q r": {"timeout": "2h"},
    }


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (f'token = "{SECRET}', "line 1"),
        (f'[profiles.p]\ntoken = "{SECRET}"\n[profiles.p]\n', "line 3, column 12"),
        (f'\n\n[profiles.p]\ntoken = "{SECRET}" x\n', "line 4, column 24"),
        (f"\n{SECRET}\n", "line 2, column 13"),
        (f'{SECRET} = "\\x"\n', "line 1, column"),
        (f'a = "{SECRET}"\n\ufeff'.encode(), "line 2, column 1"),
        (f'a = "{SECRET}"\nb = "'.encode() + b'\xff"\n', "line 2: not UTF-8"),
        (b"\xff\xfea\x00", "line 1: not UTF-8"),
        (f"{SECRET} = " + "[" * 100_000, "line 1: nested too deeply"),
        ("a = 1\r\n\r\nb = \r\n", "line 3, column 5"),
        (f"{SECRET} = 1\n{SECRET} = 2", "line 2: not valid TOML, at the end"),
        ("a = " + "9" * 5000, "line 1"),
    ],
)
def test_invalid_toml_is_reported_with_its_line_and_without_its_content(
    write: Write, content: str | bytes, place: str
) -> None:
    env = write(content)
    with pytest.raises(UsageProblem) as caught:
        config.read(env)
    messages = caught.value.message
    assert messages.startswith(f"config file {env['NOSTRA_CONFIG']}, {place}")
    assert SECRET not in messages + caught.value.hint


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (f'profiles = "{SECRET}"', "profiles"),
        ("[[profiles]]", "profiles"),
        (f'profiles.p = "{SECRET}"', "profiles.p"),
    ],
)
def test_a_value_that_is_not_a_table_is_refused_by_its_key(
    write: Write, content: str, key: str
) -> None:
    with pytest.raises(UsageProblem, match=f": {key} must be a table$") as caught:
        config.read(write(content))
    assert SECRET not in caught.value.message + caught.value.hint


def test_unknown_top_level_keys_are_a_warning(write: Write) -> None:
    env = write(f'tokne = "{SECRET}"\n[profiles.p]\ntoken = "t"\n[extra]\n')
    found = config.read(env)
    assert found.profiles == {"p": {"token": "t"}}
    path = env["NOSTRA_CONFIG"]
    messages = [warning.message for warning in found.warnings]
    assert messages == [f"unknown key 'tokne' in {path}", f"unknown key 'extra' in {path}"]


@needs_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o602])
def test_a_loose_mode_is_a_warning_with_the_fix(write: Write, mode: int) -> None:
    env = write("", mode)
    [warning] = config.read(env).warnings
    assert f"mode {mode:04o}" in warning.message
    assert warning.fix == f"chmod 600 {env['NOSTRA_CONFIG']}"


@needs_modes
@pytest.mark.parametrize(("mode", "count"), [(0o777, 1), (0o775, 1), (0o755, 0), (0o700, 0)])
def test_a_folder_that_others_may_write_to_is_a_warning(
    tmp_path: Path, mode: int, count: int
) -> None:
    folder = tmp_path / "nostra"
    folder.mkdir()
    path = folder / "config.toml"
    path.touch(0o600)
    path.chmod(0o600)
    folder.chmod(mode)
    warnings = config.read({"XDG_CONFIG_HOME": str(tmp_path)}).warnings
    assert [warning.fix for warning in warnings] == [f"chmod 700 {folder}"] * count
    assert config.read({"NOSTRA_CONFIG": str(path)}).warnings == ()


@needs_modes
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_mode_for_the_owner_alone_is_not_a_warning(write: Write, mode: int) -> None:
    assert config.read(write("", mode)).warnings == ()


@needs_modes
def test_the_mode_of_a_device_is_not_checked() -> None:
    found = config.read({"NOSTRA_CONFIG": os.devnull})
    assert (found.profiles, found.warnings) == ({}, ())


class Locked:
    """Make every file unreadable, for root too."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def __call__(self, *_args: object, **_more: object) -> None:
        raise self.error


def test_an_unreadable_named_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", Locked(PermissionError(13, "Permission denied")))
    path = tmp_path / "c.toml"
    path.touch()
    with pytest.raises(UsageProblem) as caught:
        config.read({"NOSTRA_CONFIG": str(path)})
    assert caught.value.message == f"cannot read the config file {path}: Permission denied"
    assert "NOSTRA_CONFIG" in caught.value.hint


@pytest.mark.parametrize("more", [{}, {"NOSTRA_CONFIG": ""}])
def test_an_unreadable_default_file_is_only_a_warning(
    more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_ON_LINUX", True)
    path = tmp_path / "nostra" / "config.toml"
    path.parent.mkdir()
    path.touch()
    monkeypatch.setattr(Path, "open", Locked(PermissionError(13, "Permission denied")))
    found = config.read({"XDG_CONFIG_HOME": str(tmp_path), **more})
    [warning] = found.warnings
    assert (found.profiles, warning.message) == ({}, f"cannot read {path}: Permission denied")


def test_a_default_file_that_fails_otherwise_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_ON_LINUX", True)
    (tmp_path / "nostra" / "config.toml").mkdir(parents=True)
    with pytest.raises(UsageProblem, match="cannot read the config file"):
        config.read({"XDG_CONFIG_HOME": str(tmp_path)})


def test_a_file_of_a_mebibyte_is_read_and_a_larger_one_is_refused(write: Write) -> None:
    content = 'default_profile = "p"\n'.ljust(1 << 20, "\n")
    assert config.read(write(content)).top_level == {"default_profile": "p"}
    with pytest.raises(UsageProblem, match="larger than 1 MiB"):
        config.read(write(content + "\n"))


_LINES = st.sampled_from(
    [
        "[profiles.p]",
        "[profiles]",
        "[[profiles]]",
        'token = "x"',
        "jobs = 3",
        "default_profile = ",
        'p = "x"',
        "p.token = []",
        '"""',
        "'",
        "{",
        "\x00",
    ]
)


@given(st.binary() | st.lists(_LINES).map("\n".join).map(str.encode))
def test_any_content_is_read_or_is_a_usage_problem(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        found = config.read({"NOSTRA_CONFIG": str(path)})
    except UsageProblem as error:
        assert str(path) in error.message  # noqa: PT017
    else:
        assert all(isinstance(profile, dict) for profile in found.profiles.values())


def test_a_byte_order_mark_is_skipped(write: Write) -> None:
    found = config.read(write("\ufeff[profiles.default]\njobs = 3\n"))
    assert found.profiles == {"default": {"jobs": 3}}
