"""A file of ours that one process at a time works on: locked, and never a link."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from pathlib import Path

from nostra_cli.errors import FileProblem

# What other systems do not have: the checks behind the open hold there, with a smaller window.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BASE = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | NO_FOLLOW
_LOCKED_BYTE = (1 << 40) + (1 << 31) - 1
_GLANCE = 0.02


def open_locked(path: Path, mode: int, busy: FileProblem, patience: float = 0.0) -> int:
    """Open `path` for reading and writing, made with `mode` where it is missing, and lock it.

    Closing the descriptor unlocks it. Raises `busy` when another process has had it for `patience`
    (seconds), FileProblem for what is no file of ours, OSError for the rest.
    """
    for _ in range(100):
        try:
            fd = os.open(path, _BASE | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            try:
                fd = os.open(path, _BASE)
            except FileNotFoundError:  # its owner was done with it in between
                continue
        try:
            if _is_ours(fd, path, busy, patience):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    raise FileProblem(f"{path} changes all the time", "is another program at work there?")


def _is_ours(fd: int, path: Path, busy: FileProblem, patience: float) -> bool:
    """Lock it; False when it is no longer the file at its path: then try again."""
    here = os.fstat(fd)
    if not stat.S_ISREG(here.st_mode) or (hasattr(os, "geteuid") and here.st_uid != os.geteuid()):
        raise FileProblem(f"{path} is not a file of ours", "remove it")
    end = time.monotonic() + patience
    while not _lock(fd):
        if time.monotonic() >= end:
            raise busy
        time.sleep(_GLANCE)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    if not os.path.samestat(here, there):
        return False
    if os.fstat(fd).st_nlink > 1:
        # Killed between publishing and cleaning up: this is a name of the finished file.
        path.unlink()
        return False
    return True


def _lock(fd: int) -> bool:
    """Lock it without waiting; False while another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far behind the end: what is locked there, nobody else can read.
            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(fd, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Anything else comes from a file system without locks: there it has to do without.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a loss of power, where the system can."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
