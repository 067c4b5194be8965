"""Files that one process at a time works on: locked, never a link, replaced at once."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nostra_cli.errors import FileProblem

# What other systems do not have: the checks after opening still hold there.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BASE = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | NO_FOLLOW
_LOCKED_BYTE = (1 << 40) + (1 << 31) - 1
_POLL_SECONDS = 0.02


def open_locked(
    path: Path, mode: int, busy: FileProblem, patience: float = 0.0, create: bool = True
) -> int:
    """Open and lock `path` for reading and writing; closing the descriptor unlocks it.

    Where it is missing it is made with `mode`, or with `create` false FileNotFoundError raised.
    Raises `busy` when another process has held it for `patience` (seconds), FileProblem for
    what is not safe to write to, OSError for the rest.
    """
    for _ in range(100):
        made = _create(path, mode) if create else None
        try:
            fd = os.open(path, _BASE) if made is None else made
        except FileNotFoundError:
            if not create:
                raise
            continue  # its owner removed it in between
        try:
            if made is None:
                _check_safe(path, os.fstat(fd))
            if _lock_at_path(fd, path, busy, patience):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    raise FileProblem(f"{path} keeps changing", "does another program use it?")


def _create(path: Path, mode: int) -> int | None:
    try:
        return os.open(path, _BASE | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return None


def _check_safe(path: Path, found: os.stat_result) -> None:
    """Raise FileProblem for a file that another user may have planted, or that is not regular.

    The owner alone proves nothing: on a mount such as CIFS or FAT all files have the same one. As
    with Linux's `fs.protected_regular`, the danger is a directory that all may write to.
    """
    if not stat.S_ISREG(found.st_mode):
        raise FileProblem(f"{path} is not a regular file", "remove it")
    if not hasattr(os, "geteuid") or found.st_uid == os.geteuid():
        return
    folder = path.parent.stat()
    shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
    if shared and found.st_uid != folder.st_uid:
        raise FileProblem(
            f"{path} belongs to another user", "have it removed, or choose another directory"
        )


def _lock_at_path(fd: int, path: Path, busy: FileProblem, patience: float) -> bool:
    """Lock `fd`; False when it is no longer the only name of the file at `path`: try again."""
    end = time.monotonic() + patience
    while not _lock(fd):
        if time.monotonic() >= end:
            raise busy
        time.sleep(_POLL_SECONDS)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    if not os.path.samestat(os.fstat(fd), there):
        return False
    if there.st_nlink > 1:
        # Left by a run that was killed while it published, or planted: written, it would change
        # the file of the other name. Only this name goes.
        path.unlink(missing_ok=True)
        return False
    return True


def _lock(fd: int) -> bool:
    """Lock it without waiting; False while another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far beyond the end: a locked byte cannot be read by others.
            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(fd, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Anything else comes from a file system without locks: do without one there.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def rewrite(
    path: Path, change: Callable[[], bytes], busy: FileProblem, patience: float, mode: int = 0o666
) -> None:
    """Replace `path` at once by what `change` returns; it is called when no other process can.

    A new file gets `mode`, as far as the umask allows; an existing one keeps its own. What a
    killed process leaves is taken over by the next. Raises `busy` after `patience` (seconds),
    FileProblem, OSError, and what `change` raises; the file is then unchanged.
    """
    draft = path.with_name(f".{path.name}.part")
    with open(open_locked(draft, mode, busy, patience), "r+b") as file:
        try:
            content = change()
            file.truncate(0)
            file.write(content)
            file.flush()
            keep_mode(file.fileno(), draft, path)
            os.fsync(file.fileno())
            if sys.platform == "win32":  # an open file cannot be renamed there
                file.close()
            draft.replace(path)
        except BaseException:
            if sys.platform == "win32":  # nor removed
                file.close()
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
    sync_folder(path.parent)


def keep_mode(fd: int, path: Path, old: Path) -> None:
    """Give an open file, which is at `path`, the mode of the file that it is to replace."""
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(old.lstat().st_mode)
        if mode != stat.S_IMODE(os.fstat(fd).st_mode):
            if sys.platform == "win32":
                path.chmod(mode)
            else:
                os.fchmod(fd, mode)


def sync_folder(folder: Path) -> None:
    """Flush the entries of a directory to the disk, where the system can."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
