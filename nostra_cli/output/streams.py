"""The streams: stdout for data, stderr for messages, stdin."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TextIO

from nostra_cli.errors import FileProblem
from nostra_cli.output.sanitize import sanitize_lines

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from nostra_cli.models import Piece

_READ_BYTES = 1 << 16


class Color(StrEnum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class OutputOptions(NamedTuple):
    """The shared options that concern the output."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: Color = Color.AUTO


class _Stream:
    """stdout or stderr."""

    def __init__(self, stream: TextIO | None) -> None:
        """Write to `stream`; None where the process was started without it."""
        self.stream = stream
        self.terminal = stream is not None and stream.isatty()
        self.encoding = (stream.encoding if stream is not None else None) or "utf-8"
        self._write = _writer(stream) if stream is not None else None


class DataStream(_Stream):
    """stdout. Raises FileProblem on failure, BrokenPipeError if the reader went away."""

    def __init__(
        self,
        stream: TextIO | None,
        around_write: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Write to `stream`; each write to a terminal is made within `around_write`."""
        super().__init__(stream)
        self._around_write = around_write if self.terminal else nullcontext

    def write(self, data: Piece) -> int:
        """Write all of `data` at once; return its length in bytes."""
        if self._write is None:
            raise FileProblem("stdout is closed", "start nostra with a stdout")
        try:
            with self._around_write():
                self._write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            if self.terminal and error.errno == errno.EIO:  # it was closed: nobody is reading
                return len(data)
            raise FileProblem(
                f"cannot write to stdout: {error.strerror}", "send stdout somewhere else"
            ) from error
        return len(data)

    def text(self, text: str) -> None:
        """Write a text in the encoding of the stream; undecodable bytes of a path are kept."""
        self.write(encode(text, self.encoding, "surrogateescape"))

    def line(self, text: str) -> None:
        """Write a line, as `text` does."""
        self.text(text + "\n")


class TextStream:
    """stdout, a terminal, for the bytes of others: UTF-8 text, neutralised.

    A character or a line end may come in several pieces.
    """

    def __init__(self, data: DataStream) -> None:
        """Write to `data`."""
        self._data = data
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._held = ""

    def write(self, data: Piece) -> int:
        """Write `data`, except for the start of a character or a line end at its end."""
        self._write(self._decoder.decode(bytes(data)))
        return len(data)

    def finish(self) -> None:
        """Write the rest."""
        self._write(self._decoder.decode(b"", final=True), final=True)

    def _write(self, text: str, final: bool = False) -> None:
        text = self._held + text
        self._held = "\r" if text.endswith("\r") and not final else ""
        text = text.removesuffix(self._held).replace("\r\n", "\n")
        if text:
            self._data.text(sanitize_lines(text))


class MessageStream(_Stream):
    """stderr. Errors are ignored: nobody may be reading it."""

    def write(self, text: str) -> int:
        """Write a text at once; return its length."""
        if self._write is not None:
            try:
                self._write(encode(text, self.encoding))
            except (OSError, ValueError):
                self._write = None
        return len(text)

    def line(self, text: str) -> None:
        """Write a line."""
        self.write(text + "\n")

    def fileno(self) -> int:
        """Return the descriptor; raises OSError where there is none."""
        if self.stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self.stream.fileno()


def encode(text: str, encoding: str, errors: str = "backslashreplace") -> bytes:
    r"""Encode a text; a character that neither `errors` nor the encoding takes as `\u20ac`."""
    try:
        return text.encode(encoding, errors)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")
    except UnicodeError:  # an encoding without error handlers, such as idna
        return text.encode("ascii", "backslashreplace")


def _writer(stream: TextIO) -> Callable[[Piece], None]:
    """Return a function that writes all bytes, and waits where the descriptor does not block.

    The parent may have set O_NONBLOCK; to change it here would change it there, too.
    """
    try:
        fd = stream.fileno()
    except (OSError, ValueError):
        fd = -1
    if fd < 0 or os.name == "nt":  # in memory; or a console, which is not for os.write

        def write_buffered(data: Piece) -> None:
            stream.buffer.write(data)
            stream.buffer.flush()

        return write_buffered

    def write(data: Piece) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(fd, view) :]
            except BlockingIOError:
                select.select([], [fd], [])

    return write


class _WaitingFile(io.FileIO):
    """A descriptor whose reads wait for data even if it does not block."""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while (count := super().readinto(buffer)) is None:
            select.select([self], [], [])
        return count

    def readall(self) -> bytes:
        content = bytearray()
        block = bytearray(_READ_BYTES)
        while count := self.readinto(block):
            content += block[:count]
        return bytes(content)


def wait_for_stdin() -> None:
    """Make reads of stdin wait for data even if its descriptor does not block."""
    if sys.platform != "win32" and sys.stdin is not None:
        try:
            fd = sys.stdin.fileno()
            if os.get_blocking(fd):
                return
        except (OSError, ValueError):
            return
        raw = _WaitingFile(fd, closefd=False)
        sys.stdin = io.TextIOWrapper(
            io.BufferedReader(raw), encoding=sys.stdin.encoding, errors=sys.stdin.errors
        )


def use_color(stream: TextIO | None, color: Color, env: Mapping[str, str]) -> bool:
    """Return whether escape codes for colour may go to a stream.

    FORCE_COLOR and the like do not count: only `--color always` colours a pipe.
    """
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if env.get("NO_COLOR") or env.get("TERM") == "dumb" or stream is None:
        return False
    return stream.isatty()


def flush_streams() -> None:
    """Write out buffered data, and discard it if that fails."""
    for fd, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, fd)
            os.close(null)


def secure_descriptors() -> None:
    """Open descriptors 0 to 2 if they are closed, so that no other file gets their numbers."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
