"""Progress: the lines that are reported, and the states to draw."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from nostra_cli.models import Invocation
from nostra_cli.output.progress import HEARTBEAT_SECONDS, Progress, Wait
from nostra_cli.output.streams import OutputOptions
from tests.output.screens import Screen


def invocation(id_: str, status: str) -> Invocation:
    return Invocation(id_, status, (), {})


@dataclass
class World:
    """A clock that is set, and the lines that were reported."""

    now: float = 0.0
    lines: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def progress(self) -> Progress:
        return Progress(self.lines.append, None, self.clock)

    def wait(self, count: int) -> Wait:
        return Wait(count, self.lines.append, self.clock)


def test_a_line_when_a_status_changes() -> None:
    world = World()
    with world.progress().waiting(2) as wait:
        for id_, status in [("a", "queued"), ("b", "queued"), ("a", "queued"), ("a", "odd")]:
            wait.seen(invocation(id_, status))
    assert world.lines == ["a: queued", "b: queued", "a: odd"]


def test_a_line_each_minute_however_often_pending_is_called() -> None:
    world = World()
    wait = world.wait(2)
    for second in range(0, 200, 7):
        wait.pending(2, float(second))
    assert world.lines == [
        "2 invocations are still in progress after 1 min 3 s",
        "2 invocations are still in progress after 2 min 6 s",
        "2 invocations are still in progress after 3 min 2 s",
    ]
    wait.pending(1, 3600.0)
    wait.pending(1, 3659.0)
    assert world.lines[3:] == ["1 invocation is still in progress after 1 h 0 min"]


@pytest.mark.parametrize(("total", "shown"), [(4096, "2.5 KiB of 4.0 KiB"), (None, "2.5 KiB")])
def test_a_transfer_reports_its_progress_each_minute(total: int | None, shown: str) -> None:
    world = World()
    with world.progress().transfers(1) as metering, metering("a.csv") as meter:
        meter.start(0, total)
        for count in (1024, 1024, 512):
            world.now += HEARTBEAT_SECONDS / 3
            meter.advance(count)
        world.now += HEARTBEAT_SECONDS - 1
        meter.advance(0)
    assert world.lines == [f"a.csv: {shown}"]


def test_the_offset_of_a_resumed_transfer_is_reported() -> None:
    world = World()
    with world.progress().transfers(1) as metering, metering("a.csv") as meter:
        meter.start(18_559_795, 30_000_000)
    assert world.lines == ["a.csv: resuming at 17.7 MiB"]


@pytest.mark.parametrize(
    ("count", "seen", "summary"),
    [
        (1, [], "waiting for 1 invocation"),
        (1, [("a", "queued")], "a: queued"),
        (1, [("a", "queued"), ("a", "running")], "a: running"),
        (1, [("a", "completed")], "waiting for 1 invocation"),
        (3, [], "waiting for 3 invocations, 0 of 3 final"),
        (3, [("a", "completed")], "waiting for 2 invocations, 1 of 3 final"),
        (2, [("a", "completed")], "waiting for 1 invocation, 1 of 2 final"),
        (3, [("a", "completed"), ("b", "running")], "b: running, 1 of 3 final"),
        (3, [("a", "x"), ("b", "y"), ("c", "y")], "2 y, 1 x; 0 of 3 final"),
        (2, [("a", "completed"), ("b", "failed")], "2 of 2 final"),
        (5, [(c, c) for c in "abcde"], "1 a, 1 b, 1 c, 2 other; 0 of 5 final"),
    ],
)
def test_a_wait_is_summed_up(count: int, seen: list[tuple[str, str]], summary: str) -> None:
    wait = World().wait(count)
    for id_, status in seen:
        wait.seen(invocation(id_, status))
    assert wait.summary() == summary


def test_an_invocation_that_ends_in_error_is_final_too() -> None:
    wait = World().wait(3)
    wait.seen(invocation("a", "running"))
    wait.pending(1, 5.0)
    assert wait.summary() == "a: running, 2 of 3 final"


def test_a_wait_whose_invocations_are_all_final_gives_way_to_their_transfers() -> None:
    progress = World().progress()
    with progress.waiting(2) as wait, progress.transfers(1) as metering, metering("a") as meter:
        wait.seen(invocation("a", "completed"))
        wait.pending(1, 1.0)
        meter.start(0, 10)
        assert progress.state().activity == ("waiting for 1 invocation, 1 of 2 final", 0.0)
        wait.pending(0, 1.0)  # the other one ended in an error
        assert progress.state().activity is None


def test_the_most_specific_activity_is_drawn() -> None:
    world = World()
    progress = world.progress()
    with progress.busy("waiting for example"):
        world.now += 3
        assert progress.state().activity == ("waiting for example", 3.0)
        with progress.waiting(1) as wait:
            wait.seen(invocation("a", "queued"))
            assert progress.state().activity == ("a: queued", 0.0)
        with progress.transfers(2) as metering, metering("a.csv") as meter:
            assert progress.state().activity == ("waiting for example", 3.0)
            meter.start(10, 100)
            meter.advance(5)
            state = progress.state()
            assert state.activity is None
            assert [transfer[1:] for transfer in state.transfers] == [("a.csv", 15, 100)]
            assert (state.finished, state.expected) == (0, 2)
        state = progress.state()
        assert (state.finished, state.finished_bytes, state.expected) == (1, 15, 2)
    assert progress.state().activity is None


def test_more_transfers_than_were_expected_are_counted() -> None:
    progress = World().progress()
    with progress.transfers() as metering, metering("a"), metering("b"), metering("c"):
        assert progress.state().expected == 3


def test_many_threads_report_while_it_is_drawn() -> None:
    world = World()
    progress = world.progress()
    stop = threading.Event()
    summaries: list[str] = []

    def draw() -> None:
        while not stop.is_set():
            summaries.append(str(progress.state()))

    def work(number: int) -> None:
        for step in range(300):
            wait.seen(invocation(f"{number}-{step}", f"status {step % 5}"))
            wait.pending(10, 0.0)
            with metering(f"{number}") as meter:
                meter.start(0, 10)

    with progress.waiting(1200) as wait, progress.transfers(1200) as metering:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        drawing = threading.Thread(target=draw)
        for thread in (drawing, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        stop.set()
        drawing.join()
        assert progress.state().finished == 1200
    assert summaries


@pytest.mark.parametrize(
    ("options", "terminal", "ci", "env", "drawn"),
    [
        (OutputOptions(), True, False, {"TERM": "xterm"}, True),
        (OutputOptions(), True, True, {"TERM": "xterm"}, False),
        (OutputOptions(), True, False, {"TERM": "dumb"}, False),
        (OutputOptions(), False, False, {"TERM": "xterm"}, False),
        (OutputOptions(quiet=True), True, False, {"TERM": "xterm"}, False),
        (OutputOptions(json=True), True, False, {"TERM": "xterm"}, False),
        (OutputOptions(verbose=True), True, False, {"TERM": "xterm"}, False),
    ],
)
def test_lines_replace_what_cannot_be_redrawn(
    options: OutputOptions, terminal: bool, ci: bool, env: dict[str, str], drawn: bool
) -> None:
    screen = Screen(options, terminal, **env)
    if ci:
        screen.output.in_lines()
    with screen.output.progress.waiting(1) as wait:
        wait.seen(invocation("a", "queued"))
    lines = "" if drawn or options.quiet or options.json else "a: queued\n"
    assert screen.err == lines
