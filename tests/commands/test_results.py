"""`nostra results`, as a script sees it."""

from __future__ import annotations

from tests.running import Runner


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
