"""The partial file on a real file system: resumed, locked, never a link, and never lost."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.file import Part, part_path, remove_stale_part
from nostra_cli.errors import FileProblem
from tests.downloads.parts import UNPROVEN, VERSION, begun, left, names, note_path

NOTED = 1 << 20
"""Bytes after which a part has its note."""
HOLD = """
import fcntl, sys
with open(sys.argv[1], "wb") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_part_is_hidden_beside_its_target(target: Path) -> None:
    assert part_path(target) == target.with_name(".demo.csv.part")


@pytest.mark.parametrize("letter", ["x", "é", "日"])
def test_a_target_of_255_bytes_has_a_part_and_a_note(tmp_path: Path, letter: str) -> None:
    name = letter * (255 // len(letter.encode()))
    target, other = tmp_path / name, tmp_path / ("y" + name[1:])
    assert part_path(target) != part_path(other)
    left(target, b"01234")
    assert len(names(tmp_path)) == 2
    assert max(len(made.encode()) for made in names(tmp_path)) <= 255
    part = Part(target, resume=True)
    part.write(b"56789")
    part.publish(replace=False)
    part.close(keep=False)
    assert names(tmp_path) == [name]


def test_the_longest_name_that_has_room_for_its_part_is_shown_in_it(tmp_path: Path) -> None:
    room = 255 - len("..part.json")
    assert part_path(tmp_path / ("x" * room)).name == f".{'x' * room}.part"
    assert part_path(tmp_path / ("x" * (room + 1))).name.startswith(".nostra-")


def test_a_new_part_is_empty_and_of_no_version(target: Path) -> None:
    part = Part(target, resume=True)
    assert (part.size, part.version, list(part.blocks())) == (0, None, [])
    assert part.close(keep=True) is False
    assert names(target.parent) == []


def test_a_part_is_continued_where_it_was_left(target: Path) -> None:
    left(target, b"01234")
    part = Part(target, resume=True)
    assert (part.size, part.version) == (5, VERSION)
    assert b"".join(part.blocks()) == b"01234"
    part.write(memoryview(b"56789"))
    part.publish(replace=False)
    part.close(keep=True)
    assert target.read_bytes() == b"0123456789"
    assert names(target.parent) == ["demo.csv"]


def test_without_resume_an_earlier_part_is_not_used(target: Path) -> None:
    left(target, b"01234")
    part = Part(target, resume=False)
    assert part.version is None
    part.restart(VERSION)
    part.write(b"ab")
    assert part_path(target).read_bytes() == b"ab"
    part.close(keep=False)


@pytest.mark.parametrize("data", [b"0123456789", b"0123456789 and more"])
def test_one_byte_of_a_complete_part_is_requested_again(target: Path, data: bytes) -> None:
    left(target, data)
    part = Part(target, resume=True)
    assert part.size == 9
    assert b"".join(part.blocks()) == b"012345678"
    part.close(keep=False)


def test_a_part_of_unknown_length_is_not_cut(target: Path) -> None:
    left(target, b"01234", BodyVersion("u", '"v1"', None, None))
    part = Part(target, resume=True)
    assert part.size == 5
    part.close(keep=False)


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"\xff" * 9, b"{}" + b" " * 70_000])
def test_a_part_with_a_damaged_note_is_not_continued(target: Path, note: bytes) -> None:
    left(target, b"01234")
    note_path(target).write_bytes(note)
    part = Part(target, resume=True)
    assert part.version is None
    part.close(keep=False)


def test_a_part_without_a_note_is_not_continued(target: Path) -> None:
    left(target, b"01234")
    note_path(target).unlink()
    part = Part(target, resume=True)
    assert part.version is None
    part.close(keep=False)


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_link_in_the_place_of_the_note_is_not_written_through(target: Path, kind: str) -> None:
    left(target, b"01234")
    other = target.with_name("other")
    note_path(target).rename(other)
    if kind == "hard":
        os.link(other, note_path(target))
    else:
        note_path(target).symlink_to(other)
    text = other.read_text()
    part = Part(target, resume=True)
    assert (part.version is None) == (kind == "symbolic")
    part.restart(UNPROVEN)
    part.write(b"x" * NOTED)
    assert json.loads(note_path(target).read_text())["etag"] is None
    part.close(keep=False)
    assert other.read_text() == text
    assert names(target.parent) == ["other"]


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_link_that_appears_in_the_place_of_the_note_is_not_written_through(
    target: Path, kind: str
) -> None:
    other = target.with_name("other")
    other.write_text("precious")
    part = begun(target, b"x")
    if kind == "hard":
        os.link(other, note_path(target))
    else:
        note_path(target).symlink_to(other)
    part.write(b"x" * NOTED)
    assert json.loads(note_path(target).read_text())["etag"] == VERSION.etag
    part.close(keep=False)
    assert other.read_text() == "precious"
    assert names(target.parent) == ["other"]


def test_a_directory_at_the_path_of_the_note_is_a_file_problem(target: Path) -> None:
    note_path(target).mkdir()
    part = Part(target, resume=True)
    with pytest.raises(FileProblem, match=r"cannot use .*\.part\.json"):
        part.restart(UNPROVEN)
    part.close(keep=True)
    assert names(target.parent) == [note_path(target).name]
    part_path(target).touch()
    part_path(target).write_bytes(b"01234")
    part = Part(target, resume=True)
    assert part.version is None
    with pytest.raises(FileProblem, match=r"cannot use .*\.part\.json"):
        part.restart(UNPROVEN)
    part.close(keep=False)


