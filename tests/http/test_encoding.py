"""Content-Encoding: complete bodies are decoded, truncated or damaged ones refused."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.errors import Corrupt, Transient, Truncated
from nostra_cli.http.encoding import decoded, is_encoded
from nostra_cli.http.transport import Response
from nostra_cli.models import Piece

LARGEST_PIECE = 256 * 1024
CONTENT = b"ID,Group\n" + b"".join(b"%d,%d\n" % (n, n * n % 97) for n in range(200))
PACKED = gzip.compress(CONTENT, mtime=0)


def response(chunks: Iterable[Piece], coding: str | None = "gzip") -> Response:
    headers = {} if coding is None else {"content-encoding": coding}
    return Response(200, headers, iter(chunks), "service.example", cross_origin=False)


def content_of(body: bytes, coding: str | None = "gzip") -> bytes:
    return b"".join(decoded(response([body], coding)))


def refused(body: bytes) -> None:
    with pytest.raises(Corrupt, match=r"service\.example: the gzip-encoded body is cut or damaged"):
        content_of(body)


@pytest.mark.parametrize("coding", [None, "", "identity", " Identity ", "identity, identity", ","])
def test_a_body_that_is_not_encoded_is_unchanged(coding: str | None) -> None:
    pieces: list[Piece] = [b"a", memoryview(b"bc"), PACKED]
    assert list(decoded(response(pieces, coding))) == pieces
    assert not is_encoded(response([], coding))


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", " gzip ", "identity, gzip", "gzip,"])
def test_a_complete_gzip_body_is_decoded(coding: str) -> None:
    assert content_of(PACKED, coding) == CONTENT
    assert is_encoded(response([], coding))


def with_all_fields() -> bytes:
    """Make a gzip body whose header has an extra field, a name, a comment and a checksum."""
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\x00" + b"comment\x00"
    crc = zlib.crc32(head).to_bytes(4, "little")[:2]
    return head + crc + PACKED[10:]


def test_a_header_with_every_field_is_read() -> None:
    assert content_of(with_all_fields()) == CONTENT


@given(st.binary(max_size=2000), st.lists(st.integers(1, 50), min_size=1), st.integers(0, 9))
def test_any_content_in_any_pieces_is_decoded(content: bytes, sizes: list[int], level: int) -> None:
    body = io.BytesIO(gzip.compress(content, level))
    chunks = [body.read(size) for size in sizes]
    chunks.append(body.read())
    pieces = decoded(response([b"", *chunks, b""]))
    assert b"".join(pieces) == content


def test_a_body_that_is_cut_anywhere_is_refused() -> None:
    for cut in range(1, len(PACKED)):
        refused(PACKED[:cut])


def test_a_long_header_that_is_cut_anywhere_is_refused() -> None:
    for cut in range(1, 10 + 5 + 5 + 8 + 2 + 1):
        refused(with_all_fields()[:cut])


@pytest.mark.parametrize("place", [-8, -5, -4, -1])
def test_a_wrong_checksum_or_length_is_refused(place: int) -> None:
    damaged = bytearray(PACKED)
    damaged[place] ^= 1
    refused(bytes(damaged))


@given(st.integers(10, len(PACKED) - 1), st.integers(1, 255))
def test_a_changed_byte_never_changes_the_content(place: int, change: int) -> None:
    damaged = bytearray(PACKED)
    damaged[place] ^= change
    try:
        found = content_of(bytes(damaged))
    except Corrupt:
        return
    assert found == CONTENT


@pytest.mark.parametrize(
    "body",
    [b"\x00" * 20, CONTENT, b"\x1f\x8b", b"\x1f\x8b\x09" + PACKED[3:], zlib.compress(CONTENT)],
)
def test_a_body_that_is_not_gzip_is_refused(body: bytes) -> None:
    refused(body)


def test_several_members_are_one_content() -> None:
    assert content_of(PACKED + gzip.compress(b"more") + gzip.compress(b"")) == CONTENT + b"more"


def test_a_second_member_that_is_cut_anywhere_is_refused() -> None:
    for cut in range(1, len(PACKED)):
        refused(PACKED + PACKED[:cut])


@pytest.mark.parametrize("rest", [b"x", b"garbage that is long enough", b"\x00x", b"\x1f\x8c"])
def test_bytes_after_the_last_member_are_refused(rest: bytes) -> None:
    refused(PACKED + rest)


def test_a_decompression_bomb_is_decoded_in_bounded_pieces_on_demand() -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    body = b"".join([packer.compress(zeros) for _ in range(64)]) + packer.flush()
    assert len(body) < 128 * 1024
    pieces = decoded(response([body]))
    first = next(pieces)
    assert 0 < len(first) <= LARGEST_PIECE
    sizes = [len(piece) for piece in pieces]
    assert max(sizes) <= LARGEST_PIECE
    assert len(first) + sum(sizes) == 64 << 20


def test_only_the_requested_range_is_read() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        packer = zlib.compressobj(0, wbits=31)
        while True:
            taken += 1
            yield packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)

    pieces = decoded(response(endless()))
    assert all(len(next(pieces)) <= LARGEST_PIECE for _ in range(8))
    assert taken <= 3


@pytest.mark.parametrize("error", [Truncated("too short"), Transient("broken off")])
def test_a_broken_connection_is_not_damage(error: Transient) -> None:
    def breaking() -> Iterator[bytes]:
        yield PACKED[: len(PACKED) // 2]
        raise error

    with pytest.raises(type(error)) as caught:
        b"".join(decoded(response(breaking())))
    assert caught.value is error


@pytest.mark.parametrize(
    "coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "aws-chunked"]
)
def test_another_encoding_is_refused_by_name(coding: str) -> None:
    with pytest.raises(Corrupt, match="which was not asked for") as caught:
        content_of(b"x", coding)
    assert repr(coding) in caught.value.message
    assert is_encoded(response([], coding))


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_an_empty_body_is_not_encoded_whatever_its_head_says(coding: str) -> None:
    """As that of a HEAD, or of a 204."""
    assert content_of(b"", coding) == b""


@given(st.binary() | st.binary().map((PACKED[:10]).__add__) | st.binary().map(PACKED.__add__))
def test_any_bytes_are_content_or_corrupt(body: bytes) -> None:
    try:
        found = content_of(body)
    except Corrupt:
        return
    assert found == (gzip.decompress(body) if body else b"")
