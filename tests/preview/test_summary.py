"""Statistics: those of a naive computation, whatever DuckDB would make of the text."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostra_cli.errors import ExitCode, FileProblem, Signalled, UsageProblem
from nostra_cli.models import Format, JsonValue
from nostra_cli.preview import summary, tables
from nostra_cli.preview.complete import temporary_folder
from nostra_cli.preview.stats import ColumnStats, Kind, Stats
from nostra_cli.preview.summary import summarize
from nostra_cli.sandbox.samples import sample

CELLS = ["", "0", "-7", "12", "1.5", "-2e3", "007", "x", "é\nb", "2024-01-31", "true", '"', "'"]


def of_body(data: bytes, format: Format = Format.CSV) -> Stats:
    with temporary_folder() as folder:
        path = folder / "body"
        path.write_bytes(data)
        return summarize(path, format, folder)


def of_csv(text: str) -> Stats:
    return of_body(text.encode())


def of_cells(cells: Sequence[str]) -> ColumnStats:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a"], *([cell] for cell in cells)])
    return of_csv(text.getvalue()).columns[0]


def of_values(*values: JsonValue) -> ColumnStats:
    rows: list[JsonValue] = [{"a": value} for value in values]
    return of_body(json.dumps(rows).encode(), Format.JSON).columns[0]


def refusal(data: bytes, format: Format = Format.CSV) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        of_body(data, format)
    return str(caught.value)


@given(st.lists(st.sampled_from(CELLS), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_they_are_those_of_a_naive_computation(cells: list[str]) -> None:
    found = of_cells(cells)
    filled = [cell for cell in cells if cell]
    assert (found.filled, found.empty) == (len(filled), len(cells) - len(filled))
    assert found.distinct == len(set(filled))
    by_count = sorted(Counter(filled).items(), key=lambda item: (-item[1], item[0]))
    assert found.top == tuple(by_count[:5])
    if found.kind in (Kind.INTEGER, Kind.NUMBER):
        numbers = [float(cell) for cell in filled]
        assert (found.min, found.max) == (min(numbers), max(numbers))
        assert found.mean == pytest.approx(sum(numbers) / len(numbers))
        assert found.histogram is not None
        assert sum(found.histogram.counts) == len(numbers)
    else:
        assert (found.mean, found.histogram) == (None, None)
        mixed = found.kind in (Kind.MIXED, Kind.EMPTY)
        ends = (None, None) if mixed else (min(filled), max(filled))
        assert (found.min, found.max) == ends


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "+3", "0"], Kind.INTEGER),
        (["1", "2.50", "-1e-3"], Kind.NUMBER),
        (["1", "x"], Kind.MIXED),
        (["007", "010"], Kind.TEXT),
        (["1_000", "0x1F", "1e"], Kind.TEXT),
        (["nan", "inf", "1,5", ".5", "5.", " 7"], Kind.TEXT),
        (["1" * 39, "9" * 60], Kind.TEXT),
        (["١٢"], Kind.TEXT),
        (["2024-02-29", "2024-01-01T10:00", "2024-01-01 10:00:00.5+01:00"], Kind.DATE),
        (["2024-13-01", "NULL", "\\N"], Kind.TEXT),
        (["true", "False", "TRUE"], Kind.BOOLEAN),
        (["a\nb", "1"], Kind.MIXED),
        (["1\n2", "3"], Kind.MIXED),
        (["", ""], Kind.EMPTY),
    ],
)
def test_kinds_of_text(cells: list[str], kind: Kind) -> None:
    assert of_cells(cells).kind is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None, ""], Kind.INTEGER),
        ([1, 2.5], Kind.NUMBER),
        (["1", "2"], Kind.TEXT),  # the format says that it is text
        (["2024-01-01", "2024-01-02"], Kind.DATE),
        ([True, False], Kind.BOOLEAN),
        (["true", "false"], Kind.TEXT),
        ([1, "1"], Kind.MIXED),
        ([[1], {"a": 2}], Kind.TEXT),
        ([10**300, -(10**300)], Kind.TEXT),
        ([1e308, -1e308], Kind.TEXT),
    ],
)
def test_kinds_of_values(values: list[JsonValue], kind: Kind) -> None:
    assert of_values(*values).kind is kind


def test_integers_keep_every_digit() -> None:
    ends = (-(10**37), 9_007_199_254_740_993)
    found = of_cells([str(number) for number in ends])
    assert (found.min, found.max) == ends


def test_nested_values_are_shown_as_json() -> None:
    found = of_values({"a": [1, "é"]}, [2], [2])
    assert found.top == (("[2]", 2), ('{"a":[1,"é"]}', 1))


def test_a_text_and_a_number_that_look_alike_are_two_values() -> None:
    found = of_values(1, "1")
    assert (found.distinct, found.kinds) == (2, {"integer": 1, "text": 1})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", [["1", "2"]]),
        ("\ufeffa,b\n1,2\n", [["1", "2"]]),
        ("a,b\r\n1,2\r\n3,4", [["1", "2"], ["3", "4"]]),
        ("a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]]),
        ("a,b\r\n1,2\n3,4\r\n", [["1", "2"], ["3", "4"]]),
        ("\n\na,b\n1,2\n", [["1", "2"]]),
        ("a,b\n\n1,2\n\n\n3,4\n\n", [["1", "2"], ["3", "4"]]),
        ("a\n\n1\n\n2\n", [["1"], ["2"]]),
        ('a\n""\n1\n""\n', [[""], ["1"], [""]]),
        ("a,b\n1,\n,\n", [["1", ""], ["", ""]]),
        ('a,b\n1,\n2,""\n', [["1", ""], ["2", ""]]),
        ('a,b\n"x\ny",2\n"p\r\nq",3\n', [["x\ny", "2"], ["p\r\nq", "3"]]),
        ('"a\nx",b\n1,2\n', [["1", "2"]]),
        ('a,b\n"x"y,2\n', [["xy", "2"]]),
        ('a,b\n"x""y",2\n"x\\",3\n', [['x"y', "2"], ["x\\", "3"]]),
        ("a,b\nx\0y,2\n", [["x\0y", "2"]]),
        ("a;b\n1,5;2\n", [["1,5", "2"]]),
        ("a,a,A,\n1,2,3,4\n", [["1", "2", "3", "4"]]),
        ("a,b,\n1,2,\n", [["1", "2", ""]]),
        ("a,b\n#1,2\nNULL,\\N\n", [["#1", "2"], ["NULL", "\\N"]]),
        ("a,b\n 1 , 2\n", [[" 1 ", " 2"]]),
        ("a,b\n", []),
        ("a,b", []),
        ("a\n" + "x" * 3_000_000 + "\n", [["x" * 3_000_000]]),
    ],
)
def test_what_csv_can_be_like(text: str, rows: list[list[str]]) -> None:
    found = of_csv(text)
    assert found.rows == len(rows)
    for place, column in enumerate(found.columns):
        filled = [row[place] for row in rows if row[place]]
        assert column.filled == len(filled)
        assert {value[:100] for value, _ in column.top} == {value[:100] for value in filled} or any(
            len(value) > 200 for value in filled
        )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a,b\n1,2\n3\n", "row 2 has 1 field, not 2"),
        (b"a,b\n1,2\n3,4,5\n", "row 2 has 3 fields, not 2"),
        (b"a,b\n1,2\n3,4,\n", "row 2 has 3 fields, not 2"),
        (b"a,b\n1,2,", "row 1 has 3 fields, not 2"),
        (b"a,b\r\n1,2,\r\n3,4\r\n", "row 1 has 3 fields, not 2"),
        (b"a\n1,\n", "row 1 has 2 fields, not 1"),
        (b'a,b\n1,"2\n3,4\n', "it is cut inside a quoted field"),
        (b"a,b\n\xff,2\n", "it is not UTF-8"),
        (b"a,b\n1,\xc3", "it is cut inside a character"),
    ],
)
def test_malformed_csv_is_refused(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'[{"a":1}', "the JSON is cut"),
        (b'[{"a":1}] x', "it is not valid JSON"),
        (b'[{"a":NaN}]', "it is not valid JSON"),
        (b'[{"a":1e999}]', "the JSON has a number that is too long or too large"),
        (b"[" * 100_000, "its values are nested deeper than 100 levels"),
    ],
)
def test_malformed_json_is_refused(data: bytes, reason: str) -> None:
    assert refusal(data, Format.JSON) == reason


@pytest.mark.parametrize(
    ("data", "rows", "columns"),
    [
        (b"[]", 0, {}),
        (b"[{}, {}]", 2, {}),
        (b'[{"a":1},{"b":"x"},{"c":true,"a":null}]', 3, {"a": 1, "b": 1, "c": 1}),
        (b'[{"x.y":1,"a\\"b":2,"/~":3,"":4,"A":5,"a":6}]', 1, dict.fromkeys("?" * 6, 1)),
        (b'[1,"x",null]', 3, {"value": 2}),
        (b"[[1,2],[3]]", 2, {"1": 2, "2": 1}),
        (b'{"a":1,"b":[2]}', 2, {"key": 2, "value": 2}),
        (b"12", 1, {"value": 1}),
        (b'["\\ud800"]', 1, {"value": 1}),
    ],
)
def test_what_json_can_be_like(data: bytes, rows: int, columns: dict[str, int]) -> None:
    found = of_body(data, Format.JSON)
    assert found.rows == rows
    if "?" not in columns:
        assert {column.name: column.filled for column in found.columns} == columns
    assert all(column.filled <= rows for column in found.columns)


def test_distinct_values_are_counted_exactly() -> None:
    found = of_csv("a,b\n" + "".join(f"v{i},{i % 7}\n" for i in range(50_000)))
    assert [column.distinct for column in found.columns] == [50_000, 7]
    assert found.columns[1].top[0] == ("0", 7_143)


def test_more_columns_than_are_held_at_once() -> None:
    names = [f"c{i}" for i in range(100)]
    found = of_csv(f"{','.join(names)}\n{','.join(map(str, range(100)))}\n")
    assert [(column.name, column.min) for column in found.columns] == [
        (name, i) for i, name in enumerate(names)
    ]


def test_long_texts_are_distinct_and_shown_short() -> None:
    found = of_cells(["x" * 10_000, "x" * 10_000 + "y", "x" * 10_000])
    assert found.distinct == 2
    assert [count for _, count in found.top] == [2, 1]
    assert all(len(text) < 250 for text, _ in found.top)
    assert len(str(found.min)) < 250


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        (["5", "5"], (2,)),
        (["0", "1", "1", "3"], (1, 2, 0, 1)),
        (["0.0", "1.0"], (1, *[0] * 14, 1)),
        ([str(i) for i in range(1_600)], (100,) * 16),
    ],
)
def test_histograms(cells: list[str], counts: tuple[int, ...]) -> None:
    found = of_cells(cells).histogram
    assert found is not None
    assert found.counts == counts


def test_a_demand_prediction_is_summed_by_date() -> None:
    text = sample("demand", "csv").data.decode()
    sums: Counter[str] = Counter()
    for line in text.splitlines()[1:]:
        _, day, quantity = line.split(",")
        sums[day] += int(quantity)
    found = of_csv(text).by_date
    assert found is not None
    assert (found.date, found.quantity) == ("OrderDate", "Quantity")
    assert found.sums == sums
    assert list(found.sums) == sorted(sums)
    assert of_body(sample("demand", "json").data, Format.JSON).by_date == found


@pytest.mark.parametrize(
    ("text", "sums"),
    [
        (
            "n,day,QUANTITY\n1,2024-01-02,5\n2,2024-01-01 10:00,\n3,2024-01-02,2.5\n",
            {"2024-01-02": 7.5},
        ),
        ("n,day\n1,2024-01-02\n,2024-01-01\n3,\n", {"2024-01-02": 1}),
        ("n,m,day\n1,2,2024-01-02\n", None),  # which of the numbers?
        ("n,a,b\n1,2024-01-02,2024-01-02\n", None),  # which of the dates?
        ("n,day\n1,2024-02-31\n", None),
        ("n,day\n1,2024-01-01\nx,2024-01-01\n", None),
        ("n,day\n1,2024-01-01\n007,2024-01-01\n", None),
    ],
)
def test_what_is_summed_by_date(text: str, sums: dict[str, float] | None) -> None:
    found = of_csv(text).by_date
    assert (found.sums if found else None) == sums


def test_too_many_dates_are_not_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "n,day\n1,2024-01-01\n1,2024-01-02\n1,2024-01-03\n"
    assert of_csv(text).by_date
    monkeypatch.setattr(summary, "MAX_DATES", 2)
    assert of_csv(text).by_date is None


def test_a_name_with_a_pattern_in_it_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "x1.csv").write_text("b\n1\n2\n")
    path = tmp_path / "x[1].csv"
    path.write_text("a\n1\n")
    found = summarize(path, Format.CSV, tmp_path)
    assert (found.rows, found.columns[0].name) == (1, "a")


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_MAX_CELLS", 10)
    rows = json.dumps([{str(i): i} for i in range(5)]).encode()
    assert refusal(rows, Format.JSON) == "it has more than 10 cells"


def test_where_memory_is_not_enough_it_is_an_error_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(summary, "_MEMORY", ((2, "1MB"), (1, "1MB")))
    with pytest.raises(FileProblem, match="not enough memory"):
        of_csv("a\n" + "".join(f"{i}\n" for i in range(100_000)))


@pytest.mark.usefixtures("no_threads")
def test_without_another_thread_it_is_an_error_with_a_hint() -> None:
    with pytest.raises(FileProblem, match="no more threads"):
        of_csv("a\n1\n")


def test_without_the_library_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageProblem, match="--stats needs duckdb") as caught:
        of_csv("a\n1\n")
    assert "pip install 'nostra-cli[preview]'" in caught.value.hint


def test_plain_csv_is_not_parsed_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Callable[[], None]:
        raise AssertionError

    monkeypatch.setattr(summary, "rewritten_table", refuse)
    assert of_csv('a,b\n1,\n"x, y",2\n,\n').rows == 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_ends_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    running = threading.Event()

    def endless(connection: Any, _table: object) -> None:
        running.set()
        connection.execute("SELECT sum(hash(a.range)) FROM range(1000000) a, range(1000000) b")

    def interrupt() -> None:
        running.wait()
        os.kill(os.getpid(), signal.SIGUSR1)

    def handle(_number: int, _frame: object) -> None:
        raise Signalled(ExitCode.INTERRUPT)

    monkeypatch.setattr(summary, "_stats", endless)
    before = signal.signal(signal.SIGUSR1, handle)
    thread = threading.Thread(target=interrupt)
    try:
        thread.start()
        with pytest.raises(Signalled):
            of_csv("a\n1\n")
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
