"""What a person sees: tables, progress, colour; on a real pseudo-terminal."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.terminal import Terminal, terminal


@contextmanager
def at_terminal(
    nostra: Runner, *args: str, columns: int = 100, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    with terminal([NOSTRA, *args], {**nostra.env, **(env or {})}, nostra.cwd, columns) as shown:
        yield shown


def plain(seen: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())


def test_results_are_a_table(nostra: Runner) -> None:
    with at_terminal(nostra, "results", "demo-partial") as shown:
        assert shown.read_to_end() == 0
    lines = [line.split() for line in plain(shown.seen).splitlines() if line.strip()]
    assert lines[0] == ["result", "primary", "status", "json", "csv", "xlsx"]
    assert lines[1][1:] == ["yes", "completed", "yes", "yes", "yes"]
    assert b"\x1b[32mcompleted" in shown.seen


def test_settings_are_a_table(nostra: Runner) -> None:
    with at_terminal(nostra, "config", "list") as shown:
        assert shown.read_to_end() == 0
    lines = [line.split() for line in plain(shown.seen).splitlines() if line.strip()]
    assert lines[0] == ["key", "value", "origin"]
    assert ["jobs", "8", "default"] in lines


@pytest.mark.parametrize(
    ("args", "env"),
    [([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--color", "never"], {})],
)
def test_colour_can_be_switched_off(nostra: Runner, args: list[str], env: dict[str, str]) -> None:
    with at_terminal(nostra, "status", "demo-dedup", *args, env=env) as shown:
        assert shown.read_to_end() == 0
    assert b"completed" in shown.seen
    assert b"\x1b" not in shown.seen


def test_an_empty_no_color_does_not_count(nostra: Runner) -> None:
    with at_terminal(nostra, "status", "demo-dedup", env={"NO_COLOR": ""}) as shown:
        assert shown.read_to_end() == 0
    assert b"\x1b[32mcompleted" in shown.seen


@pytest.mark.parametrize("columns", [20, 300])
def test_nothing_is_lost_at_any_width(nostra: Runner, columns: int) -> None:
    with at_terminal(nostra, "status", "demo-dedup", "--color", "never", columns=columns) as shown:
        assert shown.read_to_end() == 0
    assert Counter(plain(shown.seen)) >= Counter("invocationstatusdemo-dedupcompleted")


def test_a_download_shows_a_bar_with_size_rate_and_time_left(home: Path, tmp_path: Path) -> None:
    slow = '[[fault]]\npath = "*/csv"\nrate = 1000000\n'
    with faulty(slow, large_bytes=2_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        with at_terminal(nostra, "download", "demo-large", "-f", "csv") as shown:
            assert shown.read_to_end() == 0
    text = plain(shown.seen)
    assert re.search(r"demo-large\.csv .*/1\.9 MiB .*/s +\d s left", text), text
    assert text.rstrip().splitlines()[-1].strip() == "demo-large.csv"


def test_an_error_is_coloured_and_sanitized(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*"\nstatus = 400\ndetail = "a\\u001b]0;title\\u0007b"'
    with (
        faulty(rule) as sandbox,
        at_terminal(runner_for(sandbox, home, tmp_path), "status", "x") as shown,
    ):
        assert shown.read_to_end() == 6
    assert b"\x1b[1;31merror\x1b[0m: " in shown.seen
    assert b"a\\x1b]0;title\\x07b" in shown.seen
