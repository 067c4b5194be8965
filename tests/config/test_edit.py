"""Changes of the config file: atomic, for its owner alone, and with the rest kept."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.config import edit
from nostra_cli.config import file as config
from nostra_cli.errors import ExitCode, FileProblem, Signalled, UsageProblem
from nostra_cli.files import open_locked

SECRET = "s3cr3t-t0ken"
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def env(path: Path) -> dict[str, str]:
    return {"NOSTRA_CONFIG": str(path)}


@pytest.fixture(params=[0, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def test_values_are_stored_and_read_again(env: dict[str, str], path: Path) -> None:
    change = edit.put(env, None, {"token": SECRET, "jobs": 3})
    assert change == edit.Change(path, "default", changed=True, keys=("token", "jobs"))
    assert config.read(env).profiles == {"default": {"token": SECRET, "jobs": 3}}
    assert config.read(env).warnings == ()
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208 - names, hidden ones too


def test_unchanged_values_are_not_written(env: dict[str, str], path: Path) -> None:
    path.write_text("# mine\n[profiles.default]\njobs = 3\n")
    assert not edit.put(env, None, {"jobs": 3}).changed
    assert not edit.drop(env, None, "token").changed
    assert not edit.drop(env, "nope", "token").changed
    assert not edit.drop(env, None, "default_profile").changed
    assert path.read_text() == "# mine\n[profiles.default]\njobs = 3\n"


def test_the_rest_of_the_file_is_kept(env: dict[str, str], path: Path) -> None:
    path.write_text(
        'mine = 2020-01-01T10:00:00Z\ndefault_profile = "p"\n[profiles.p]\nmine = [1.5, {a = 2}]\n'
        f'jobs = "wrong"\n[profiles."q r"]\ntoken = "{SECRET}"\n[tool.other]\nx = true\n'
    )
    before = tomllib.loads(path.read_text())
    change = edit.put(env, None, {"format": "csv"})
    before["profiles"]["p"]["format"] = "csv"
    assert (change.profile, tomllib.loads(path.read_text())) == ("p", before)
    assert edit.drop(env, "q r", "token").changed
    before["profiles"]["q r"] = {}
    assert tomllib.loads(path.read_text()) == before


def test_the_default_profile_must_exist(env: dict[str, str], path: Path) -> None:
    edit.put(env, "prod", {"jobs": 1})
    assert edit.choose(env, "prod").changed
    assert config.read(env).top_level == {"default_profile": "prod"}
    with pytest.raises(UsageProblem, match="no profile 'nope'") as caught:
        edit.choose(env, "nope")
    assert caught.value.hint == "profiles there: prod"
    assert config.read(env).top_level == {"default_profile": "prod"}
    assert edit.drop(env, None, "default_profile").changed
    assert config.read(env) == config.ConfigFile(path, {}, {"prod": {"jobs": 1}})


@needs_posix
@pytest.mark.usefixtures("umask")
def test_file_and_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    edit.put({"NOSTRA_CONFIG": str(path)}, None, {"jobs": 3})
    modes = [mode_of(each) for each in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


@needs_posix
@pytest.mark.parametrize("jobs", [3, 4])
def test_loose_modes_are_tightened(tmp_path: Path, jobs: int) -> None:
    """Of the folder only where it is ours alone; of the file also when nothing else changes."""
    ours = {"XDG_CONFIG_HOME": str(tmp_path)}
    path = config.config_path(ours)
    path.parent.mkdir()
    path.parent.chmod(0o755)
    path.write_text("[profiles.default]\njobs = 3\n")
    path.chmod(0o644)
    edit.put({"NOSTRA_CONFIG": str(path)}, None, {"jobs": jobs})
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o755)
    edit.put(ours, None, {"jobs": 5})
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)


@needs_posix
@pytest.mark.parametrize("there", [True, False])
def test_a_symbolic_link_is_kept_and_its_target_is_written(
    env: dict[str, str], path: Path, there: bool
) -> None:
    behind = path.parent / "dotfiles" / "nostra.toml"
    if there:
        behind.parent.mkdir()
        behind.write_text("mine = 1\n")
    path.symlink_to(behind)
    edit.put(env, None, {"jobs": 3})
    assert path.is_symlink()
    assert not behind.is_symlink()
    assert tomllib.loads(behind.read_text())["profiles"] == {"default": {"jobs": 3}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f'token = "{SECRET}', "line 1"),
        (f'profiles = "{SECRET}"', "profiles must be a table"),
        (f'profiles.default = "{SECRET}"', "profiles.default must be a table"),
        ("a = 0x" + "f" * 5000, "too long a number"),
        ("#" * (1 << 20) + "\n", "larger than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_changed_stays_as_it_is(
    env: dict[str, str], path: Path, content: str, problem: str
) -> None:
    path.write_text(content)
    with pytest.raises(UsageProblem, match=problem) as caught:
        edit.put(env, None, {"token": "an0ther"})
    assert path.read_text() == content
    assert SECRET not in caught.value.message + caught.value.hint


def test_a_file_that_would_be_too_large_to_read_is_not_written(env: dict[str, str]) -> None:
    with pytest.raises(UsageProblem, match="larger than 1 MiB"):
        edit.put(env, None, {"dir": "x" * (1 << 20)})
    assert config.read(env).profiles == {}


@given(st.text())
def test_any_name_of_a_profile_is_stored_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    env = {"NOSTRA_CONFIG": str(tmp_path_factory.getbasetemp() / "names.toml")}
    try:
        edit.put(env, name, {"dir": name})
    except UsageProblem:
        assert not name or not name.isprintable()
    else:
        assert config.read(env).profiles[name] == {"dir": name}
        edit.choose(env, name)
        assert config.read(env).top_level == {"default_profile": name}


def test_a_value_that_is_not_unicode_is_refused(env: dict[str, str], path: Path) -> None:
    with pytest.raises(UsageProblem, match="not Unicode"):
        edit.put(env, None, {"dir": "caf\udce9"})
    assert not path.exists()


@needs_posix
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_a_target_that_is_not_a_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "strange"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path(os.devnull)
    before = path.lstat()
    with pytest.raises(FileProblem, match="not a regular file"):
        edit.put({"NOSTRA_CONFIG": str(path)}, None, {"token": SECRET})
    assert os.path.samestat(before, path.lstat())


@needs_posix
def test_a_link_in_the_place_of_the_draft_is_not_written_through(
    env: dict[str, str], path: Path
) -> None:
    other = path.with_name("other")
    other.write_text("precious")
    draft_of(path).symlink_to(other)
    with pytest.raises(FileProblem):
        edit.put(env, None, {"token": SECRET})
    assert (other.read_text(), path.exists()) == ("precious", False)


@pytest.mark.parametrize(
    ("name", "raised", "expected"),
    [
        ("fsync", OSError(errno.ENOSPC, "No space left on device"), FileProblem),
        ("fsync", Signalled(ExitCode.TERMINATE), Signalled),
        ("replace", PermissionError(errno.EACCES, "Permission denied"), FileProblem),
        ("replace", Signalled(ExitCode.INTERRUPT), Signalled),
    ],
)
def test_an_interrupted_write_leaves_the_old_file_and_no_draft(
    env: dict[str, str],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    raised: BaseException,
    expected: type[BaseException],
) -> None:
    path.write_text("mine = 1\n")

    def fail(*_args: object) -> None:
        assert SECRET in draft_of(path).read_text()
        raise raised

    monkeypatch.setattr(f"os.{name}" if name == "fsync" else f"pathlib.Path.{name}", fail)
    with pytest.raises(expected):
        edit.put(env, None, {"token": SECRET})
    assert path.read_text() == "mine = 1\n"
    assert not os.path.lexists(draft_of(path))


@pytest.mark.parametrize("what", ["put", "drop"])
def test_the_draft_of_a_killed_process_is_removed(
    env: dict[str, str], path: Path, what: str
) -> None:
    """Also when there is nothing to change: it may hold a token."""
    draft_of(path).write_text(f'# {"x" * 500}\n[profiles.default]\ntoken = "{SECRET}"\n')
    if what == "put":
        edit.put(env, None, {"jobs": 3})
        assert path.read_text() == "[profiles.default]\njobs = 3\n"
    else:
        assert not edit.drop(env, None, "token").changed
        assert not path.exists()
    assert not os.path.lexists(draft_of(path))


def test_a_writer_waits_for_another_one_but_not_for_ever(
    env: dict[str, str], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit, "_LOCK_SECONDS", 0.0)
    fd = open_locked(draft_of(path), 0o600, FileProblem("busy"))
    try:
        with pytest.raises(FileProblem, match="another process is changing"):
            edit.put(env, None, {"jobs": 3})
        assert draft_of(path).exists()  # it is not ours
    finally:
        os.close(fd)
    assert edit.put(env, None, {"jobs": 3}).changed


WRITER = """
import sys
from nostra_cli.config import edit
path, me = sys.argv[1:]
print(flush=True)
input()
for number in range(25):
    edit.put({"NOSTRA_CONFIG": path}, f"{me}-{number}", {"jobs": number + 1})
"""


def test_two_writers_lose_nothing(env: dict[str, str], path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), me],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for me in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    wanted = {f"{me}-{number}": {"jobs": number + 1} for me in "ab" for number in range(25)}
    assert config.read(env).profiles == wanted
