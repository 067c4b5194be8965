"""How long work goes on, where nothing can be redrawn: a line for each change, one each minute."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nostra_cli.models import Invocation
from nostra_cli.output import progress
from nostra_cli.output.progress import Bars, Spinner
from tests.output.screens import Screen


def invocation(id_: str, status: str) -> Invocation:
    return Invocation(id_, status, (), {})


def test_a_line_when_a_status_changes() -> None:
    said: list[str] = []
    spinner = Spinner(said.append, None, False)
    for id_, status in [("a", "queued"), ("b", "queued"), ("a", "queued"), ("a", "odd")]:
        spinner.seen(invocation(id_, status))
    assert said == ["a: queued", "b: queued", "a: odd"]


def test_a_line_each_minute_however_often_it_is_asked_for() -> None:
    said: list[str] = []
    spinner = Spinner(said.append, None, False)
    for second in range(0, 200, 7):
        spinner.pending(2, float(second))
    assert said == [
        "2 invocations are still in progress after 1 min 3 s",
        "2 invocations are still in progress after 2 min 6 s",
        "2 invocations are still in progress after 3 min 2 s",
    ]
    spinner.pending(1, 3600.0)
    spinner.pending(1, 3659.0)
    assert said[3:] == ["1 invocation is still in progress after 1 h 0 min"]


@pytest.mark.parametrize(("total", "shown"), [(4096, "3.0 KiB of 4.0 KiB"), (None, "3.0 KiB")])
def test_a_transfer_says_each_minute_how_far_it_is(
    total: int | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    said: list[str] = []
    with Bars(said.append, None, False).meter("a.csv") as bar:
        bar.start(1024, total)
        for _ in range(130):
            now += 1.0
            bar.advance(1024 if now == 5 else 512 if now in {7, 50} else 0)
    assert said == [f"a.csv: {shown}", f"a.csv: {shown}"]


@pytest.mark.parametrize(
    ("terminal", "ci", "env", "redrawn"),
    [
        (True, False, {"TERM": "xterm"}, True),
        (True, True, {"TERM": "xterm"}, False),
        (True, False, {"TERM": "dumb"}, False),
        (False, False, {"TERM": "xterm"}, False),
    ],
)
def test_lines_where_it_is_no_terminal_or_a_dumb_one_or_a_ci_job(
    terminal: bool, ci: bool, env: dict[str, str], redrawn: bool
) -> None:
    screen = Screen(None, terminal, **env)
    if ci:
        screen.output.in_lines()
    assert screen.output.spinner().live is redrawn
    assert screen.output.bars().live is redrawn
