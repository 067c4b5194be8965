"""The streams: colour, encodings, and streams that fail."""

from __future__ import annotations

import errno
import itertools
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.errors import FileProblem
from nostra_cli.output import streams
from nostra_cli.output.streams import (
    Color,
    DataStream,
    MessageStream,
    TextStream,
    flush_streams,
    secure_descriptors,
    use_color,
)
from tests.output.screens import Stream

AUTO, ALWAYS, NEVER = Color.AUTO, Color.ALWAYS, Color.NEVER


@pytest.mark.parametrize(
    ("color", "terminal", "env", "expected"),
    [
        (AUTO, True, {}, True),
        (AUTO, True, {"TERM": "xterm"}, True),
        (AUTO, True, {"NO_COLOR": ""}, True),
        (AUTO, True, {"NO_COLOR": "1"}, False),
        (AUTO, True, {"NO_COLOR": "0"}, False),
        (AUTO, True, {"TERM": "dumb"}, False),
        (AUTO, False, {}, False),
        (AUTO, False, {"FORCE_COLOR": "1"}, False),
        (AUTO, False, {"GITHUB_ACTIONS": "true"}, False),
        (AUTO, False, {"CLICOLOR_FORCE": "1"}, False),
        (AUTO, None, {}, False),
        (ALWAYS, False, {}, True),
        (ALWAYS, True, {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (NEVER, True, {"FORCE_COLOR": "1"}, False),
        (NEVER, False, {}, False),
    ],
)
def test_only_terminals_get_colour_unless_it_is_requested(
    color: Color, terminal: bool | None, env: dict[str, str], expected: bool
) -> None:
    stream = None if terminal is None else Stream(terminal)
    assert use_color(stream, color, env) is expected


class Broken(Stream):
    """Fail at each write and flush, like a full disk or a closed pipe."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def _fail(self) -> NoReturn:
        self.tries += 1
        raise self.error

    @property
    def buffer(self) -> NoReturn:
        self._fail()

    def write(self, _text: str) -> int:
        self._fail()

    def close(self) -> None:
        self.detach()


def test_data_is_written_completely_and_at_once() -> None:
    stream = Stream()
    data = DataStream(stream)
    assert data.write(memoryview(b"\x00\xff")) == 2
    assert stream.kept.getvalue() == b"\x00\xff"
    data.line("größe")
    assert stream.kept.getvalue() == b"\x00\xff" + "größe\n".encode()


@pytest.mark.parametrize(
    ("encoding", "text", "content"),
    [
        ("utf-8", "ö", b"\xc3\xb6\n"),
        ("utf-8", "\udcff", b"\xff\n"),
        ("utf-8", "\ud800", b"\\ud800\n"),
        ("ascii", "ö", b"\\xf6\n"),
        ("ascii", "日", b"\\u65e5\n"),
        ("latin-1", "ö", b"\xf6\n"),
    ],
)
def test_a_line_is_in_the_encoding_of_its_stream(encoding: str, text: str, content: bytes) -> None:
    stream = Stream(encoding=encoding)
    DataStream(stream).line(text)
    assert stream.content == content


def test_a_closed_stdout_is_a_file_problem() -> None:
    data = DataStream(None)
    assert not data.terminal
    with pytest.raises(FileProblem, match="stdout is closed"):
        data.write(b"x")
    with pytest.raises(FileProblem, match="stdout is closed"):
        data.line("x")


def test_a_failing_stdout_is_a_file_problem_but_a_broken_pipe_is_not() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileProblem, match="cannot write to stdout: No space left on device"):
        DataStream(Broken(full)).line("x")
    with pytest.raises(BrokenPipeError):
        DataStream(Broken(BrokenPipeError(errno.EPIPE, "Broken pipe"))).line("x")


def test_a_stderr_that_is_closed_or_fails_is_ignored() -> None:
    MessageStream(None).line("x")
    for error in (OSError(errno.EIO, "bad"), BrokenPipeError(), ValueError("closed file")):
        stream = Broken(error)
        messages = MessageStream(stream)
        messages.line("x")
        messages.line("y")
        assert stream.tries == 1


def test_messages_are_in_the_encoding_of_their_stream() -> None:
    for encoding, content in (("ascii", b"\\xf6 \\ud800\n"), ("utf-8", b"\xc3\xb6 \\ud800\n")):
        stream = Stream(encoding=encoding)
        MessageStream(stream).line("ö \ud800")
        assert stream.content == content


def test_flushing_discards_what_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    monkeypatch.setattr(os, "dup2", lambda _null, fd: moved.append(fd))

    class Gone(Stream):
        gone = True

        def flush(self) -> None:
            if self.gone:
                raise BrokenPipeError

    gone = Gone()
    monkeypatch.setattr(sys, "stdout", gone)
    monkeypatch.setattr(sys, "stderr", None)
    flush_streams()
    gone.gone = False
    assert moved == [1]


def test_closed_descriptors_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def fstat(fd: int) -> None:
        if fd != 1:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(streams, "os", _Os(fstat, opened))
    secure_descriptors()
    assert opened == [os.devnull, os.devnull]


class _Os:
    """Replaces `os` for secure_descriptors."""

    devnull = os.devnull
    O_RDWR = os.O_RDWR

    def __init__(self, fstat: object, opened: list[str]) -> None:
        self.fstat = fstat
        self._opened = opened

    def open(self, path: str | Path, flags: int) -> int:
        assert flags == os.O_RDWR
        self._opened.append(str(path))
        return 9


@given(st.text(st.sampled_from("aé日😀\r\n\t\x1b\u202e")), st.lists(st.integers(0, 99), max_size=9))
def test_a_body_on_a_terminal_is_the_same_in_any_pieces(text: str, places: list[int]) -> None:
    data = text.encode() + b"\xe2\x82"  # and a character that breaks off
    cuts = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    stream = Stream()
    shown = TextStream(DataStream(stream))
    for start, stop in itertools.pairwise(cuts):
        shown.write(memoryview(data)[start:stop])
    shown.finish()
    lines = text.replace("\r\n", "\n").replace("\r", "\\r")
    expected = lines.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") + "\\xe2\\x82"
    assert stream.kept.getvalue().decode() == expected
