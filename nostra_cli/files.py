"""Files for one process at a time: locked, never a link, replaced atomically."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from nostra_cli.errors import FileProblem

# Not on all systems; the checks after opening are made anyway.
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BASE = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | NO_FOLLOW
_LOCKED_BYTE = (1 << 40) + (1 << 31) - 1
_POLL_SECONDS = 0.02
_NOT_A_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENXIO})
"""Why opening fails where a link, a directory or a socket stands."""


def open_locked(
    path: Path, mode: int, busy: FileProblem, patience: float = 0.0, create: bool = True
) -> int:
    """Open and lock `path` for reading and writing; closing the descriptor unlocks it.

    A missing file is created with `mode`, unless `create` is false. Raises `busy` if another
    process holds the lock for longer than `patience` (seconds), FileProblem for a file that is not
    safe to write to, OSError for other failures.
    """
    for _ in range(100):
        made = _create(path, mode) if create else None
        try:
            fd = os.open(path, _BASE) if made is None else made
        except FileNotFoundError:
            if not create:
                raise
            continue  # removed meanwhile by its owner
        except OSError as error:
            if error.errno in _NOT_A_FILE and os.path.lexists(path):
                raise _not_regular(path) from error
            raise
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

    As in Linux's `fs.protected_regular`, only files in a directory that all may write to are
    suspicious: on CIFS or FAT, all files have the same owner.
    """
    if not stat.S_ISREG(found.st_mode):
        raise _not_regular(path)
    if not hasattr(os, "geteuid") or found.st_uid == os.geteuid():
        return
    folder = path.parent.stat()
    shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
    if shared and found.st_uid != folder.st_uid:
        raise FileProblem(
            f"{path} belongs to another user", "have it removed, or choose another directory"
        )


def _not_regular(path: Path) -> FileProblem:
    kind = "a symbolic link" if path.is_symlink() else "not a regular file"
    return FileProblem(f"{path} is {kind}", "remove it")


def _lock_at_path(fd: int, path: Path, busy: FileProblem, patience: float) -> bool:
    """Lock `fd`; return False (try again) unless it is the file at `path`, with no other name."""
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
        # Planted, or left by a run that was killed while publishing: writing to it would change
        # the file of the other name.
        path.unlink(missing_ok=True)
        return False
    return True


def _lock(fd: int) -> bool:
    """Lock without waiting; return False if another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far beyond the end: others cannot read a locked byte.
            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(fd, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Any other error: the file system has no locks.
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def draft_path(path: Path) -> Path:
    """Return the path of the draft that `rewrite` renames to `path`."""
    return path.with_name(f".{path.name}.part")


def rewrite(
    path: Path,
    change: Callable[[], bytes | None],
    busy: FileProblem,
    patience: float,
    mode: int | None = None,
) -> None:
    """Replace the content of `path` atomically by the result of `change`, called under a lock.

    A result of None leaves it unchanged. The file gets `mode`; without one, an existing file keeps
    its own. The next process takes over the draft of a killed one. Raises `busy` after `patience`
    (seconds), FileProblem, OSError, and what `change` raises; the file is then unchanged.
    """
    draft = draft_path(path)
    fd = open_locked(draft, 0o666 if mode is None else mode, busy, patience)
    with open(fd, "r+b") as file:  # noqa: PTH123 - a descriptor
        try:
            content = change()
            if content is None:
                _remove(file, draft)
                return
            if mode is None:
                keep_mode(fd, draft, path)
            else:
                _set_mode(fd, draft, mode)
            file.truncate(0)
            file.write(content)
            file.flush()
            os.fsync(fd)
            if sys.platform == "win32":  # cannot rename an open file
                file.close()
            draft.replace(path)
        except BaseException:
            _remove(file, draft)
            raise
    sync_folder(path.parent)


def _remove(file: BinaryIO, path: Path) -> None:
    if sys.platform == "win32":  # cannot remove an open file
        file.close()
    with contextlib.suppress(OSError):
        path.unlink()


def keep_mode(fd: int, path: Path, old: Path) -> None:
    """Set the mode of the open file at `path` to that of the file `old` that it will replace."""
    with contextlib.suppress(FileNotFoundError):
        _set_mode(fd, path, stat.S_IMODE(old.lstat().st_mode))


def _set_mode(fd: int, path: Path, mode: int) -> None:
    if mode != stat.S_IMODE(os.fstat(fd).st_mode):
        if sys.platform == "win32":
            path.chmod(mode)
        else:
            os.fchmod(fd, mode)


def sync_folder(folder: Path) -> None:
    """Flush a directory to the disk, if the system supports it."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