def test_a_body_that_is_complete_within_a_moment_has_no_note(target: Path) -> None:
    part = begun(target, b"0123456789")
    assert names(target.parent) == [".demo.csv.part"]
    part.publish(replace=False)
    part.close()
    assert names(target.parent) == ["demo.csv"]


def test_a_note_is_written_when_much_or_long_was_written(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = begun(target, b"x" * (NOTED - 1))
    assert not note_path(target).exists()
    part.write(b"x")
    assert note_path(target).exists()
    part.restart(VERSION)
    assert not note_path(target).exists()
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 60)
    part.write(b"x")
    assert note_path(target).exists()
    part.close()


def test_a_note_of_another_body_does_not_outlive_its_part(target: Path) -> None:
    left(target, b"01234")
    part_path(target).unlink()
    part = begun(target, b"ab", UNPROVEN)
    assert not note_path(target).exists()
    part.close()


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_in_the_place_of_the_part_is_refused(target: Path, exists: bool) -> None:
    victim = target.with_name("victim")
    if exists:
        victim.write_bytes(b"precious")
    part_path(target).symlink_to(victim)
    with pytest.raises(FileProblem) as caught:
        Part(target, resume=True)
    assert caught.value.message == f"{part_path(target)} is a symbolic link"
    assert caught.value.hint == "remove it"
    assert part_path(target).is_symlink()
    assert victim.exists() == exists
    assert not exists or victim.read_bytes() == b"precious"


def test_a_fifo_in_the_place_of_the_part_is_refused_and_not_waited_for(target: Path) -> None:
    os.mkfifo(part_path(target))
    with pytest.raises(FileProblem, match="is not a regular file"):
        Part(target, resume=True)
    assert stat.S_ISFIFO(part_path(target).lstat().st_mode)


def test_a_directory_in_the_place_of_the_part_is_refused(target: Path) -> None:
    part_path(target).mkdir()
    with pytest.raises(FileProblem, match="is not a regular file"):
        Part(target, resume=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_part_that_another_user_planted_in_a_shared_directory_is_refused(target: Path) -> None:
    left(target, b"01234")
    target.parent.chmod(0o1777)
    os.chown(part_path(target), 12345, -1)
    with pytest.raises(FileProblem, match="belongs to another user"):
        Part(target, resume=True)
    assert part_path(target).read_bytes() == b"01234"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_part_of_another_user_in_a_directory_without_the_sticky_bit_is_continued(
    target: Path, mode: int
) -> None:
    left(target, b"01234")
    target.parent.chmod(mode)
    os.chown(part_path(target), 12345, -1)
    part = Part(target, resume=True)
    assert part.version == VERSION
    part.close(keep=False)


def test_a_file_system_whose_files_have_another_owner_works(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    target.parent.chmod(0o1777)
    left(target, b"01234")
    part = Part(target, resume=True)
    assert part.version == VERSION
    part.write(b"56789")
    part.publish(replace=True)
    part.close()
    assert target.read_bytes() == b"0123456789"


def test_missing_directories_are_made_when_a_body_begins(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "demo.csv"
    part = Part(target, resume=True)
    assert names(tmp_path) == []
    part.restart(VERSION)
    part.write(b"0123456789")
    part.publish(replace=False)
    part.close()
    assert names(tmp_path / "a" / "b") == ["demo.csv"]


def test_a_file_above_the_target_is_a_problem_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileProblem, match="Not a directory"):
        Part(tmp_path / "file" / "demo.csv", resume=True)


def test_a_name_of_the_published_file_is_dropped_and_not_written_through(target: Path) -> None:
    left(target, b"0123456789")
    os.link(part_path(target), target)
    part = begun(target, b"new")
    assert target.read_bytes() == b"0123456789"
    assert target.stat().st_nlink == 1
    assert part_path(target).read_bytes() == b"new"
    part.close(keep=False)


def test_the_part_left_by_a_killed_publication_is_removed(target: Path) -> None:
    left(target, b"0123456789")
    os.link(part_path(target), target)
    remove_stale_part(target)
    assert names(target.parent) == ["demo.csv"]
    assert target.read_bytes() == b"0123456789"


def test_a_part_that_can_be_continued_is_not_removed(target: Path) -> None:
    left(target, b"01234")
    target.write_bytes(b"older")
    remove_stale_part(target)
    assert names(target.parent) == [".demo.csv.part", ".demo.csv.part.json", "demo.csv"]


def test_two_parts_of_one_target_are_refused_in_one_process(target: Path) -> None:
    part = begun(target, b"01234")
    with pytest.raises(FileProblem, match="another process is downloading to"):
        Part(target, resume=True)
    assert part_path(target).read_bytes() == b"01234"
    part.close(keep=False)
    Part(target, resume=True).close(keep=False)


def test_a_part_that_another_process_works_on_is_refused(target: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(part_path(target))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(FileProblem, match="another process is downloading to"):
            Part(target, resume=True)
        holder.communicate()
    Part(target, resume=True).close(keep=False)
