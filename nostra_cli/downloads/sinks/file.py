"""The partial file beside its target, and the note of what it is a part of.

A part is locked while a process works on it, so that two of them never write one file; it is never
a link, so that nothing else can be written through it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nostra_cli.downloads.flusher import Flusher
from nostra_cli.downloads.naming import fits
from nostra_cli.downloads.resume import BodyVersion, from_json
from nostra_cli.errors import FileProblem, file_errors
from nostra_cli.files import NO_FOLLOW, open_locked
from nostra_cli.models import Piece

_BLOCK = 1 << 20
_LARGEST_NOTE = 64 * 1024


def part_path(target: Path) -> Path:
    """Tell where the part of `target` is: hidden, beside it."""
    name = f".{target.name}.part"
    if not fits(name + ".json"):
        digest = hashlib.sha256(target.name.encode("utf-8", "surrogatepass")).hexdigest()
        name = f".nostra-{digest[:24]}.part"
    return target.with_name(name)


def tidy(target: Path) -> None:
    """Remove what a run that was killed while it published `target` left beside it."""
    part = part_path(target)
    note = _note_path(part)
    with contextlib.suppress(OSError):
        if os.path.lexists(part) and os.path.samestat(part.lstat(), target.lstat()):
            part.unlink()
        if not os.path.lexists(part):
            note.unlink(missing_ok=True)


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _busy(target: Path) -> FileProblem:
    return FileProblem(
        f"another process is downloading to {target}", "let it finish, or choose another name"
    )


class Part:
    """An open, locked partial file. `size` is in bytes, `version` None where nothing is known."""

    def __init__(self, target: Path, resume: bool) -> None:
        """Open or make the part of `target`; raises FileProblem where it cannot be used.

        Without `resume`, what is there is not taken for anything.
        """
        self.target = target
        self.path = part_path(target)
        self._note = _note_path(self.path)
        self.version: BodyVersion | None = None
        with file_errors(self.path):
            self._fd = open_locked(self.path, 0o666, _busy(target))
            self._flusher = Flusher(self._fd)
            self.size = os.fstat(self._fd).st_size
        if self.size and resume:
            self.version = self._read_note()
            self._hold_one_byte_back()

    def _read_note(self) -> BodyVersion | None:
        try:
            fd = os.open(self._note, os.O_RDONLY | NO_FOLLOW)
        except OSError:
            return None
        with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            return from_json(file.read(_LARGEST_NOTE).decode("utf-8", "replace"))

    def _hold_one_byte_back(self) -> None:
        """Leave a byte to ask for: the answer then proves that a complete part is still current."""
        length = self.version.length if self.version else None
        if length is not None and self.size >= length:
            self.cut(length - 1)

    def restart(self, version: BodyVersion) -> None:
        """Empty the part and note what it will be a part of."""
        with file_errors(self.path):
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
            self.size = 0
            self.version = version
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_FOLLOW
            with open(os.open(self._note, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(version.to_json())

    def blocks(self) -> Iterator[bytes]:
        """Read what is there already, from its start; the position is then at its end."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        while block := os.read(self._fd, _BLOCK):
            yield block

    def cut(self, size: int) -> None:
        """Forget what lies beyond `size` bytes."""
        with file_errors(self.path):
            os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        self.size = size

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem, and keeps what was written."""
        view = memoryview(data)
        while view:
            with file_errors(self.target):
                count = os.write(self._fd, view)
            self._flusher.wrote(count)
            self.size += count
            view = view[count:]

    def reader(self) -> BinaryIO:
        """Open what is there for reading; the caller closes it."""
        return self.path.open("rb")

    def publish(self, replace: bool) -> None:
        """Give the finished file its name, at once; never over another, unless told.

        For good once `sync_folder` has seen its folder. Raises FileProblem, the part then stays.
        """
        with file_errors(self.target):
            if replace:
                with contextlib.suppress(FileNotFoundError):
                    self.path.chmod(stat.S_IMODE(self.target.lstat().st_mode))
            self._flusher.finish()
            if sys.platform == "win32":  # an open file cannot be renamed there
                os.close(self._fd)
                self._fd = -1
            if replace:
                self.path.replace(self.target)
            else:
                _move_without_replacing(self.path, self.target)
        self._note.unlink(missing_ok=True)

    def close(self, keep: bool) -> bool:
        """Let go of it; tell whether a part is left for a later run.

        It is kept where `keep` is true and a later run could prove that it goes on with it.
        """
        useful = bool(keep and self.size and self.version and self.version.validator)
        if not useful:
            with contextlib.suppress(OSError):
                if self._fd >= 0 and os.path.samestat(os.fstat(self._fd), self.path.lstat()):
                    if sys.platform == "win32":  # an open file cannot be removed there
                        self._let_go()
                    self.path.unlink()
                    self._note.unlink(missing_ok=True)
        self._let_go()
        return useful

    def _let_go(self) -> None:
        self._flusher.settle()
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # what matters was fsynced
                os.close(self._fd)
            self._fd = -1


def _move_without_replacing(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # A file system without hard links: the window between look and rename is small.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        source.rename(target)
        return
    source.unlink()
