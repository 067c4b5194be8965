"""What the checks of several formats share: both ends of a body, UTF-8, damage."""

from __future__ import annotations

import codecs
import struct
import zlib

from nostra_cli.models import Piece

DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError,  # a number that cannot be held
    EOFError,
    LookupError,  # an unknown encoding of a name, a table that is too short
    MemoryError,  # an absurd length
    RuntimeError,  # encrypted, nested too deeply (RecursionError), not supported
    SystemError,
    ValueError,  # UnicodeError among them
    struct.error,
    zlib.error,
)
"""What the standard library's parsers raise for damaged bytes; OSError may come from the disk."""
WINDOW = 22 + 65_535
"""Bytes at each end: as many as the end record of a zip archive can have."""
_BLOCK = 64 * 1024
"""Bytes decoded at once: the result fits into the processor's cache."""
_CONTINUATIONS = bytes(range(0x80, 0xC0))


class Ends:
    """Keep the first and the last bytes of a body, up to WINDOW each."""

    def __init__(self) -> None:
        self.start = b""
        self.end = b""

    def feed(self, data: Piece) -> None:
        """Keep both ends of what has arrived."""
        if len(self.start) < WINDOW:
            self.start += bytes(data[: WINDOW - len(self.start)])
        last = bytes(data[-WINDOW:])
        self.end = last if len(last) == WINDOW else (self.end + last)[-WINDOW:]


class Utf8:
    """Decode UTF-8 across the borders of pieces; a byte order mark is dropped.

    Raises ValueError, with the reason, for other bytes.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def feed(self, data: bytes | bytearray) -> str:
        """Return the text that these bytes complete."""
        try:
            return self._decoder.decode(data)
        except UnicodeDecodeError as error:
            raise ValueError("it is not UTF-8") from error

    def check(self, data: bytes | bytearray) -> None:
        """Check without keeping the text; ASCII is recognized ten times as fast as decoded."""
        if data.isascii() and not self._decoder.getstate()[0]:
            return
        view = memoryview(data)
        for start in range(0, len(view), _BLOCK):
            self.feed(bytes(view[start : start + _BLOCK]))

    def finish(self) -> None:
        """Refuse a character that is cut."""
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise ValueError("it is cut inside a character") from error


def check_last_character(end: bytes) -> None:
    """Raise ValueError if the last bytes of a text are only a part of a character."""
    text = Utf8()
    text.check(end[-4:].lstrip(_CONTINUATIONS))
    text.finish()
