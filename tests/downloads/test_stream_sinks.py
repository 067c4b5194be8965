"""A part is resumed where its version is proven; never a mixed body, in any sink."""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.file import Part
from nostra_cli.downloads.sinks.stdout import StdoutSink
from nostra_cli.errors import Corrupt, NostraError, Truncated
from tests.downloads.fetching import (
    CUT,
    ETAG,
    RESET,
    SIZE,
    VERSION,
    WHOLE,
    Canned,
    Memory,
    Step,
    World,
    rest,
    whole,
)
from tests.downloads.parts import left, names

SHA256 = hashlib.sha256(WHOLE).hexdigest()


@pytest.mark.parametrize("length", [SIZE, None])
def test_a_part_of_an_earlier_run_is_resumed(length: int | None) -> None:
    sink = Memory(WHOLE[:50], replace(VERSION, length=length))
    world = World([rest(50)], sink=sink)
    assert world.run() == WHOLE
    assert world.requests == [{"Range": "bytes=50-", "If-Range": ETAG}]
    assert (world.starts, sink.restarts) == ([(50, SIZE)], 0)
    assert (world.streamed.resumed, world.streamed.sha256) == (True, SHA256)


@pytest.mark.parametrize(
    "version",
    [
        None,
        replace(VERSION, etag=None),
        replace(VERSION, url=VERSION.url.replace("demo", "demo2")),
        replace(VERSION, url=VERSION.url.replace("/csv", "/json")),
    ],
)
def test_a_part_of_another_result_or_without_proof_is_restarted(
    version: BodyVersion | None,
) -> None:
    world = World([whole()], sink=Memory(b"\xff" * 50, version))
    assert world.run() == WHOLE
    assert world.requests == [{}]
    assert (world.streamed.resumed, world.streamed.sha256) == (False, SHA256)


def test_a_part_of_an_earlier_run_is_verified_too() -> None:
    damaged = WHOLE[:30].replace(b"x", b'"x', 1) + WHOLE[31:50]
    world = World([rest(50)], sink=Memory(damaged, VERSION))
    with pytest.raises(Corrupt, match="quoted field"):
        world.run()


def test_a_complete_part_is_proven_by_its_last_byte(target: Path) -> None:
    left(target, WHOLE, VERSION)
    part = Part(target, resume=True)
    world = World([rest(SIZE - 1)], sink=part)
    world.stream()
    part.publish(replace=False)
    assert world.ranges == [f"bytes={SIZE - 1}-"]
    assert target.read_bytes() == WHOLE
    assert world.streamed.sha256 == SHA256


def test_a_part_that_breaks_off_twice_is_resumed_in_a_later_run(target: Path) -> None:
    part = Part(target, resume=True)
    world = World([whole(WHOLE[:50], CUT), Canned((), {}, 404)], sink=part)
    with pytest.raises(NostraError):
        world.stream()
    assert part.close(keep=True)
    part = Part(target, resume=True)
    World([rest(50)], sink=part).stream()
    part.publish(replace=False)
    part.close(keep=False)
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == [target.name]


def test_stdout_is_resumed() -> None:
    out = io.BytesIO()
    sink = StdoutSink(out)
    world = World([whole(WHOLE[:50], CUT), rest(50)], sink=sink)
    world.stream()
    assert (out.getvalue(), sink.size) == (WHOLE, SIZE)


@pytest.mark.parametrize("second", [[whole()], [rest(49), whole()]])
def test_stdout_is_never_restarted_after_its_first_byte(second: list[Canned]) -> None:
    out = io.BytesIO()
    world = World([whole(WHOLE[:50], CUT), *second], sink=StdoutSink(out))
    with pytest.raises(Corrupt, match="stdout has 50 bytes"):
        world.stream()
    assert out.getvalue() == WHOLE[:50]


def test_stdout_is_restarted_while_it_is_empty() -> None:
    out = io.BytesIO()
    World([whole(RESET).but(etag=None), whole()], sink=StdoutSink(out)).stream()
    assert out.getvalue() == WHOLE


@dataclass(frozen=True)
class Mood:
    """How a service of many editions answers one request: honest in its validators, in no else."""

    edition: int
    breaks_after: int | None
    shift: int
    ignores_range: bool
    ignores_if_range: bool
    hides_length: bool
    hides_etag: bool


moods = st.builds(
    Mood,
    edition=st.sampled_from([0, 0, 0, 1]),
    breaks_after=st.none() | st.integers(0, 60),
    shift=st.sampled_from([0, 0, 0, -1, 1]),
    ignores_range=st.booleans(),
    ignores_if_range=st.booleans(),
    hides_length=st.booleans(),
    hides_etag=st.sampled_from([False, False, True]),
)
EDITIONS = [bytes([letter]) * 9 + b"\n" + b"%d\n" % letter * 10 for letter in b"ab"]


def answer_of(mood: Mood, headers: dict[str, str]) -> Canned:
    body, etag = EDITIONS[mood.edition], f'"{mood.edition}"'
    start = int(headers.get("Range", "bytes=0-")[6:-1])
    same = headers.get("If-Range") == etag or mood.ignores_if_range
    headers = {} if mood.hides_etag else {"etag": etag}
    status = 200
    if "Range" in headers and same and not mood.ignores_range:
        start, status = max(0, start + mood.shift), 206
        size = "*" if mood.hides_length else str(len(body))
        headers["content-range"] = f"bytes {start}-{len(body) - 1}/{size}"
        if start >= len(body):
            headers, status = {"content-range": f"bytes */{len(body)}"}, 416
    else:
        start = 0
        if not mood.hides_length:
            headers["content-length"] = str(len(body))
    steps: list[Step] = [body[start:]]
    if mood.breaks_after is not None:
        steps = [body[start : start + mood.breaks_after], CUT]
    return Canned(steps, headers, status)


GOOD = Mood(0, None, 0, False, False, False, False)


@given(st.lists(moods, max_size=4), st.integers(0, 30), st.sampled_from([0, 1, None]))
def test_the_body_is_complete_and_of_one_version_whatever_the_service_does(
    bad: list[Mood], begun: int, known: int | None
) -> None:
    version = None if known is None else BodyVersion(VERSION.url, f'"{known}"', None, None)
    sink = Memory(EDITIONS[known or 0][:begun], version)
    world = World([partial(answer_of, mood) for mood in [*bad, *[GOOD] * 9]], sink=sink)
    world.stream()
    assert sink.data in EDITIONS
    assert world.streamed.sha256 == hashlib.sha256(sink.data).hexdigest()
    assert world.counted == sink.size
    assert len(world.slept) <= len(bad)


@given(st.lists(moods, max_size=9))
def test_whatever_the_service_does_stdout_is_the_beginning_of_one_edition(bad: list[Mood]) -> None:
    out = io.BytesIO()
    world = World([partial(answer_of, mood) for mood in [*bad, *[GOOD] * 9]], sink=StdoutSink(out))
    ended = False
    with contextlib.suppress(Corrupt, Truncated):
        world.stream()
        ended = True
    got = out.getvalue()
    assert any(got == edition if ended else edition.startswith(got) for edition in EDITIONS)
