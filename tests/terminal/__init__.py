"""A real pseudo-terminal around a process, and the screen it draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
ROWS = 30
DRAWN_AT_ONCE = (
    sys.executable,
    "-c",
    """
import nostra_cli.output.bars
import nostra_cli.output.live
nostra_cli.output.live.DELAY_SECONDS = 0.0
from nostra_cli.__main__ import main
main()
""",
)
"""`nostra` as a process of its own that draws without waiting for half a second."""
# Not a preexec_fn: that is not safe in a process with threads (the sandbox).
_TAKING_THE_TERMINAL = (
    sys.executable,
    "-Sc",
    """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
""",
)

_DRAWN = re.compile(r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n\x07])|([^\x1b\r\n\x07]+)")


@dataclass
class Terminal:
    """A process whose stdin, stdout and stderr are a terminal."""

    process: subprocess.Popen[bytes]
    fd: int
    columns: int
    seen: bytes = field(default=b"")

    def read_until(self, wanted: bytes, seconds: float = 20.0, count: int = 1) -> bytes:
        """Read until `wanted` was drawn `count` times; return everything seen so far."""
        end = time.monotonic() + seconds
        while self.seen.count(wanted) < count:
            left = end - time.monotonic()
            assert left > 0, self.seen
            if not self._read(left):
                break
        assert self.seen.count(wanted) >= count, self.seen
        return self.seen

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until a condition holds, reading the terminal meanwhile."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.seen
            self._read(0.01) if self.fd >= 0 else time.sleep(0.01)

    def hang_up(self) -> None:
        """Close the terminal, as a person closes its window."""
        os.close(self.fd)
        self.fd = -1

    def resize(self, columns: int, rows: int = ROWS) -> None:
        """Change its size, which notifies the process."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def screen(self) -> list[str]:
        """Return the lines that are on the screen in the end."""
        return render(self.seen, self.columns)

    def read_to_end(self, seconds: float = 30.0) -> int:
        """Read to the end, and return the exit code."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self._read(left):
            pass
        return self.process.wait(max(0.1, end - time.monotonic()))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def echoes(self) -> bool:
        """Return whether typed keys are echoed."""
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


def cursor_is_shown(seen: bytes) -> bool:
    """Return whether the cursor was shown last, or never hidden."""
    return seen.rfind(SHOW_CURSOR) >= seen.rfind(HIDE_CURSOR)


def render(seen: bytes, columns: int) -> list[str]:
    """Return the lines that a terminal shows after these bytes, without empty ones at the end.

    Knows what is used here: text that wraps, line ends, and the sequences that move or erase.
    """
    lines: list[list[str]] = [[]]
    row = column = 0
    for control, text in re.findall(
        r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n\x07])|([^\x1b\r\n\x07]+)", seen.decode()
    ):
        for character in text:
            if column == columns:
                row, column = row + 1, 0
            lines += [[] for _ in range(row + 1 - len(lines))]
            lines[row] += " " * (column + 1 - len(lines[row]))
            lines[row][column] = character
            column += 1
        if control == "\r":
            column = 0
        elif control == "\n":
            row += 1
            lines += [[] for _ in range(row + 1 - len(lines))]
        elif control.endswith("A"):
            row = max(0, row - int(control[2:-1] or "1"))
        elif control.endswith("J"):
            del lines[row + 1 :], lines[row][column:]
    shown = ["".join(line).rstrip() for line in lines]
    while shown and not shown[-1]:
        shown.pop()
    return shown


@contextlib.contextmanager
def terminal(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    columns: int = 100,
    controlling: bool = False,
    rows: int = ROWS,
) -> Iterator[Terminal]:
    """Run `command` in a terminal of `columns` and `rows`.

    `controlling` makes it the one behind /dev/tty, where keys such as Ctrl-C are signals.
    """
    own, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
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
        shown = Terminal(process, own, columns)
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if shown.fd >= 0:
            os.close(shown.fd)
