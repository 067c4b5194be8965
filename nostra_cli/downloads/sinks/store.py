"""Upload an object to a store: it becomes visible when it is complete.

S3 does that itself: the parts of a multipart upload are invisible until it is completed. Elsewhere
the object is written under a temporary name in the same folder, and moved.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from functools import partial
from typing import IO, Any

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import TargetSink
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.downloads.stores import HINT, check_object, open_store, store_errors
from nostra_cli.downloads.target import OnExisting, StoreUrl
from nostra_cli.errors import FileProblem
from nostra_cli.models import Piece
from nostra_cli.signals import start_thread

MIN_BLOCK = 8 << 20
"""Bytes that each upload keeps in memory and sends at once."""
_MAX_BLOCKS = 9_000  # S3 takes 10,000 parts
_PIPELINED_BLOCK = 256 << 10
_COMMITTING = frozenset({"s3", "s3a"})
_DISCARD_SECONDS = 0.8

_unfinished: weakref.WeakSet[Upload] = weakref.WeakSet()


def abort_all() -> None:
    """Abort the uploads of all threads; each is removed from its store."""
    for upload in list(_unfinished):
        upload.abort()


def note_leftovers(error: BaseException) -> None:
    """Note on an error what unfinished uploads leave in their stores."""
    for upload in list(_unfinished):
        note = f"remove what is left in the store: {upload.leftover}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)


class Upload(TargetSink):
    """A sink whose bytes go into a store. `size` is in bytes.

    A `spooled` body is kept in a temporary file until it is published.
    """

    def __init__(self, target: StoreUrl, spooled: bool = False) -> None:
        """Open the store; raises UsageProblem or FileProblem."""
        self.target = target
        self.aborted = False
        self.size = 0
        self.version: BodyVersion | None = None
        self._store, self._path = open_store(target)
        self._commits = target.scheme in _COMMITTING
        name = f".nostra-{os.urandom(8).hex()}.part"
        self._written = self._path
        if not self._commits:
            self._written = f"{self._path.rpartition('/')[0]}/{name}"
        url = target.url[: -len(target.name)] + name
        self.leftover = f"an unfinished upload of {target}" if self._commits else url
        self._spool = Spool() if spooled else None
        self._file: Any = None
        self._pipelined = False

    def restart(self, version: BodyVersion) -> None:
        """Discard what was written and begin an object of this version."""
        if self._spool is not None:
            self._spool.restart(version)
        else:
            self._discard()
            self._open(version.length or 0)
        self.size = 0
        self.version = version

    def _open(self, length: int) -> None:
        self._check()
        block = max(MIN_BLOCK, length // _MAX_BLOCKS + 1)
        if self.target.scheme in ("sftp", "ssh"):
            block = _PIPELINED_BLOCK
        with self._errors():
            file = self._store.open(
                self._written, "wb", block_size=block, autocommit=not self._commits
            )
            # paramiko otherwise waits for the response to every 32 KiB: 1 instead of 129 MB/s.
            if hasattr(file, "set_pipelined"):
                file.set_pipelined(True)
                self._pipelined = True
        self._file = file
        _unfinished.add(self)

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem."""
        if self._spool is not None:
            self._spool.write(data)
        else:
            self._send(data)
        self.size += len(data)

    def _send(self, data: Piece) -> None:
        self._check()
        if self._file is not None:
            with self._errors():
                self._file.write(bytes(data))  # a driver may keep the buffer

    def reader(self) -> IO[bytes] | None:
        """Read the complete body if it is spooled."""
        return self._spool.file if self._spool is not None else None

    def publish(self, replace: bool) -> None:
        """Make the object visible under its name, over another only with `replace`."""
        if self._spool is not None:
            self._open(self.size)
            for block in self._spool.blocks():
                self._send(block)
        self._check()
        if self._file is None:
            return
        with self._errors():
            self._file.close()
            # Another process may have been faster.
            check_object(self.target, OnExisting.OVERWRITE if replace else OnExisting.REFUSE)
            if self._commits:
                self._file.commit()
            else:
                if self._pipelined and self._store.size(self._written) != self.size:
                    raise FileProblem(f"{self.target}: the server did not store all of it", HINT)
                self._store.mv(self._written, self._path)
        self._file = None
        _unfinished.discard(self)

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Remove an unpublished object, or note on the error what is left."""
        if error is not None and not self._discard():
            note_leftovers(error)
        if self._spool is not None:
            self._spool.close()

    def abort(self) -> None:
        """Abort it: its next write raises FileProblem, and its own thread removes it.

        On S3 it is discarded at once: that thread may be blocked. Other drivers are not
        thread-safe.
        """
        self.aborted = True
        if self._commits:
            self._start_discarding()

    def _discard(self) -> bool:
        """Remove what was written; False if the store does not do so within a moment."""
        if thread := self._start_discarding():
            thread.join(_DISCARD_SECONDS)
        return self not in _unfinished

    def _start_discarding(self) -> threading.Thread | None:
        if self._file is not None:
            with contextlib.suppress(RuntimeError):  # no more threads: it is left, and named
                return start_thread(partial(self._remove_upload, self._file))
        return None

    def _remove_upload(self, file: Any) -> None:
        """Remove it, however long that takes."""
        # At once, however much is still to be sent; then again, as closing may make it appear.
        with contextlib.suppress(Exception):
            self._remove(file)
        with contextlib.suppress(Exception):
            file.close()
        with contextlib.suppress(Exception):
            self._remove(file)

    def _remove(self, file: Any) -> None:
        if self._commits:
            file.discard()
        else:
            with contextlib.suppress(FileNotFoundError):
                self._store.rm_file(self._written)
        _unfinished.discard(self)

    def _check(self) -> None:
        if self.aborted:
            raise FileProblem(f"the upload of {self.target} was aborted")

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return store_errors(f"cannot write {self.target}")
