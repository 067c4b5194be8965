"""Decode Content-Encoding, in bounded memory and to the last byte.

Requests accept only `identity`, but some servers and proxies compress anyway. httpx would accept a
truncated gzip body as complete, so its decoder is not used.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nostra_cli.errors import Corrupt
from nostra_cli.models import Piece

if TYPE_CHECKING:
    from nostra_cli.http.transport import Response

_STEP = 256 * 1024


def is_encoded(response: Response) -> bool:
    """Return whether the body is encoded; its offsets then differ from those of the content."""
    return bool(_codings(response))


def decoded(response: Response) -> Iterator[Piece]:
    """Yield the content of a response's body: pieces of up to 256 KiB, or as received.

    Raises Corrupt for an unknown encoding and for a truncated or damaged gzip body.
    """
    codings = _codings(response)
    if not codings:
        return response.chunks
    if codings in (["gzip"], ["x-gzip"]):
        return _gunzip(response)
    return _refused(response, codings)


def _refused(response: Response, codings: Sequence[str]) -> Iterator[Piece]:
    """Yield nothing of an empty body, such as that of a HEAD; raises Corrupt for any other."""
    if any(response.chunks):
        names = ", ".join(codings)
        raise Corrupt(
            f"{response.host}: the body is encoded as {names!r}, which was not asked for",
            "report it to the service, or try without a proxy",
        )
    yield from ()


def _codings(response: Response) -> list[str]:
    """Return the encodings in the order they were applied, without `identity`."""
    names = response.headers.get("content-encoding", "").lower().split(",")
    return [name.strip() for name in names if name.strip() not in ("", "identity")]


def _gunzip(response: Response) -> Iterator[bytes]:
    import gzip  # 1 ms that a response as asked for does not need

    with gzip.GzipFile(fileobj=io.BufferedReader(_Raw(response.chunks), _STEP)) as file:
        while True:
            try:
                piece = file.read1(_STEP)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise Corrupt(
                    f"{response.host}: the gzip-encoded body is cut or damaged", "try again"
                ) from error
            if not piece:
                return
            yield piece


class _Raw(io.RawIOBase):
    """An iterator of bytes as a readable file."""

    def __init__(self, chunks: Iterator[Piece]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            # Skip empty pieces: returning 0 would mean the end.
            self._rest = memoryview(next((piece for piece in self._chunks if piece), b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
