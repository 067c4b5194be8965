"""Statistics: those of a naive computation, in bounded memory, however the rows come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.models import JsonValue
from nostra_cli.preview import column, stats
from nostra_cli.preview.column import ColumnStats
from nostra_cli.preview.csv_rows import CsvRows
from nostra_cli.preview.kinds import Kind
from nostra_cli.preview.stats import Gathering, Stats
from nostra_cli.preview.table import Dense, Sparse
from nostra_cli.sandbox.samples import sample

CELLS = st.sampled_from(
    ["", "0", "-7", "12", "1.5", "-2e3", "007", "x", "é\nb", "2024-01-31", "true"]
)


def gathered(cells: Sequence[str], *places: int) -> ColumnStats:
    """Give what is known of one column of CSV, which comes in parts."""
    gathering = Gathering()
    for start, stop in pairwise(sorted({0, *places, len(cells)})):
        gathering.add(Dense(("a",), [[cell] for cell in cells[start:stop]]))
    return gathering.stats(["a"]).columns[0]


def typed(*values: JsonValue) -> ColumnStats:
    gathering = Gathering()
    gathering.add(Sparse([{"a": value} for value in values]))
    return gathering.stats([]).columns[0]


@given(st.lists(CELLS, min_size=1, max_size=40), st.integers(0, 40))
def test_they_are_those_of_a_naive_computation(cells: list[str], place: int) -> None:
    found = gathered(cells, min(place, len(cells)))
    filled = [cell for cell in cells if cell]
    assert (found.filled, found.empty) == (len(filled), len(cells) - len(filled))
    assert (found.distinct, found.exact) == (len(set(filled)), True)
    assert found.top is not None
    assert dict(found.top).items() <= Counter(filled).items()
    assert [count for _, count in found.top] == [n for _, n in Counter(filled).most_common(5)]
    if found.kind in (Kind.INTEGER, Kind.NUMBER):
        numbers = [float(cell) for cell in filled]
        assert (found.least, found.most) == (min(numbers), max(numbers))
        assert found.mean == pytest.approx(sum(numbers) / len(numbers))
        assert found.histogram is not None
        assert sum(found.histogram.counts) == found.histogram.sample == len(numbers)
    else:
        assert (found.mean, found.histogram) == (None, None)
        ends = (
            (min(filled), max(filled)) if filled and found.kind is not Kind.MIXED else (None,) * 2
        )
        assert (found.least, found.most) == ends


@given(st.lists(CELLS, min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_how_the_rows_come_makes_no_difference(cells: list[str], places: list[int]) -> None:
    whole, parts = gathered(cells), gathered(cells, *(min(p, len(cells)) for p in places))
    assert parts.mean == (whole.mean and pytest.approx(whole.mean))
    assert (parts.kind, parts.kinds, parts.top) == (whole.kind, whole.kinds, whole.top)
    assert (parts.least, parts.most) == (whole.least, whole.most)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "+3", "0"], Kind.INTEGER),
        (["1", "2.50", "-1e-3"], Kind.NUMBER),
        (["1", "x"], Kind.MIXED),
        (["007", "010"], Kind.TEXT),
        (["1_000", "x"], Kind.TEXT),
        (["nan", "inf", "1,5", ".5", "5."], Kind.TEXT),
        (["١٢"], Kind.TEXT),
        (["2024-02-29", "2024-01-01T10:00", "2024-01-01 10:00:00.5+01:00"], Kind.DATE),
        (["2024-13-01"], Kind.TEXT),
        (["true", "False", "TRUE"], Kind.BOOLEAN),
        (["a\nb", "1"], Kind.MIXED),
        (["1\n2", "3"], Kind.MIXED),
        (["", ""], Kind.EMPTY),
    ],
)
def test_kinds_of_text(cells: list[str], kind: Kind) -> None:
    assert gathered(cells).kind is kind
    assert gathered(cells, *range(len(cells))).kind is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None, ""], Kind.INTEGER),
        ([1, 2.5], Kind.NUMBER),
        (["1", "2"], Kind.TEXT),  # the format says that it is text
        (["2024-01-01", "2024-01-02"], Kind.DATE),
        ([True, False], Kind.BOOLEAN),
        ([1, "1"], Kind.MIXED),
        ([[1], {"a": 2}], Kind.TEXT),
        ([10**300, -(10**300)], Kind.TEXT),
        ([1e308, -1e308], Kind.TEXT),
    ],
)
def test_kinds_of_values(values: list[JsonValue], kind: Kind) -> None:
    assert typed(*values).kind is kind


def test_distinct_values_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "MOST_DISTINCT", 100)
    cells = [str(i) for i in range(100)]
    found = gathered(cells, 50)
    assert (found.distinct, found.exact) == (100, True)
    found = gathered([*cells, "x"], 50)
    assert (found.distinct, found.exact, found.top) == (100, False, None)


def test_the_limit_is_for_all_columns_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "_MOST_DISTINCT_IN_ALL", 100)
    gathering = Gathering()
    gathering.add(Sparse([{str(i): i for i in range(10)}]))
    gathering.add(Sparse([{"0": i} for i in range(20)]))
    first = gathering.stats([]).columns[0]
    assert (first.distinct, first.exact) == (10, False)


def test_long_texts_are_told_apart_and_not_kept() -> None:
    found = gathered(["x" * 10_000, "x" * 10_000 + "y", "x" * 10_000])
    assert found.distinct == 2
    assert found.top is not None
    assert [count for _, count in found.top] == [2, 1]
    assert all(len(text) < 250 for text, _ in found.top)
    assert len(str(found.least)) < 250


def test_a_histogram_of_many_is_one_of_a_fair_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column, "_SAMPLE", 1_000)
    cells = [str(i % 160) for i in range(16_000)]
    found = gathered(cells, *range(0, 16_000, 333)).histogram
    assert found is not None
    assert (found.least, found.most, len(found.counts)) == (0, 159, 16)
    assert 500 <= found.sample <= 1_000
    assert sum(found.counts) == found.sample
    fair = found.sample / 16
    assert all(abs(count - fair) < 6 * math.sqrt(fair) for count in found.counts)


def test_rows_that_come_one_by_one_are_sampled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column, "_SAMPLE", 64)
    found = gathered([str(i) for i in range(1_000)], *range(1_000)).histogram
    assert found is not None
    assert 32 <= found.sample <= 64
    assert sum(found.counts[8:]) > 8


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        (["5", "5"], (2,)),
        (["0", "1", "1", "3"], (1, 2, 0, 1)),
        (["0.0", "1.0"], (1, *[0] * 14, 1)),
    ],
)
def test_small_histograms(cells: list[str], counts: tuple[int, ...]) -> None:
    found = gathered(cells).histogram
    assert found is not None
    assert found.counts == counts


def test_columns_that_some_rows_lack() -> None:
    gathering = Gathering()
    gathering.add(Sparse([{"a": 1}, {"b": "x"}]))
    gathering.add(Sparse([{"c": True}]))
    found = gathering.stats(["z"])
    assert found.rows == 3
    assert [(c.name, c.filled, c.empty) for c in found.columns] == [
        ("z", 0, 3),
        ("a", 1, 2),
        ("b", 1, 2),
        ("c", 1, 2),
    ]


def of_csv(text: str, size: int = 1_000_000) -> Stats:
    parser, gathering = CsvRows(), Gathering()
    for start in range(0, len(text), size):
        gathering.add(parser.feed(text[start : start + size].encode()))
    gathering.add(parser.finish())
    return gathering.stats(parser.header)


@pytest.mark.parametrize("size", [200, 10_000])
def test_a_demand_prediction_is_summed_by_date(size: int) -> None:
    text = sample("demand", "csv").data.decode()
    sums: Counter[str] = Counter()
    for line in text.splitlines()[1:]:
        _, day, quantity = line.split(",")
        sums[day] += int(quantity)
    found = of_csv(text, size).by_date
    assert found is not None
    assert (found.date, found.quantity) == ("OrderDate", "Quantity")
    assert found.sums == sums
    assert list(found.sums) == sorted(sums)


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
    ],
)
def test_what_is_summed_by_date(text: str, sums: dict[str, float] | None) -> None:
    found = of_csv(text).by_date
    assert (found.sums if found else None) == sums


def test_what_turns_out_to_be_no_quantity_is_not_summed() -> None:
    text = "n,day\n1,2024-01-01\n1,2024-01-02\n" + "x,2024-01-01\n"
    assert of_csv(text, 33).by_date is None
    assert of_csv(text.replace("x,", "007,"), 33).by_date is None


def test_too_many_dates_are_not_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "n,day\n1,2024-01-01\n1,2024-01-02\n1,2024-01-03\n"
    assert of_csv(text).by_date
    monkeypatch.setattr(stats, "_MOST_DATES", 2)
    assert of_csv(text).by_date is None
