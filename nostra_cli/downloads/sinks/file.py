"""The partial file beside its target, and the note that names its body.

A part is locked while a process writes it, so that two processes never write one file; it is never
a link, so that no other file can be written through it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nostra_cli.downloads.naming import fits
from nostra_cli.downloads.resume import BodyVersion, from_json
from nostra_cli.downloads.sinks.protocol import TargetSink
from nostra_cli.downloads.target import check_regular
from nostra_cli.errors import Corrupt, FileProblem, KeptPart, add_kept, file_errors
from nostra_cli.files import NO_FOLLOW, keep_mode, open_locked
from nostra_cli.models import Piece

_BLOCK = 1 << 20
_MAX_NOTE = 64 * 1024
_NOTE_AFTER_SECONDS = 0.25
_NOTE_AFTER_BYTES = 1 << 20


def part_path(target: Path) -> Path:
    """Return the path of the part of `target`: hidden, beside it."""
    name = f".{target.name}.part"
    if not fits(name + ".json"):
        digest = hashlib.sha256(target.name.encode("utf-8", "surrogatepass")).hexdigest()
        name = f".nostra-{digest[:24]}.part"
    return target.with_name(name)


def _note_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def remove_stale_part(target: Path) -> None:
    """Remove the part of `target` if a run was killed just after publishing it."""
    part = part_path(target)
    with contextlib.suppress(OSError):
        if os.path.samestat(part.lstat(), target.lstat()):
            _note_path(part).unlink(missing_ok=True)
            part.unlink()


class Part(TargetSink):
    """A partial file; `version` is None if its body is unknown.

    The part of an earlier run is opened; a new one is made, with its directories, when a body
    begins. `size` is in bytes.
    """

    def __init__(self, target: Path, resume: bool) -> None:
        """Open the part of `target`, if it exists; its content is used only with `resume`."""
        self.target = target
        self.path = part_path(target)
        self.size = 0
        self.version: BodyVersion | None = None
        self._note = _note_path(self.path)
        self._has_note = False
        self._fd = -1
        self._started = 0.0
        with file_errors(self.path), contextlib.suppress(FileNotFoundError):
            self._open(create=False)
            self._has_note = True  # it may have one
            self.size = os.lseek(self._fd, 0, os.SEEK_END)
        if self.size and resume:
            self.version = self._read_note()
            self._hold_one_byte_back()

    def _open(self, create: bool) -> None:
        busy = FileProblem(
            f"another process is downloading to {self.target}", "wait, or choose another name"
        )
        self._fd = open_locked(self.path, 0o666, busy, create=create)

    def _create(self) -> None:
        try:
            self._open(create=True)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open(create=True)
        self._has_note = True  # a part may have been removed without its note

    def _read_note(self) -> BodyVersion | None:
        try:
            with open(os.open(self._note, os.O_RDONLY | NO_FOLLOW), "rb") as file:  # noqa: PTH123
                return from_json(file.read(_MAX_NOTE).decode("utf-8", "replace"))
        except OSError:  # missing, a link or a directory
            return None

    def _write_note(self) -> None:
        """Write the version to a new file: nothing is written through a planted link."""
        if self.version is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW
            with file_errors(self._note):
                self._note.unlink(missing_ok=True)
                fd = os.open(self._note, flags, 0o600)
                self._has_note = True
                with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                    file.write(self.version.to_json())

    def _remove_note(self) -> None:
        if self._has_note:
            with file_errors(self._note):
                self._note.unlink(missing_ok=True)
            self._has_note = False

    def _hold_one_byte_back(self) -> None:
        """Drop a byte to request again: the response then proves that the part is current."""
        length = self.version.length if self.version else None
        if length is not None and self.size >= length:
            self.cut(length - 1)

    def restart(self, version: BodyVersion) -> None:
        """Empty the part and begin a body of `version`."""
        with file_errors(self.path):
            if self._fd < 0:
                self._create()
            self._remove_note()  # first: it does not describe the new bytes
            if self.size:
                os.ftruncate(self._fd, 0)
                os.lseek(self._fd, 0, os.SEEK_SET)
        self.size = 0
        self.version = version
        self._started = time.monotonic()

    def blocks(self) -> Iterator[bytes]:
        """Read the part from its start; the position is then at its end."""
        if self._fd >= 0:
            with file_errors(self.path):
                os.lseek(self._fd, 0, os.SEEK_SET)
                while block := os.read(self._fd, _BLOCK):
                    yield block

    def cut(self, size: int) -> None:
        """Truncate to `size` bytes."""
        with file_errors(self.path):
            os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        self.size = size

    def write(self, data: Piece) -> None:
        """Append all of `data`; on FileProblem, the bytes written so far are kept."""
        view = memoryview(data)
        with file_errors(self.target):
            while view:
                count = os.write(self._fd, view)
                self.size += count
                view = view[count:]
            # A body that is complete within a moment needs no note.
            if not self._has_note and (
                self.size >= _NOTE_AFTER_BYTES
                or time.monotonic() - self._started > _NOTE_AFTER_SECONDS
            ):
                self._write_note()

    def reader(self) -> BinaryIO:
        """Open the part for reading from its start; the file need not be closed."""
        with file_errors(self.path):
            os.lseek(self._fd, 0, os.SEEK_SET)
            return open(self._fd, "rb", closefd=False)

    def publish(self, replace: bool) -> None:
        """Give the complete file its name atomically; over another only with `replace`.

        It is durable once `sync_folder` was called for its directory. On FileProblem the part
        stays.
        """
        with file_errors(self.target):
            if os.path.lexists(self.path) and not self._is_at_path():
                raise FileProblem(f"another program replaced {self.path}", "run it again")
            if replace:
                check_regular(self.target)  # as at the start: it may have appeared meanwhile
                keep_mode(self._fd, self.path, self.target)
            os.fsync(self._fd)
            self._remove_note()  # first: a kill in between leaves nothing but the part
            if sys.platform == "win32":  # an open file cannot be renamed there
                self._close_file()
            if replace:
                self.path.replace(self.target)
            else:
                _move_without_replacing(self.path, self.target)

    def close(self, keep: bool = False) -> bool:
        """Close it; return whether it is kept, because of `keep` and since it can be continued."""
        kept = False
        if self._is_at_path():
            kept = keep and self._is_useful()
            if not kept:
                with contextlib.suppress(FileProblem):
                    self._remove_note()
                with contextlib.suppress(OSError):
                    if sys.platform == "win32":  # an open file cannot be removed there
                        self._close_file()
                    self.path.unlink()
        self._close_file()
        return kept

    def _is_at_path(self) -> bool:
        """Return whether the open file still has its name: no other file may be removed."""
        try:
            return self._fd >= 0 and os.path.samestat(os.fstat(self._fd), self.path.lstat())
        except OSError:
            return False

    def _is_useful(self) -> bool:
        """Return whether a later run can continue it; its note is then written."""
        if not (self.size and self.version and self.version.validator):
            return False
        if os.fstat(self._fd).st_nlink > 1:  # interrupted after it was published
            return False
        try:
            if not self._has_note:
                self._write_note()
        except FileProblem:
            return False
        return True

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Close it; a part that can be continued is kept and recorded on the error."""
        # A corrupt body would be corrupt again when continued.
        keep = error is not None and not isinstance(error, Corrupt)
        if self.close(keep) and error is not None:
            add_kept(error, [KeptPart(str(self.target), self.size)])

    def _close_file(self) -> None:
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
        # No hard links here: the time between check and rename is short.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        source.rename(target)
        return
    source.unlink()
