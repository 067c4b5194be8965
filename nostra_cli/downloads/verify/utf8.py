"""Text in UTF-8, piece by piece."""

from __future__ import annotations

import codecs


class Utf8:
    """Text in UTF-8, also across the borders of pieces, without a byte order mark.

    Raises ValueError, with the reason, for what is not.
    """

    def __init__(self) -> None:
        """Begin."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def feed(self, data: bytes | bytearray) -> str:
        """Give the text so far."""
        try:
            return self._decoder.decode(data)
        except UnicodeDecodeError as error:
            raise ValueError("it is not UTF-8") from error

    def check(self, data: bytes | bytearray) -> None:
        """Check for damage; ASCII is looked at ten times as fast as it is decoded."""
        if not data.isascii() or self._decoder.getstate()[0]:
            self.feed(data)

    def finish(self) -> None:
        """Refuse a character that is cut."""
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise ValueError("it is cut inside a character") from error
