"""gzip (RFC 1952) while it is sent: valid, broken in ways that readers overlook, or a bomb."""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS = ("ok", "truncated", "bad-crc", "members")

_HEAD = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])


def gzipped(chunks: Iterable[bytes], kind: str, layers: int) -> Iterator[bytes]:
    """Compress `chunks` in `layers` of gzip, the innermost of a kind of `KINDS`.

    "truncated" lacks the end of the data and the trailer, "bad-crc" has a wrong checksum,
    "members" is several members one after the other, which is valid (RFC 1952, section 2.2).
    """
    packed = _members(chunks) if kind == "members" else _member(chunks, kind)
    for _ in range(layers - 1):
        packed = _again(packed)
    return packed


def _member(chunks: Iterable[bytes], kind: str) -> Iterator[bytes]:
    """Compress each chunk by itself, and a repeated one only once."""
    yield _HEAD
    crc = size = 0
    last, packed, held = b"", b"", b""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    for chunk in chunks:
        if chunk is not last:
            last, packed = chunk, deflate.compress(chunk) + deflate.flush(zlib.Z_FULL_FLUSH)
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        yield held
        held = packed
    if kind == "truncated":
        yield held[: len(held) // 2]
        return
    if kind == "bad-crc":
        crc ^= 1
    yield held + deflate.flush() + struct.pack("<LL", crc, size & 0xFFFFFFFF)


def _members(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        half = len(chunk) // 2
        yield gzip.compress(chunk[:half]) + gzip.compress(chunk[half:])


def _again(chunks: Iterable[bytes]) -> Iterator[bytes]:
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for chunk in chunks:
        yield deflate.compress(chunk)
    yield deflate.flush()
