"""A body read from any place: what is asked for, and that no two versions are mixed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from nostra_cli.downloads import reader as reading
from nostra_cli.downloads.reader import Reader, probe
from nostra_cli.errors import Corrupt
from nostra_cli.http.timeouts import LowSpeed
from tests.downloads.fetching import CUT, ETAG, ITEM, SIZE, WHOLE, Answer, Script, World, whole

BLOCK = 100  # in place of 256 KiB


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_BLOCK", BLOCK)


def part(headers: dict[str, str]) -> Answer:
    """Answer what was asked for, as a server with ranges does."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", headers["Range"])
    assert found
    start, stop = int(found[1]), min(int(found[2] or SIZE) + 1, SIZE)
    if start >= SIZE:
        return Answer((), {"content-range": f"bytes */{SIZE}"}, 416)
    if headers.get("If-Range", ETAG) != ETAG:
        return whole()
    said = {"content-range": f"bytes {start}-{stop - 1}/{SIZE}", "etag": ETAG}
    return Answer((WHOLE[start:stop],), said, 206)


def but(**headers: str | None) -> Callable[[dict[str, str]], Answer]:
    return lambda asked: part(asked).but(**headers)


def cut_short(asked: dict[str, str]) -> Answer:
    answer = part(asked)
    [body] = answer.body
    assert isinstance(body, bytes)
    return replace(answer, body=(body[:30], CUT))


def opened(*script: object, largest: int = 1 << 20) -> tuple[World, io.BufferedReader]:
    world = World(script)  # type: ignore[arg-type] # steps of a script
    reader = Reader(world.service, ITEM, LowSpeed(), largest)
    return world, io.BufferedReader(reader, 10)


def test_blocks_grow_while_it_is_read_on() -> None:
    world, file = opened(part, part, part)
    assert b"".join(iter(lambda: file.read(50), b"")) == WHOLE
    assert world.ranges == ["bytes=0-99", "bytes=100-299", "bytes=300-699"]
    assert [headers.get("If-Range") for headers in world.asked] == [None, ETAG, ETAG]


def test_blocks_grow_to_the_largest_only() -> None:
    script: Script = [part] * 5
    world, file = opened(*script, largest=150)
    while file.read(50):
        pass
    assert world.ranges[:3] == ["bytes=0-99", "bytes=100-249", "bytes=250-399"]


def test_nothing_is_asked_before_it_is_read_and_a_read_gets_what_it_wants() -> None:
    world, file = opened(part, part)
    file.seek(300)
    assert world.asked == []
    assert file.read(210) == WHOLE[300:510]
    file.seek(20)
    assert file.read(7) == WHOLE[20:27]
    assert world.ranges == ["bytes=300-509", "bytes=20-119"]


def test_the_rest_is_one_request() -> None:
    world, file = opened(part)
    file.seek(40)
    assert (file.read(), file.read()) == (WHOLE[40:], b"")
    assert world.ranges == ["bytes=40-"]


def test_from_the_end() -> None:
    world, file = opened(part, part)
    assert file.seek(-20, io.SEEK_END) == SIZE - 20
    assert file.read() == WHOLE[-20:]
    assert world.ranges == ["bytes=0-99", f"bytes={SIZE - 20}-"]
    with pytest.raises(ValueError, match="before the start"):
        file.seek(-1)


def test_beyond_the_end_is_nothing() -> None:
    _, file = opened(part)
    file.seek(SIZE + 5)
    assert file.read(10) == b""


def test_two_versions_are_never_mixed() -> None:
    for second in (whole(), but(etag='"v2"'), but(content_range=f"bytes 100-299/{SIZE + 1}")):
        world, file = opened(part, second)
        assert file.read(100) == WHOLE[:100]
        with pytest.raises(Corrupt, match="changed while it was read"):
            file.read(100)
        assert world.left == []


def test_a_body_that_became_shorter_does_not_look_like_its_end() -> None:
    beyond = Answer((), {"content-range": "bytes */90"}, 416)
    _, file = opened(part, beyond)
    assert file.read(100) == WHOLE[:100]
    with pytest.raises(Corrupt, match="changed while it was read"):
        file.read(100)


