"""The screen: many ids, statuses that change at different times, every option."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.terminal import DRAWN_AT_ONCE, HIDE_CURSOR, Terminal, cursor_is_shown, terminal

FEW = [1, 2, 17]
OFTEN = ["--interval", "0.05"]


def ids(count: int) -> list[str]:
    return [f"id-{number}" for number in range(count)]


def fails(number: int) -> bool:
    return number % 5 == 4


def scenario(count: int) -> str:
    """Write invocations that are final at their first, second or third poll."""
    lines = []
    for number in range(count):
        statuses = [*["queued", "läuft"][: number % 3], "failed" if fails(number) else "completed"]
        lines += [f"[invocation.id-{number}]", f"statuses = {statuses!r}".replace("'", '"')]
        lines += ["results = 1", "bytes = 300"]
    return "\n".join(lines)


@contextmanager
def screen_of(nostra: Runner, *args: str, columns: int = 80) -> Iterator[Terminal]:
    """Run it in a terminal where waits are drawn at once."""
    command = [*DRAWN_AT_ONCE, *args]
    with terminal(command, nostra.env, nostra.cwd, columns, rows=400) as shown:
        yield shown
    assert cursor_is_shown(shown.seen)
    assert b"internal error" not in shown.seen


@contextmanager
def service(count: int, home: Path, cwd: Path) -> Iterator[Runner]:
    with faulty(scenario(count)) as sandbox:
        yield runner_for(sandbox, home, cwd)


def table(shown: Terminal) -> dict[str, str]:
    """Read the table: the status of each id."""
    found = (re.fullmatch(r"(id-\d+) +(.+)", line) for line in shown.screen())
    return {one[1]: one[2] for one in found if one}


@pytest.mark.parametrize("count", [*FEW, 300])
def test_status_shows_each_id(count: int, home: Path, tmp_path: Path) -> None:
    with service(count, home, tmp_path) as nostra, screen_of(nostra, "status", *ids(count)) as t:
        assert t.read_to_end() == 0
    assert list(table(t)) == ids(count)


@pytest.mark.parametrize("count", [*FEW, 300])
def test_a_wait_shows_each_id(count: int, home: Path, tmp_path: Path) -> None:
    with (
        service(count, home, tmp_path) as nostra,
        screen_of(nostra, "wait", *OFTEN, *ids(count)) as t,
    ):
        assert t.read_to_end() == (5 if count > 4 else 0)
    expected = {id_: "failed" if fails(n) else "completed" for n, id_ in enumerate(ids(count))}
    assert list(table(t).items()) == list(expected.items())  # in the order of the ids
    assert HIDE_CURSOR in t.seen


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (["--any"], {1: 0, 2: 0, 17: 0}),
        (["--fail-fast"], {1: 0, 2: 0, 17: 5}),
        (["--timeout", "0.7", "--interval", "1h"], {1: 0, 2: 124, 17: 5}),
    ],
    ids=["any", "fail-fast", "timeout"],
)
def test_a_wait_that_ends_early_shows_each_id_too(
    options: Sequence[str], codes: dict[int, int], count: int, home: Path, tmp_path: Path
) -> None:
    often = () if "--interval" in options else OFTEN
    with (
        service(count, home, tmp_path) as nostra,
        screen_of(nostra, "wait", *options, *often, *ids(count)) as t,
    ):
        assert t.read_to_end() == codes[count]
    assert sorted(table(t)) == sorted(ids(count))


@pytest.mark.parametrize("count", [*FEW, 300])
def test_a_download_that_waits_writes_each_file(count: int, home: Path, tmp_path: Path) -> None:
    args = ["download", "--wait", *OFTEN, "-f", "csv", *ids(count)]
    with service(count, home, tmp_path) as nostra, screen_of(nostra, *args) as t:
        assert t.read_to_end() == (5 if count > 4 else 0)
    files = [f"{id_}.csv" for n, id_ in enumerate(ids(count)) if not fails(n)]
    assert sorted(files) == nostra.files()
    lines = t.screen()
    assert sorted(line for line in lines if line in files) == sorted(files)
    sums = [line for line in lines if re.match(r"\d+ files?, ", line)]
    failed = count - len(files)
    assert len(sums) == (count > 1)
    assert not failed or sums[0].endswith(f"; {failed} failed:")
    assert len([line for line in lines if line.startswith("  ")]) == failed


def test_a_download_with_a_deadline_keeps_what_is_final(home: Path, tmp_path: Path) -> None:
    stuck = "".join(f'[invocation.id-{n}]\nstatuses = ["running"]\n' for n in range(3, 17))
    with faulty(f"{scenario(1)}\n{stuck}") as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ["download", "--wait", "--timeout", "3", "-f", "csv", "id-0", *ids(17)[3:]]
        with screen_of(nostra, *args) as t:
            assert t.read_to_end() == 124
    assert nostra.files() == ["id-0.csv"]


def test_several_transfers_have_bars_and_a_total(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/csv"\nrate = 20000\n'
    rule += '[invocation.many]\nstatuses = ["completed"]\nresults = 3\nbytes = 10000\n'
    with faulty(rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        args = ["download", "many", "--all-results", "-f", "csv"]
        with screen_of(nostra, *args, columns=100) as t:
            t.read_until(b" of 3 files")
            assert t.read_to_end() == 0
    drawn = t.seen.decode()
    assert "/9.8 KiB" in drawn
    assert re.search(r"3 files, 29\.3 KiB in \d\.\d s", "\n".join(t.screen()))
    assert [line for line in t.screen() if "━" in line] == []


def test_a_slow_response_has_a_spinner(home: Path, tmp_path: Path) -> None:
    with faulty('[[fault]]\npath = "*"\ndelay = 0.8\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        for args in (
            ["status", "demo-dedup"],
            ["results", "demo-dedup"],
            ["api", "api/collection"],
        ):
            with screen_of(nostra, *args) as t:
                t.read_until(b" waiting for 127.0.0.1  0 s")
                assert t.read_to_end() == 0
            assert not [line for line in t.screen() if "waiting" in line]


def test_a_resumed_download_reports_its_offset(home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/csv"\ntimes = 1\ncut_after = 200000\n'
    with faulty(rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        with screen_of(nostra, "download", "demo-large", "-f", "csv") as t:
            assert t.read_to_end() == 0
    assert re.search(r"demo-large\.csv: resuming at \d+\.\d KiB", "\n".join(t.screen()))


@pytest.mark.parametrize("columns", [1, 2, 20, 59, 300])
def test_a_terminal_is_resized_while_it_draws(columns: int, home: Path, tmp_path: Path) -> None:
    rule = '[[fault]]\npath = "*/csv"\nrate = 300000\n'
    with faulty(rule, large_bytes=200_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        with screen_of(nostra, "download", "demo-large", "demo-dedup", "-f", "csv") as t:
            t.read_until(b"of 2 files")
            t.resize(columns)
            assert t.read_to_end() == 0
    assert nostra.files() == ["demo-dedup.csv", "demo-large.csv"]
