"""The exceptions of the standard library's parsers for damaged bytes."""

from __future__ import annotations

import struct
import zlib

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
"""Without OSError, which may come from the disk."""
