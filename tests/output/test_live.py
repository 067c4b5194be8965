"""The display at the end of a terminal."""

from __future__ import annotations

import math
import os
import re
import threading
from collections.abc import Callable
from typing import cast

import pytest

from nostra_cli.output import live
from nostra_cli.output.bars import Artist
from nostra_cli.output.live import Live
from nostra_cli.output.progress import ProgressState, TransferState
from nostra_cli.output.sanitize import sanitize
from nostra_cli.output.streams import MessageStream
from nostra_cli.output.terminal import HIDE_CURSOR, SHOW_CURSOR, size_of
from tests.output.screens import Stream

LONG = "a" * 300


class Drawn(MessageStream):
    """Set an event at each write."""

    def __init__(self) -> None:
        self.screen = Stream(terminal=True)
        super().__init__(self.screen)
        self.written = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        self.written.set()
        return written

    def wait(self) -> None:
        """Wait for the next write."""
        self.written.clear()
        assert self.written.wait(20)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(live, "_REDRAW_SECONDS", 0.001)


def waiting(text: str = "a: running") -> Callable[[], ProgressState]:
    return lambda: ProgressState((text, 3.4))


@pytest.mark.usefixtures("at_once")
def test_it_is_drawn_and_erased() -> None:
    stream = Drawn()
    with Live(stream, False, sanitize).shown(waiting("a: \x1brunning")):
        stream.wait()
    text = stream.screen.text
    assert text.startswith(HIDE_CURSOR)
    assert " a: \\x1brunning  3 s" in text
    assert text.endswith("\r\x1b[J" + SHOW_CURSOR)


def test_quick_work_draws_nothing() -> None:
    stream = Drawn()
    with Live(stream, False, sanitize).shown(waiting()):
        pass
    assert stream.screen.text == ""


@pytest.mark.usefixtures("at_once")
def test_a_message_is_written_above_it() -> None:
    stream = Drawn()
    drawing = Live(stream, False, sanitize)
    with drawing.shown(waiting()):
        stream.wait()
        drawing.print_above("warning: x")
        stream.wait()
    text = stream.screen.text
    assert f"\r\x1b[J{SHOW_CURSOR}warning: x\n{HIDE_CURSOR}" in text
    assert text.endswith("\r\x1b[J" + SHOW_CURSOR)