def test_a_range_that_is_longer_than_it_was_asked_for_is_not_held_in_memory() -> None:
    said = {"content-range": f"bytes 0-{SIZE - 1}/{SIZE}", "etag": ETAG}
    _, file = opened(Answer((WHOLE, CUT), said, 206), whole())
    assert file.read(100) == WHOLE[:100]


@pytest.mark.parametrize("read", [lambda file: file.read(), lambda file: file.read(100)])
def test_more_than_the_range_says_is_no_part_of_the_body(
    read: Callable[[io.BufferedReader], bytes],
) -> None:
    _, file = opened(lambda asked: replace(part(asked), body=(*part(asked).body, b"xy")), part)
    with pytest.raises(Corrupt, match="more came"):
        read(file)


def test_a_cut_block_is_gone_on_with() -> None:
    world, file = opened(cut_short, part)
    assert file.read(100) == WHOLE[:100]
    assert world.ranges == ["bytes=0-99", "bytes=30-99"]
    assert world.asked[1]["If-Range"] == ETAG


def test_a_cut_block_without_proof_is_begun_again() -> None:
    world, file = opened(lambda asked: cut_short(asked).but(etag=None), but(etag=None))
    assert file.read() == WHOLE
    assert world.ranges == ["bytes=0-", "bytes=0-"]


def test_what_is_there_is_not_asked_for_again() -> None:
    world, file = opened(part, part)
    file.seek(SIZE - 50)
    assert file.read(10) + file.read() == WHOLE[-50:]
    file.seek(SIZE - 30)
    assert file.read() == WHOLE[-30:]
    assert world.ranges == [f"bytes={SIZE - 50}-{SIZE + 49}"]
    file.seek(0)
    assert file.read() == WHOLE


def test_a_block_that_is_too_short_is_asked_for_again() -> None:
    world, file = opened(lambda asked: replace(part(asked), body=(WHOLE[:60],)), part)
    assert file.read(100) == WHOLE[:100]
    assert world.ranges == ["bytes=0-99", "bytes=60-99"]


def test_without_ranges_the_answer_itself_is_taken() -> None:
    world, file = opened(whole())
    file.seek(500)
    assert file.read(100) == WHOLE[500:600]
    file.seek(0)
    assert (file.read(30), file.read()) == (WHOLE[:30], WHOLE[30:])
    assert world.left == []


def test_without_ranges_it_is_fetched_as_a_download_is() -> None:
    world, file = opened(whole(WHOLE[:300], CUT), whole())
    assert file.read() == WHOLE
    assert world.ranges == ["bytes=0-", "bytes=300-"]
    assert len(world.slept) == 1


@pytest.mark.parametrize(
    "first",
    [
        but(etag=None),
        but(etag='W/"v1"'),
        but(content_range="bytes 0-99/*"),
        but(content_range=f"bytes 1-99/{SIZE}"),
        but(content_encoding="gzip"),
        but(content_range=None),
    ],
)
def test_ranges_that_prove_nothing_are_not_used(first: object) -> None:
    world, file = opened(first, whole())
    assert file.read(100) == WHOLE[:100]
    assert world.ranges == ["bytes=0-99", None]
    file.seek(700)
    assert file.read(10) == WHOLE[700:710]


def test_a_range_that_holds_all_needs_no_proof() -> None:
    world, file = opened(but(etag=None))
    assert file.read() == WHOLE
    assert world.left == []


def test_an_empty_body_is_told_as_a_download_tells_it() -> None:
    empty = Answer((), {"content-range": "bytes */0"}, 416)
    _, file = opened(empty, Answer((), {"content-length": "0"}))
    with pytest.raises(Corrupt, match="empty"):
        file.read(10)


def test_a_web_page_is_refused() -> None:
    _, file = opened(whole(b"<html>").but(content_type="text/html"))
    with pytest.raises(Corrupt, match="web page"):
        file.read(10)


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        (part, SIZE),
        (whole(), SIZE),
        (whole().but(content_length=None), None),
        (whole().but(content_encoding="gzip"), None),
        (but(content_range="bytes 0-0/*"), None),
        (Answer((), {"content-range": "bytes */0"}, 416), None),
    ],
)
def test_the_size_costs_a_byte(answer: object, length: int | None) -> None:
    world = World([answer])  # type: ignore[list-item] # a step of a script
    assert probe(world.service, ITEM).length == length
    assert world.ranges == ["bytes=0-0"]
