"""An object on its way into a store: it appears under its name when it is whole, or not at all.

S3 does that itself: the parts of a multipart upload are nothing until it is completed. Elsewhere
the object is written beside its place, under a name that nobody looks for, and moved.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nostra_cli.downloads.plan import OnExisting
from nostra_cli.downloads.sinks.store import occupied, store_errors, store_of
from nostra_cli.downloads.target import Remote
from nostra_cli.errors import FileProblem
from nostra_cli.models import Piece

if TYPE_CHECKING:
    from nostra_cli.downloads.resume import BodyVersion
    from nostra_cli.downloads.sinks.store import StoreFile

LEAST_BLOCK = 8 << 20
"""Bytes that are kept in memory and sent at once, for each upload."""
_MOST_BLOCKS = 9_000  # S3 takes 10,000 parts
_COMMITTING = frozenset({"s3", "s3a"})
_PATIENCE = 5.0
"""Seconds for a store to take back what was begun."""

_begun: weakref.WeakSet[Upload] = weakref.WeakSet()


class Upload:
    """A sink whose bytes go into a store. `size` is in bytes."""

    def __init__(self, target: Remote) -> None:
        """Find the store; raises UsageProblem or FileProblem where there is none."""
        self.target = target
        self.size = 0
        self.version: BodyVersion | None = None
        self._store, self._path = store_of(target)
        self._commits = target.scheme in _COMMITTING
        folder = self._path.rpartition("/")[0]
        beside = f"{folder}/.nostra-{os.urandom(8).hex()}.part"
        self._written = self._path if self._commits else beside
        self._file: StoreFile | None = None
        self._over = False
        self._discarding = threading.Lock()
        _begun.add(self)

    def restart(self, version: BodyVersion) -> None:
        """Drop what there is and begin an object of this version."""
        self.drop()
        self._check()
        self.size = 0
        self.version = version
        block = max(LEAST_BLOCK, (version.length or 0) // _MOST_BLOCKS + 1)
        with self._errors():
            self._file = self._store.open(
                self._written, "wb", block_size=block, autocommit=not self._commits
            )

    def blocks(self) -> Iterator[bytes]:
        """Nothing can be read back."""
        return iter(())

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem."""
        self._check()
        if self._file is not None:
            with self._errors():
                self._file.write(bytes(data))  # a driver may keep it; a view would change
        self.size += len(data)

    def publish(self, replace: bool) -> None:
        """Make the object visible under its name, never over another, unless told.

        Raises FileProblem, and it is not visible.
        """
        self._check()
        if self._file is None:
            return
        with self._errors():
            self._file.close()
            # Somebody else may have been faster.
            occupied(self.target, OnExisting.OVERWRITE if replace else OnExisting.REFUSE)
            if self._commits:
                self._file.commit()
            else:
                self._store.mv(self._written, self._path)
        self._file = None

    def drop(self) -> None:
        """Take back what was begun and not published; what goes wrong with that is not told."""
        _dropped([self])

    @property
    def begun(self) -> bool:
        """Whether there is something to be taken back."""
        return self._file is not None

    def give_up(self) -> None:
        """Let nothing more be written: the run is over."""
        self._over = True

    def discard(self) -> None:
        """Take it back, however long the store takes for it."""
        if self._file is None:
            return
        file = self._file
        # The end of a run and the thread that it ends may both be here.
        with self._discarding, contextlib.suppress(Exception):
            if self._commits:
                try:
                    file.discard()
                finally:
                    file.closed = True  # it would send its rest when it is collected
            else:
                file.close()
                self._store.rm_file(self._written)

    def _check(self) -> None:
        if self._over:
            raise FileProblem(f"{self.target} was given up")

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return store_errors(f"cannot write {self.target}")


def drop_all() -> None:
    """Take back every upload that is under way in any thread, and let none of them go on."""
    uploads = list(_begun)
    for upload in uploads:
        upload.give_up()
    _dropped(uploads)


def _dropped(uploads: Iterable[Upload]) -> None:
    """Wait for some seconds only: a store that does not answer must not hold up the end."""
    threads = [
        threading.Thread(target=upload.discard, daemon=True) for upload in uploads if upload.begun
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
