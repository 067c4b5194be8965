"""What can be seen to fail before anything is transferred."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from nostra_cli.downloads.checks import check_folder, check_target
from nostra_cli.downloads.sinks.file import part_path
from nostra_cli.downloads.target import OnExisting
from nostra_cli.errors import FileProblem


@pytest.mark.parametrize("create", [True, False])
def test_an_existing_folder_is_good(tmp_path: Path, create: bool) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    check_folder(tmp_path, create)
    check_folder(link, create)
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize(
    ("name", "create", "message"),
    [
        ("gone", False, "No such file or directory"),
        ("a file", True, "a file is not a directory"),
        ("a file/x/y", True, "a file is not a directory"),
        ("a file/x", False, "a file is not a directory"),
        ("dangling", True, "No such file or directory"),
        ("dangling/x", True, "No such file or directory"),
        ("x" * 300, True, "File name too long"),
    ],
)
def test_a_path_that_cannot_be_a_directory_is_refused(
    tmp_path: Path, name: str, create: bool, message: str
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileProblem, match=message):
        check_folder(tmp_path / name, create)


def test_a_directory_that_can_be_made_is_good_and_not_made_yet(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b" / "c", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the current directory")
def test_a_removed_current_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for folder in (Path(), Path("x")):
        with pytest.raises(FileProblem, match="the current directory was removed"):
            check_folder(folder, create=True)


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    monkeypatch.setattr(os, "access", lambda _path, mode: modes.append(mode))
    with pytest.raises(FileProblem, match="no permission to write"):
        check_folder(tmp_path / "new", create=True)
    assert modes == [os.W_OK | os.X_OK]


@pytest.mark.parametrize("existing", OnExisting)
def test_a_missing_target_may_be_created(target: Path, existing: OnExisting) -> None:
    assert check_target(target, existing) is False
    assert not target.exists()


def test_an_existing_file_is_refused_replaced_or_skipped(target: Path) -> None:
    target.write_bytes(b"precious")
    with pytest.raises(FileProblem, match="already exists") as caught:
        check_target(target, OnExisting.REFUSE)
    assert "--overwrite" in caught.value.hint
    assert check_target(target, OnExisting.OVERWRITE) is False
    assert check_target(target, OnExisting.SKIP) is True
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("existing", OnExisting)
@pytest.mark.parametrize("kind", ["a directory", "a symbolic link", "not a regular file"])
def test_a_special_file_is_never_replaced(target: Path, existing: OnExisting, kind: str) -> None:
    if kind == "a directory":
        target.mkdir()
    elif kind == "a symbolic link":
        target.symlink_to("nowhere")
    else:
        os.mkfifo(target)
    before = stat.S_IFMT(target.lstat().st_mode)
    with pytest.raises(FileProblem, match=f"is {kind} "):
        check_target(target, existing)
    assert stat.S_IFMT(target.lstat().st_mode) == before


@pytest.mark.parametrize("name", [".", "./.", "..", "/"])
def test_a_directory_may_have_no_name(name: str) -> None:
    with pytest.raises(FileProblem, match="is a directory"):
        check_target(Path(name), OnExisting.OVERWRITE)


def test_a_target_that_cannot_be_inspected_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileProblem, match="Not a directory"):
        check_target(tmp_path / "file" / "demo.csv", OnExisting.REFUSE)


def test_checking_a_target_removes_the_part_of_a_killed_run(target: Path) -> None:
    target.write_bytes(b"whole")
    part_path(target).hardlink_to(target)
    assert check_target(target, OnExisting.SKIP) is True
    assert list(target.parent.iterdir()) == [target]
