"""The local file system refuses, is full, or has unexpected files."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nostra_cli.sandbox import wire
from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import runner_for
from tests.faults.catalogue import covers
from tests.faults.test_signals import start, until
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("these are faults of POSIX file systems", allow_module_level=True)

NAME = "demo-dedup.csv"
DOWNLOAD = ("download", "demo-dedup", "-f", "csv")
LARGE = ("download", "demo-large", "-f", "csv")


@covers("no-space")
@pytest.mark.parametrize("old", [False, True])
def test_a_file_size_limit(old: bool, home: Path, tmp_path: Path) -> None:
    with serving(large_bytes=2_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        if old:
            (tmp_path / "demo-large.csv").write_text("old")
        limited = ["sh", "-c", f'ulimit -f 1000; exec {NOSTRA} "$@"', "sh"]
        ended = nostra(*LARGE, "--overwrite", command=limited)
        assert ended.code == 8
        assert "File too large" in ended.err
        assert "; the same command resumes" in ended.err
        assert len(sandbox.requests) == 2
        assert not old or (tmp_path / "demo-large.csv").read_text() == "old"
        again = nostra(*LARGE, "--overwrite", "--json")
    assert (again.code, again.json()[0]["resumed"]) == (0, True)
    assert nostra.files() == ["demo-large.csv"]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a file system of 1 MiB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@covers("no-space")
def test_a_full_disk(home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk), serving(large_bytes=3_000_000) as sandbox:
        nostra = runner_for(sandbox, home, disk)
        (disk / "demo-large.csv").write_text("old")
        ended = nostra(*LARGE, "--overwrite")
        assert ended.code == 8
        assert "No space left on device" in ended.err
        assert len(sandbox.requests) == 2
        assert (disk / "demo-large.csv").read_text() == "old"
        assert nostra("download", "demo-large", "-o", "x", "-f", "csv", "--no-resume").code == 8


@covers("no-space")
def test_a_full_stdout(nostra: Runner) -> None:
    for args in (["status", "demo-dedup"], [*DOWNLOAD, "-o", "-"]):
        command = f'exec {NOSTRA} "$@" > /dev/full'
        ended = nostra(*args, command=["sh", "-c", command, "sh"])
        assert ended.code == 8
        assert "cannot write to stdout: No space left on device" in ended.err


@covers("directory")
def test_unusable_directories_are_refused_before_any_polling(
    nostra: Runner, sandbox: Sandbox
) -> None:
    (nostra.cwd / "target.csv").mkdir()
    (nostra.cwd / "file").touch()
    sandbox.requests.clear()
    for args, said in (
        (["-d", "file"], "file"),
        (["-d", "file/x/y"], "file"),
        (["-o", "missing/x.csv"], "missing"),
        (["-o", "target.csv"], "target.csv is a directory"),
        (["-o", "file/x.csv"], "file"),
    ):
        ended = nostra(*DOWNLOAD, "--wait", "--overwrite", *args)
        assert (ended.code, ended.out) == (8, "")
        assert said in ended.err
    assert not sandbox.requests


@pytest.mark.parametrize(("args", "name"), [(["-f", "csv"], NAME), (["-o", "x.txt"], "x.txt")])
def test_an_existing_target_is_seen_before_any_polling(
    nostra: Runner, sandbox: Sandbox, args: list[str], name: str
) -> None:
    (nostra.cwd / name).write_text("mine")
    sandbox.requests.clear()
    ended = nostra("download", "demo-dedup", *args, "--wait")
    assert (ended.code, len(sandbox.requests)) == (8, 0)
    assert "--overwrite" in ended.err
    assert (nostra.cwd / name).read_text() == "mine"


@covers("directory")
def test_a_directory_without_permission(nostra: Runner, sandbox: Sandbox) -> None:
    folder = nostra.cwd / "locked"
    folder.mkdir()
    if os.geteuid() == 0:  # root may write everywhere but where it is read-only
        bind = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
        if subprocess.run(bind, capture_output=True, check=False).returncode:
            pytest.skip("root without the right to mount cannot be locked out")
    else:
        folder.chmod(0o500)
    sandbox.requests.clear()
    try:
        ended = nostra(*DOWNLOAD, "--wait", "-d", "locked")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(folder)], check=True)
    assert (ended.code, len(sandbox.requests)) == (8, 0)
    assert "locked" in ended.err


@covers("long-names")
def test_names_of_255_bytes(home: Path, tmp_path: Path) -> None:
    long = "é" * 124 + "abc"  # 251 bytes, with `.csv` 255
    with faulty(f'[invocation."{long}"]\n[invocation."{long}x"]') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", long, f"{long}x", "-f", "csv")
    assert ended.code == 0, ended.err
    exact, cut = nostra.files() if nostra.files()[0] == f"{long}.csv" else nostra.files()[::-1]
    assert exact == f"{long}.csv"
    assert len(cut.encode()) <= 255
    assert cut.endswith(".csv")


@covers("special")
@pytest.mark.parametrize("existing", [[], ["--overwrite"], ["--skip-existing"]])
@pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "socket", "device"])
def test_special_files_stay_as_they_are(nostra: Runner, kind: str, existing: list[str]) -> None:
    target, other = nostra.cwd / NAME, nostra.cwd / "other"
    if kind == "link":
        other.write_text("mine")
    if kind in ("link", "dangling"):
        target.symlink_to(other)
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as unix:
            os.chdir(nostra.cwd)
            unix.bind(NAME)
    before = target.lstat() if kind != "device" else Path(os.devnull).lstat()
    where = ["-o", os.devnull] if kind == "device" else []
    ended = nostra(*DOWNLOAD, *existing, *where)
    assert (ended.code, ended.out) == (8, "")
    after = target.lstat() if kind != "device" else Path(os.devnull).lstat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    assert not other.exists() or other.read_text() == "mine"


@covers("special")
@pytest.mark.parametrize("kind", ["fifo", "link", "directory"])
def test_a_special_file_in_the_place_of_the_hashes_is_refused_before_any_polling(
    nostra: Runner, sandbox: Sandbox, kind: str
) -> None:
    path = nostra.cwd / "SHA256SUMS"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("other")
    else:
        path.mkdir()
    before = path.lstat()
    sandbox.requests.clear()
    ended = nostra(*DOWNLOAD, "--wait", "--checksums")
    assert (ended.code, ended.out, len(sandbox.requests)) == (8, "", 0)
    assert "SHA256SUMS is not a regular file" in ended.err
    assert os.path.samestat(path.lstat(), before)
    assert nostra.files() == ["SHA256SUMS"]


@covers("planted")
@pytest.mark.parametrize(("planted", "code"), [(f".{NAME}.part", 8), (f".{NAME}.part.json", 0)])
def test_a_link_planted_beside_the_target(nostra: Runner, planted: str, code: int) -> None:
    victim = nostra.cwd / "victim"
    victim.write_text("precious")
    (nostra.cwd / planted).symlink_to(victim)
    ended = nostra(*DOWNLOAD)
    assert victim.read_text() == "precious"
    assert ended.code == code


@covers("planted")
def test_a_hard_link_planted_as_the_note_is_not_written_through(home: Path, tmp_path: Path) -> None:
    slow = '[[fault]]\npath = "*/csv"\nrate = 300_000\n'
    with faulty(slow, large_bytes=200_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        victim = tmp_path / "victim"
        victim.write_text("precious")
        (tmp_path / ".demo-large.csv.part.json").hardlink_to(victim)
        assert nostra(*LARGE).code == 0
    assert victim.read_text() == "precious"
    assert nostra.files() == ["demo-large.csv", "victim"]


@covers("planted")
@pytest.mark.parametrize("planted", [".demo-large.csv.part", ".demo-large.csv.part.json"])
def test_a_directory_beside_the_target_is_a_file_problem(
    planted: str, home: Path, tmp_path: Path
) -> None:
    slow = '[[fault]]\npath = "*/csv"\nrate = 300_000\n'
    with faulty(slow, large_bytes=200_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        (tmp_path / planted).mkdir()
        ended = nostra(*LARGE, "--json")
    assert (ended.code, ended.out) == (8, "")
    assert planted in str(ended.error["message"])


@covers("directory")
def test_a_directory_removed_in_the_middle(home: Path, tmp_path: Path) -> None:
    slow = '[[fault]]\npath = "*/csv"\nrate = 1_000_000\n'
    (tmp_path / "out").mkdir()
    with faulty(slow, large_bytes=1_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        process = subprocess.Popen(
            [NOSTRA, *LARGE, "-d", "out"],
            cwd=tmp_path,
            env=dict(nostra.env),
            stderr=subprocess.PIPE,
        )
        until((tmp_path / "out" / ".demo-large.csv.part").exists)
        shutil.rmtree(tmp_path / "out")
        err = process.communicate(timeout=30)[1].decode()
        assert len([request for request in sandbox.requests if "csv" in request.path]) == 1
    assert (process.returncode, nostra.files()) == (8, [])
    assert "No such file or directory" in err
    assert "resumes" not in err


@covers("directory")
def test_a_current_directory_that_was_removed(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    ended = nostra(*DOWNLOAD, command=["sh", "-c", script, "sh", NOSTRA])
    assert (ended.code, ended.out, len(sandbox.requests)) == (8, "", 0)
    assert "error: the current directory was removed" in ended.err


@covers("no-space")
def test_no_directory_for_temporary_files(nostra: Runner) -> None:
    """A workbook on its way into a store is kept in one until it is verified."""
    code = (
        "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc/none'];"
        "import nostra_cli.downloads.sinks.spool as spool; spool.IN_MEMORY = 10;"
        "from nostra_cli.__main__ import main; main()"
    )
    url = nostra.cwd.as_uri()
    args = ["download", "demo-dedup", "-f", "xlsx", "-d", url, "--json"]
    ended = nostra(*args, command=[sys.executable, "-c", code])
    assert (ended.code, ended.out) == (8, "")
    assert "cannot write a temporary file: " in str(ended.error["message"])
    assert "TMPDIR" in str(ended.error["hint"])
    assert nostra.files() == []


@covers("umask")
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_a_umask_that_takes_every_right(nostra: Runner, format_: str) -> None:
    command = ["sh", "-c", f'umask 777; exec {NOSTRA} "$@"', "sh"]
    ended = nostra("download", "demo-dedup", "-f", format_, "--checksums", command=command)
    assert ended.code == 0
    for name in nostra.files():
        assert stat.S_IMODE((nostra.cwd / name).stat().st_mode) == 0


@covers("umask")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_files_get_the_mode_of_the_umask(nostra: Runner, umask: int) -> None:
    command = ["sh", "-c", f'umask {umask:03o}; exec {NOSTRA} "$@"', "sh"]
    assert nostra(*DOWNLOAD, "--checksums", command=command).code == 0
    for name in (NAME, "SHA256SUMS"):
        assert stat.S_IMODE((nostra.cwd / name).stat().st_mode) == 0o666 & ~umask


@covers("two", "two-writers")
def test_two_processes_one_target(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_ended = threading.Event()

    def held(pieces: Iterator[bytes], rate: int | None, _wait: object) -> Iterator[bytes]:
        for piece in pieces:
            if rate is None:
                yield piece
            else:
                yield piece[:1000]
                second_ended.wait(30)
                yield piece[1000:]

    monkeypatch.setattr(wire, "paced", held)
    with faulty('[[fault]]\npath = "*/csv"\nrate = 1\n', large_bytes=1_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        options = ["-q", "--overwrite", "--checksums"]
        first = start(nostra, *LARGE, *options)
        part = tmp_path / ".demo-large.csv.part"
        until(lambda: part.exists() and part.stat().st_size)
        second = nostra(*LARGE, *options)
        second_ended.set()
        first.communicate(timeout=30)
    assert (first.returncode, second.code) == (0, 8)
    assert "another process is downloading" in second.err
    assert nostra.files() == ["SHA256SUMS", "demo-large.csv"]
    assert (tmp_path / "demo-large.csv").stat().st_size == 1_000_000
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)