@pytest.mark.parametrize("columns", [7, 20, 59])
def test_what_a_narrower_terminal_has_wrapped_is_erased(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [os.terminal_size((80, 24))]
    monkeypatch.setattr(live, "size_of", lambda _stream: sizes[-1])
    monkeypatch.setattr(live, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(live, "_REDRAW_SECONDS", 60.0)
    stream = Drawn()
    with Live(stream, False, sanitize).shown(waiting("a" * 60)):
        assert stream.written.wait(20)
        drawn = stream.screen.text.removeprefix(HIDE_CURSOR)
        sizes.append(os.terminal_size((columns, 24)))
    rows = math.ceil(len(drawn) / columns)
    assert stream.screen.text.endswith(f"{drawn}\r\x1b[{rows - 1}A\x1b[J{SHOW_CURSOR}")


@pytest.mark.usefixtures("at_once")
def test_blocks_may_overlap() -> None:
    stream = Drawn()
    drawing = Live(stream, False, sanitize)
    with drawing.shown(waiting()):
        with drawing.shown(waiting()):
            stream.wait()
        stream.wait()
    assert stream.screen.text.endswith(SHOW_CURSOR)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> tuple[Drawn, list[bytes]]:
    """Return a stream with a descriptor in the foreground, and what is written to that."""
    written: list[bytes] = []
    monkeypatch.setattr("nostra_cli.output.live.os.write", lambda _fd, data: written.append(data))
    monkeypatch.setattr(Drawn, "fileno", lambda _self: 2)
    monkeypatch.setattr(live, "in_foreground", lambda _stream: True)
    return Drawn(), written


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("leave", [Live.suspend, Live.restore])
def test_the_terminal_is_left_as_it_was_found(
    leave: Callable[[Live], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, written = on_a_terminal(monkeypatch)
    drawing = Live(stream, False, sanitize)
    with drawing.shown(waiting()):
        stream.wait()
        with drawing._lock:  # so that nothing is drawn meanwhile
            leave(drawing)
            shown = stream.screen.text.encode() + b"".join(written)
    assert shown.endswith(b"\r\x1b[J" + SHOW_CURSOR.encode())


@pytest.mark.usefixtures("at_once")
def test_it_is_suspended_even_if_another_thread_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Drawn()
    written: list[bytes] = []
    monkeypatch.setattr(live, "_LOCK_SECONDS", 0.01)
    drawing = Live(stream, False, sanitize)
    with drawing.shown(waiting()):
        stream.wait()
        monkeypatch.setattr(
            "nostra_cli.output.live.os.write", lambda _fd, data: written.append(data)
        )
        monkeypatch.setattr(Drawn, "fileno", lambda _self: 2)
        held, done = threading.Event(), threading.Event()

        def hold() -> None:
            with drawing._lock:
                held.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        drawing.suspend()
        done.set()
        thread.join()
    assert written[0].endswith(SHOW_CURSOR.encode())


@pytest.mark.usefixtures("at_once")
def test_it_is_closed_even_if_another_thread_is_at_work() -> None:
    stream = Drawn()
    drawing = Live(stream, False, sanitize)
    with drawing.shown(waiting()):
        stream.wait()
        drawing.close()
        shown = stream.screen.text
    assert shown.endswith("\r\x1b[J" + SHOW_CURSOR)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("leave", [Live.close, Live.restore])
def test_a_signal_before_a_write_does_not_leave_the_cursor_hidden(
    leave: Callable[[Live], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, written = on_a_terminal(monkeypatch)
    drawing = Live(stream, False, sanitize)

    def interrupted(_stream: Drawn, _text: str) -> int:
        raise KeyboardInterrupt

    with drawing.shown(waiting()):
        stream.wait()
        with drawing._lock:  # so that nothing is drawn meanwhile
            with monkeypatch.context() as patch:
                patch.setattr(Drawn, "write", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    drawing.cleared().__enter__()
            leave(drawing)
            shown = stream.screen.text.encode() + b"".join(written)
    assert shown.endswith(SHOW_CURSOR.encode())


@pytest.mark.usefixtures("at_once")
def test_nothing_is_drawn_while_other_output_is_written() -> None:
    stream = Drawn()
    drawing = Live(stream, False, sanitize)
    free: list[bool] = []

    def attempt() -> None:
        free.append(drawing._lock.acquire(blocking=False))
        if free[0]:
            drawing._lock.release()

    with drawing.shown(waiting()):
        stream.wait()
        with drawing.cleared():
            other = threading.Thread(target=attempt)
            other.start()
            other.join()
    assert free == [False]


@pytest.mark.usefixtures("at_once")
def test_a_shell_that_has_the_terminal_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = threading.Event()

    def elsewhere(_stream: object) -> bool:
        checked.set()
        return False

    monkeypatch.setattr(live, "in_foreground", elsewhere)
    stream = Drawn()
    with Live(stream, False, sanitize).shown(waiting()):
        assert checked.wait(20)
    assert stream.screen.text == ""


@pytest.mark.usefixtures("at_once", "no_threads")
def test_without_another_thread_the_work_continues() -> None:
    stream = Drawn()
    with Live(stream, False, sanitize).shown(waiting()):
        pass
    assert stream.screen.text == ""


STATES = [
    ProgressState(),
    ProgressState(("waiting for example", 0.0)),
    ProgressState((LONG, 1e7)),
    ProgressState(None, (TransferState(1, "a.csv", 50, 100),), 0, 0, 1),
    ProgressState(None, (TransferState(1, "a.csv", 50, None),), 0, 0, 1),
    ProgressState(
        ("a: b", 1.0),
        tuple(TransferState(n, LONG, 10**n, 10**14) for n in range(14)),
        *(3, 10**15, 300),
    ),
    ProgressState(None, (), 3, 10**15, 5),
    ProgressState(None, (TransferState(1, "日本語" * 30, 0, 0),), 0, 0, 2),
]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("columns", [1, 2, 7, 20, 59, 60, 76, 300, 10_000])
@pytest.mark.parametrize("state", STATES)
def test_no_line_is_wider_than_the_terminal(
    state: ProgressState, columns: int, encoding: str
) -> None:
    artist = Artist(MessageStream(Stream(True, encoding)), True, sanitize)
    for rows in (1, 2, 23):
        lines = artist.lines(state, columns, rows)
        assert len(lines) <= rows
        assert all(width <= columns for _, width in lines)
        assert not any("\n" in text for text, _ in lines)


def plain(lines: list[tuple[str, int]]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m|━|╸|╺", "", text).rstrip() for text, _ in lines]


def test_each_transfer_has_a_bar_and_all_of_them_one() -> None:
    now = 0.0
    artist = Artist(MessageStream(Stream(True)), False, sanitize, lambda: now)
    for step in range(3):
        now = float(step)
        transfers = (
            TransferState(1, "a.csv", step * 1_000_000, 10_000_000),
            TransferState(2, "b.csv", step * 1000, None),
        )
        lines = artist.lines(ProgressState(None, transfers, 3, 500_000, 20), 76, 23)
    assert [line.split() for line in plain(lines)] == [
        ["a.csv", *["1.9/9.5", "MiB", "976.6", "KiB/s", "8", "s", "left"]],
        ["b.csv", *["2.0", "KiB", "1000", "B/s", "size", "unknown"]],
        [
            "3",
            "of",
            "20",
            "files",
            *["2.4", "MiB", "977.5", "KiB/s", "2", "min", "48", "s", "left"],
        ],
    ]


def totals(states: list[tuple[float, ProgressState]]) -> list[str]:
    """Draw states at these times; return the time left of all files in each."""
    now = 0.0
    artist = Artist(MessageStream(Stream(True)), False, sanitize, lambda: now)
    left = []
    for seconds, state in states:
        now = seconds
        line = plain(artist.lines(state, 76, 23))[-1]
        left.append(line[line.rindex("  ") :].strip() if line.endswith("left") else "")
    return left


def test_all_files_do_not_end_before_the_slowest_of_them() -> None:
    def state(done: int) -> ProgressState:
        return ProgressState(None, (TransferState(1, "a", done, 1000),), 8, 10, 9)

    assert totals([(0.0, state(0)), (1.0, state(100))]) == ["", "9 s left"]


def test_small_files_that_ended_at_once_do_not_shorten_the_time_left() -> None:
    def state(finished: int, done: int) -> ProgressState:
        return ProgressState(None, (TransferState(1, "a", done, None),), finished, 10, 9)

    assert totals([(0.0, state(4, 0)), (10.0, state(5, 0))]) == ["", "40 s left"]


def test_the_time_of_a_wait_does_not_count_as_time_of_the_transfers() -> None:
    waiting = ProgressState(("a: running", 1.0), (), 0, 0, 2)

    def state(done: int) -> ProgressState:
        return ProgressState(None, (TransferState(1, "a", done, 100),), 0, 0, 2)

    states = [(0.0, waiting), (1800.0, waiting), (1801.0, state(10)), (1802.0, state(20))]
    assert totals(states)[2:] == ["", "18 s left"]


def test_on_a_narrow_terminal_there_is_a_percentage() -> None:
    artist = Artist(MessageStream(Stream(True)), False, sanitize)
    transfers = (TransferState(1, "a.csv", 50, 100),)
    lines = artist.lines(ProgressState(None, transfers, 0, 0, 1), 40, 23)
    assert [line.split() for line in plain(lines)] == [["a.csv", "50%"]]


@pytest.mark.parametrize(
    ("columns", "lines", "size"),
    [
        ("132", "50", (132, 50)),
        ("", "", (80, 24)),
        ("0", "0", (80, 24)),
        ("-1", "x", (80, 24)),
        ("9" * 30, "9" * 5000, (80, 24)),
        ("99999", "٣", (80, 24)),
        ("1", "1", (1, 1)),
    ],
)
def test_the_size_of_a_terminal_makes_sense(
    columns: str, lines: str, size: tuple[int, int]
) -> None:
    stream = cast("MessageStream", Stream(True))
    assert size_of(stream, {"COLUMNS": columns, "LINES": lines}) == size
