"""stdout is data, stderr is talk: the two streams, and whether each may be coloured or redrawn."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TextIO

from nostra_cli.errors import FileProblem

if TYPE_CHECKING:
    from nostra_cli.models import Piece


class Color(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class OutputOptions(NamedTuple):
    """What was asked of the output."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: Color = Color.AUTO


class DataStream:
    """stdout. Every error of it becomes ours, except a reader that went away (BrokenPipeError)."""

    def __init__(self, stream: TextIO | None) -> None:
        """Write to `stream`; None where the process was started without a stdout."""
        self.stream = stream
        self.terminal = stream is not None and stream.isatty()

    def write(self, data: Piece) -> int:
        """Write all of `data`, and at once."""
        try:
            if self.stream is None:
                raise FileProblem("stdout is closed", "start nostra with a stdout, or use -o FILE")
            self.stream.buffer.write(data)
            self.stream.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileProblem(
                f"cannot write to stdout: {error.strerror}", "send stdout somewhere else"
            ) from error
        return len(data)

    def line(self, text: str) -> None:
        """Write a line in the encoding of the stream; a path's undecodable bytes as they are."""
        encoding = (self.stream.encoding if self.stream else None) or "utf-8"
        try:
            data = text.encode(encoding, "surrogateescape")
        except UnicodeEncodeError:
            data = text.encode(encoding, "backslashreplace")
        self.write(data + b"\n")


class MessageStream:
    """stderr. Nobody may be listening: errors of it are passed over."""

    def __init__(self, stream: TextIO | None, env: Mapping[str, str]) -> None:
        """Write to `stream`; None where the process was started without a stderr."""
        self.stream = stream
        # A dumb terminal cannot redraw a line.
        self.live = stream is not None and stream.isatty() and env.get("TERM") != "dumb"

    def line(self, text: str) -> None:
        """Write a line."""
        if self.stream is None:
            return
        encoding = self.stream.encoding or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            self.stream = None


def use_color(stream: TextIO | None, color: Color, env: Mapping[str, str]) -> bool:
    """Tell whether escape codes for colour may go to a stream.

    FORCE_COLOR and the like do not count: only `--color always` colours a pipe.
    """
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if env.get("NO_COLOR") or env.get("TERM") == "dumb" or stream is None:
        return False
    return stream.isatty()


def flush_streams() -> None:
    """Write out what is buffered, and throw away in silence what nobody takes."""
    for fd, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, fd)
            os.close(null)


def secure_descriptors() -> None:
    """Fill closed places among descriptors 0 to 2, so that no file of ours gets their numbers."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
