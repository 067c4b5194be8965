"""A real pseudo-terminal around a process, and the screen it draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Terminal:
    """A process whose stdin, stdout and stderr are a terminal."""

    process: subprocess.Popen[bytes]
    fd: int
    seen: bytes = field(default=b"")

    def read_until(self, wanted: bytes, seconds: float = 20.0) -> bytes:
        """Read until `wanted` was drawn; gives all that was seen so far."""
        end = time.monotonic() + seconds
        while wanted not in self.seen:
            left = end - time.monotonic()
            assert left > 0, self.seen
            if not self._read(left):
                break
        assert wanted in self.seen, self.seen
        return self.seen

    def read_to_end(self, seconds: float = 30.0) -> int:
        """Read all that is drawn, and give the exit code."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left):
            pass
        return self.process.wait(max(0.1, end - time.monotonic()))

    def _read(self, seconds: float) -> bool:
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        with contextlib.suppress(OSError):  # the other end is closed
            data = os.read(self.fd, 65536)
            self.seen += data
            return bool(data)
        return False


@contextlib.contextmanager
def terminal(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, columns: int = 100
) -> Iterator[Terminal]:
    """Run `command` in a terminal of `columns` and 30 lines."""
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = subprocess.Popen(
        list(command), env=env, cwd=cwd, stdin=other, stdout=other, stderr=other, close_fds=True
    )
    os.close(other)
    try:
        yield Terminal(process, own)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(own)
