"""SHA256SUMS: what `sha256sum -c` reads, and whatever else is in it stays."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nostra_cli.downloads.checksums import NAME, check, is_reserved, record
from nostra_cli.errors import FileProblem
from tests.downloads.parts import names

A, B = "a" * 64, "b" * 64


def recorded(folder: Path, before: bytes, sums: dict[str, str]) -> bytes:
    """Record into a SHA256SUMS that has these bytes; return what it then has."""
    (folder / NAME).write_bytes(before)
    record(folder, sums)
    assert names(folder) == [NAME]
    return (folder / NAME).read_bytes()


def line(value: str, name: str, end: str = "\n", mark: str = " ") -> bytes:
    return f"{value} {mark}{name}{end}".encode()


def test_a_link_in_the_place_of_the_draft_is_named(tmp_path: Path) -> None:
    draft = tmp_path / f".{NAME}.part"
    draft.symlink_to("nowhere")
    with pytest.raises(FileProblem) as caught:
        record(tmp_path, {"a.csv": "0" * 64})
    assert caught.value.message == f"{draft} is a symbolic link"


def test_a_new_file_has_one_line_for_each_file(tmp_path: Path) -> None:
    record(tmp_path, {"x.csv": A, "y.csv": B})
    assert (tmp_path / NAME).read_bytes() == line(A, "x.csv") + line(B, "y.csv")
    assert names(tmp_path) == [NAME]


@pytest.mark.parametrize(
    "others",
    [
        line(A, "other.csv"),
        line(A, "other.csv", "\r\n"),
        line(A, "other.csv", mark="*"),
        b"# made by hand\n\n",
        b"SHA256 (other.csv) = " + A.encode() + b"\n",
        b"d41d8cd98f00b204e9800998ecf8427e  x.csv\n",
        b"\xff\xfe not text\n",
    ],
)
def test_other_lines_are_kept(tmp_path: Path, others: bytes) -> None:
    assert recorded(tmp_path, others, {"x.csv": B}) == others + line(B, "x.csv")


def test_a_last_line_without_its_end_is_not_lost(tmp_path: Path) -> None:
    before = line(A, "other.csv", end="")
    assert recorded(tmp_path, before, {"x.csv": B}) == before + b"\n" + line(B, "x.csv")


@pytest.mark.parametrize(
    "old",
    [
        line(A, "x.csv"),
        line(A, "x.csv", ""),
        line(A, "x.csv", "\r\n"),
        line(A, "x.csv", mark="*"),
        b"SHA256 (x.csv) = " + A.encode() + b"\n",
        line(A, "x.csv") * 3,
        line(A.upper(), "x.csv"),
    ],
)
def test_an_old_line_of_the_same_file_is_replaced(tmp_path: Path, old: bytes) -> None:
    assert recorded(tmp_path, old, {"x.csv": B}) == line(B, "x.csv")


ODD = [
    "a\nb.csv",
    "a\\b.csv",
    "a\rb.csv",
    " x",
    "größe 日本.csv",
    "a\\nb",
    os.fsdecode(b"\xff.csv"),
]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_reads_odd_names(tmp_path: Path) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for name in ODD:
        (tmp_path / name).touch()
    for _ in range(2):  # the second time each line is found again
        record(tmp_path, dict.fromkeys(ODD, empty))
    assert (tmp_path / NAME).read_bytes().count(b"\n") == len(ODD)
    command = ["sha256sum", "--strict", "--quiet", "-c", NAME]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and links are of POSIX")
@pytest.mark.parametrize("kind", ["fifo", "link", "dangling", "directory"])
def test_a_special_file_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / NAME, tmp_path / "other"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(other)
        if kind == "link":
            other.write_bytes(b"mine")
    before = path.lstat()
    with pytest.raises(FileProblem, match="SHA256SUMS is not a regular file"):
        check(tmp_path)
    with pytest.raises(FileProblem, match="SHA256SUMS is not a regular file"):
        record(tmp_path, {"x": A})
    assert os.path.samestat(path.lstat(), before)
    assert kind != "link" or other.read_bytes() == b"mine"
    assert f".{NAME}.part" not in names(tmp_path)


def test_a_missing_file_or_directory_can_be_used(tmp_path: Path) -> None:
    check(tmp_path)
    check(tmp_path / "missing")


def test_a_directory_that_is_gone_is_a_file_problem(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="No such file or directory"):
        record(tmp_path / "gone", {"x": A})


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    (tmp_path / NAME).chmod(0o604)
    record(tmp_path, {"x": A})
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o604


def test_the_draft_of_a_killed_run_is_reused(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.part").write_bytes(b"half of a longer file" * 99)
    record(tmp_path, {"x": A})
    assert names(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == line(A, "x")


def test_an_error_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(b"old\n")

    def fail(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FileProblem, match="No space left on device"):
        record(tmp_path, {"x": A})
    assert ((tmp_path / NAME).read_bytes(), names(tmp_path)) == (b"old\n", [NAME])


WRITER = """
import sys
from pathlib import Path
from nostra_cli.downloads.checksums import record
for number in range(20):
    record(Path(sys.argv[1]), {f"{sys.argv[2]}-{number}": "a" * 64})
"""


def test_several_processes_lose_no_line(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), name] for name in "pqrs"]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(60) for process in processes] == [0] * 4
    lines = (tmp_path / NAME).read_text().splitlines()
    assert sorted(lines) == sorted(f"{A}  {name}-{n}" for name in "pqrs" for n in range(20))
    assert names(tmp_path) == [NAME]


def test_the_name_is_reserved_however_it_is_written() -> None:
    assert is_reserved(NAME)
    assert is_reserved("sha256sums")
    assert not is_reserved("SHA256SUMS.csv")
