"""What was written, to the disk while the rest is still coming."""

from __future__ import annotations

import os
import threading

_EACH = 32 << 20


class Flusher:
    """Syncs a file in the background, so that the sync before its publication is short."""

    def __init__(self, fd: int) -> None:
        """Check after the open file `fd`."""
        self._fd = fd
        self._waiting = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def wrote(self, count: int) -> None:
        """Count bytes; begin a sync when there are enough and none is under way."""
        self._waiting += count
        if self._waiting >= _EACH and (self._thread is None or not self._thread.is_alive()):
            self._waiting = 0
            self._thread = threading.Thread(target=self._sync, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Sync all; raises OSError, also one of the background: the system tells it only once."""
        self.settle()
        if self._error is not None:
            raise self._error
        os.fsync(self._fd)

    def settle(self) -> None:
        """Let a sync that is under way end: the descriptor may be closed then."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            self._error = error
