"""A real pseudo-terminal around a process, and the screen it draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
# Not a preexec_fn: a process with threads (the sandbox) had better not fork that way.
_TAKING_THE_TERMINAL = (
    sys.executable,
    "-Sc",
    """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
""",
)


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

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def echoes(self) -> bool:
        """Tell whether what is typed is drawn."""
        flags: int = termios.tcgetattr(self.fd)[3]
        return bool(flags & termios.ECHO)

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
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    columns: int = 100,
    controlling: bool = False,
) -> Iterator[Terminal]:
    """Run `command` in a terminal of `columns` and 30 lines.

    `controlling` makes it the one behind /dev/tty, where keys such as Ctrl-C are signals.
    """
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    process = subprocess.Popen(
        [*(_TAKING_THE_TERMINAL if controlling else ()), *command],
        env=env,
        cwd=cwd,
        stdin=other,
        stdout=other,
        stderr=other,
        close_fds=True,
        start_new_session=controlling,
    )
    os.close(other)
    try:
        yield Terminal(process, own)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(own)
