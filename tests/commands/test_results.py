"""`nostra results`, as a script sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.faults.case import STATUS
from tests.running import Runner
from tests.sandbox.calling import fault, faulty


def test_the_primary_result_comes_first_then_by_id(nostra: Runner) -> None:
    nostra("wait", "demo")
    rows = [line.split("\t") for line in nostra("results", "demo").out.splitlines()]
    assert [row[1] for row in rows] == ["yes", "no", "no"]
    assert rows[1][0] < rows[2][0]
    assert rows[0][2:] == ["completed", "yes", "yes", "yes"]


def test_a_result_in_error_and_one_without_xlsx(nostra: Runner) -> None:
    rows = [line.split("\t") for line in nostra("results", "demo-partial").out.splitlines()]
    assert rows[0][1:] == ["yes", "completed", "yes", "yes", "yes"]
    assert sorted(row[1:] for row in rows[1:]) == [
        ["no", "completed", "yes", "yes", "no"],
        ["no", "error", "no", "no", "no"],
    ]


def test_json_is_an_array(nostra: Runner) -> None:
    [only] = nostra("results", "demo-dedup", "--json").json()
    assert only == {
        "result": only["result"],
        "primary": True,
        "status": "completed",
        "json": True,
        "csv": True,
        "xlsx": True,
    }


def test_takes_one_id(nostra: Runner) -> None:
    assert nostra("results", "demo-dedup", "demo-demand").code == 2
    assert nostra("results").code == 2


GOOD = {
    "primaryResult": False,
    "status": "completed",
    "jsonAvailable": True,
    "csvAvailable": True,
    "xlsxAvailable": False,
}
BAD: dict[str, tuple[str, object]] = {
    "dots": ("..", GOOD),
    "empty": ("", GOOD),
    "control": ("a\x1b[2Jb", GOOD),
    "long": ("x" * 10_000, GOOD),
    "text": ("bad", "text"),
    "null": ("bad", None),
    "wrong type": ("bad", GOOD | {"csvAvailable": 1}),
    "no formats": ("bad", {"primaryResult": False, "status": "completed"}),
}


def described(**results: object) -> str:
    """Write the rule for a completed invocation with these results."""
    raw = {"status": "completed", "invocationResults": results}
    return fault(f"body = {json.dumps(json.dumps(raw))}", STATUS)


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_one_malformed_result_leaves_the_others(
    home: Path, tmp_path: Path, name: str, value: object
) -> None:
    main = GOOD | {"primaryResult": True}
    with faulty(described(**{"extra": GOOD, name: value, "main": main})) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("results", "demo-dedup")
        status = nostra("status", "demo-dedup")
    rows = [line.split("\t")[:2] for line in ended.out.splitlines()]
    assert rows == [["main", "yes"], ["extra", "no"]]
    assert (ended.code, ended.err.count("error: ")) == (7, 1)
    assert (status.code, status.err) == (0, "")


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_one_malformed_result_leaves_the_downloads_of_the_others(
    home: Path, tmp_path: Path, name: str, value: object
) -> None:
    main = GOOD | {"primaryResult": True}
    body = fault('body = "a,b\\n1,2\\n"', "*/csv")
    rule = described(**{"extra": GOOD, name: value, "main": main}) + body
    with faulty(rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        every = nostra("download", "demo-dedup", "--all-results", "-f", "csv")
        primary = nostra("download", "demo-dedup", "-f", "csv", "-o", "primary.csv")
    assert (every.code, len(every.out.splitlines())) == (7, 2)
    assert (primary.code, primary.err) == (0, "")
    assert nostra.files() == ["demo-dedup-extra.csv", "demo-dedup.csv", "primary.csv"]


@pytest.mark.parametrize(("primary", "count"), [(True, 2), (False, 0)])
def test_other_than_one_primary_result_exits_7_with_a_hint(
    home: Path, tmp_path: Path, primary: bool, count: int
) -> None:
    one = GOOD | {"primaryResult": primary}
    with faulty(described(a=one, b=one)) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        listed = nostra("results", "demo-dedup")
        ended = nostra("download", "demo-dedup")
    assert (listed.code, len(listed.out.splitlines())) == (0, 2)
    assert ended.code == 7
    assert f"{count} primary results" in ended.err
    assert "-r, of: a, b" in ended.err
