"""What the parsers of the standard library raise for bytes that are damaged."""

from __future__ import annotations

import struct
import zlib

DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError,  # a number that cannot be held
    EOFError,
    LookupError,  # an encoding of a name that nobody has, a table that is too short
    MemoryError,  # a length that cannot be meant
    RuntimeError,  # encrypted, nested too deeply (RecursionError), not supported
    SystemError,
    ValueError,  # UnicodeError among them
    struct.error,
    zlib.error,
)
"""OSError is for the caller to judge: it may be the disk, too."""
