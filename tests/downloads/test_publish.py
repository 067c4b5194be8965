"""The end of a part: published at once and for good, kept where it can be proven, or removed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.file import Part, part_path
from nostra_cli.errors import Corrupt, FileProblem, KeptPart, Transient, file_errors
from tests.downloads.parts import UNPROVEN, VERSION, begun, left, names, note_path


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o007)
    yield 0o007
    os.umask(before)


def test_publishing_never_takes_the_place_of_another_file(target: Path) -> None:
    part = begun(target, b"0123456789")
    target.write_bytes(b"precious")
    with pytest.raises(FileProblem, match="already exists"):
        part.publish(replace=False)
    assert target.read_bytes() == b"precious"
    assert part.close(keep=True)
    assert part_path(target).read_bytes() == b"0123456789"


@pytest.mark.parametrize("taken", [True, False])
def test_without_hard_links_publishing_takes_no_place_either(
    target: Path, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    part = begun(target, b"0123456789")
    if taken:
        target.symlink_to("nowhere")
        with pytest.raises(FileProblem, match="already exists"):
            part.publish(replace=False)
        assert target.is_symlink()
    else:
        part.publish(replace=False)
        assert target.read_bytes() == b"0123456789"
    part.close(keep=False)
    assert names(target.parent) == ["demo.csv"]


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_publishing_takes_no_place_of_any_kind(target: Path, kind: str) -> None:
    part = begun(target, b"0123456789")
    if kind == "file":
        target.touch()
    elif kind == "link":
        target.symlink_to("nowhere")
    else:
        target.mkdir()
    before = target.lstat()
    with pytest.raises(FileProblem, match="already exists"):
        part.publish(replace=False)
    assert os.path.samestat(target.lstat(), before)
    assert part.close(keep=True)


@pytest.mark.parametrize("replace", [True, False])
def test_another_file_at_the_path_of_the_part_is_not_published(target: Path, replace: bool) -> None:
    """As where somebody cleans up, and another process then starts on the same target."""
    part = begun(target, b"0123456789")
    part_path(target).unlink()
    part_path(target).write_bytes(b"half")
    with pytest.raises(FileProblem, match=r"another program replaced .*\.part"):
        part.publish(replace)
    assert not part.close(keep=True)
    assert part_path(target).read_bytes() == b"half"
    assert not target.exists()


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_a_special_file_that_appears_late_is_not_replaced(target: Path, kind: str) -> None:
    part = begun(target, b"0123456789")
    if kind == "link":
        target.symlink_to("nowhere")
    elif kind == "directory":
        target.mkdir()
    else:
        os.mkfifo(target)
    before = target.lstat()
    with pytest.raises(FileProblem, match="not replaced"):
        part.publish(replace=True)
    assert os.path.samestat(target.lstat(), before)
    assert part.close(keep=True)


def test_publishing_over_a_file_replaces_it_and_keeps_its_mode(target: Path) -> None:
    target.write_bytes(b"older")
    target.chmod(0o604)
    part = begun(target, b"0123456789")
    assert target.read_bytes() == b"older"
    with target.open("rb") as older:
        part.publish(replace=True)
        assert older.read() == b"older"
    part.close(keep=False)
    assert target.read_bytes() == b"0123456789"
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert names(target.parent) == ["demo.csv"]


def test_replacing_a_missing_file_publishes_it(target: Path) -> None:
    part = begun(target, b"0123456789")
    part.publish(replace=True)
    part.close(keep=False)
    assert target.read_bytes() == b"0123456789"


@pytest.mark.parametrize("replace", [True, False])
def test_a_new_file_has_the_mode_that_the_umask_asks_for(
    target: Path, umask: int, replace: bool
) -> None:
    left(target, b"01234")
    assert stat.S_IMODE(note_path(target).stat().st_mode) == 0o600
    part = begun(target, b"0123456789")
    part.publish(replace=replace)
    part.close(keep=False)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask


def test_the_target_does_not_exist_before_it_is_published(target: Path) -> None:
    part = begun(target, b"0123456789")
    assert not target.exists()
    with part.reader() as reader:
        assert reader.read() == b"0123456789"
    part.publish(replace=False)
    assert target.exists()
    assert not part.close(keep=True)
    assert names(target.parent) == ["demo.csv"]


@pytest.mark.parametrize(
    ("version", "kept"),
    [
        (VERSION, True),
        (BodyVersion("u", None, "Mon, 01 Jan 2024 10:00:00 GMT", None), True),
        (UNPROVEN, False),
    ],
)
def test_a_part_is_kept_only_with_a_validator(
    target: Path, version: BodyVersion, kept: bool
) -> None:
    assert begun(target, b"01234", version).close(keep=True) is kept
    assert names(target.parent) == ([".demo.csv.part", ".demo.csv.part.json"] if kept else [])


def test_an_empty_or_unwanted_part_is_removed(target: Path) -> None:
    assert not begun(target, b"").close(keep=True)
    assert names(target.parent) == []
    assert not begun(target, b"01234").close(keep=False)
    assert names(target.parent) == []


def test_closing_removes_no_file_that_took_the_place_of_the_part(target: Path) -> None:
    part = begun(target, b"01234")
    part_path(target).unlink()
    part_path(target).write_bytes(b"not ours")
    assert not part.close(keep=False)
    assert part_path(target).read_bytes() == b"not ours"


def test_a_removed_directory_is_a_file_problem_and_nothing_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    part = begun(folder / "demo.csv", b"0123456789")
    shutil.rmtree(folder)
    with pytest.raises(FileProblem, match="No such file or directory"):
        part.publish(replace=False)
    assert not part.close(keep=True)


def test_a_part_interrupted_when_it_had_its_name_is_not_kept(target: Path) -> None:
    part = begun(target, b"0123456789")
    target.hardlink_to(part_path(target))
    assert not part.close(keep=True)
    assert names(target.parent) == ["demo.csv"]


def test_a_part_is_read_through_its_descriptor_whatever_the_umask(target: Path) -> None:
    part = begun(target, b"0123456789")
    part_path(target).unlink()
    assert part.reader().read() == b"0123456789"
    part.close()


def test_a_part_that_can_be_resumed_is_recorded_on_the_error(target: Path) -> None:
    with pytest.raises(Transient) as caught, begun(target, b"01234"):
        raise Transient("broke off")
    assert caught.value.kept == [KeptPart(str(target), 5)]
    with pytest.raises(Corrupt) as damaged, Part(target, resume=True):
        raise Corrupt("damaged")
    assert (damaged.value.kept, names(target.parent)) == ([], [])


def test_a_closed_part_is_free_for_the_next_run(target: Path) -> None:
    left(target, b"01234")
    part = Part(target, resume=True)
    part.cut(3)
    part.write(b"xy")
    assert (part.size, b"".join(part.blocks())) == (5, b"012xy")
    part.close(keep=False)


def test_a_part_begun_again_holds_only_the_new_body(target: Path) -> None:
    part = begun(target, b"0123456789")
    other = BodyVersion("u", '"v2"', None, 2)
    part.restart(other)
    assert (part.size, part.version, list(part.blocks())) == (0, other, [])
    part.write(b"ab")
    part.close(keep=True)
    again = Part(target, resume=True)
    assert (again.version, b"".join(again.blocks())) == (other, b"a")
    again.close(keep=False)


def test_a_short_write_is_continued(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    part = begun(target, b"")
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    part.write(b"0123456789")
    monkeypatch.undo()
    assert part.size == 10
    assert part_path(target).read_bytes() == b"0123456789"
    part.close(keep=False)


def test_a_full_disk_keeps_the_bytes_written_so_far(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, [3, 2]

    def fill(fd: int, data: memoryview) -> int:
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[: room.pop()])

    part = begun(target, b"")
    monkeypatch.setattr(os, "write", fill)
    with pytest.raises(FileProblem) as caught:
        part.write(b"0123456789")
    monkeypatch.undo()
    assert str(target) in caught.value.message
    assert caught.value.hint == "make room; then run it again"
    assert part.size == 5
    assert part.close(keep=True)
    assert part_path(target).read_bytes() == b"01234"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.EDQUOT, "make room"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENFILE, "ulimit -n"),
        (errno.EEXIST, "--overwrite"),
        (errno.EACCES, "permissions"),
    ],
)
def test_a_file_system_error_has_a_hint(code: int, hint: str) -> None:
    with pytest.raises(FileProblem) as caught, file_errors(Path("demo.csv")):
        raise OSError(code, os.strerror(code))
    assert hint in caught.value.hint
    assert "demo.csv" in caught.value.message
