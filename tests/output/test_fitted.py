"""Tables fitted to a terminal, and charts in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nostra_cli.output import plots
from nostra_cli.output.fitted import Page, fit
from nostra_cli.output.sanitize import sanitize


def page(width: int, unicode: bool = True, color: bool = False) -> Page:
    return Page(width, color, unicode, sanitize)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(1, 120))
def test_columns_that_fit_are_shown_and_no_more(widths: list[int], total: int) -> None:
    shown = fit(widths, total)
    assert 1 <= len(shown) <= len(widths)
    assert sum(shown) + 2 * (len(shown) - 1) <= total
    assert all(1 <= given <= wanted for given, wanted in zip(shown, widths, strict=False))
    if sum(widths) + 2 * (len(widths) - 1) <= total:
        assert shown == widths


@pytest.mark.parametrize(
    ("widths", "total", "shown"),
    [
        ([10, 10], 22, [10, 10]),
        ([10, 10], 21, [10, 9]),
        ([10, 10], 19, [10]),
        ([80, 10], 40, [28, 10]),
        ([80, 80, 5], 80, [47, 24, 5]),
        ([80], 3, [3]),
    ],
)
def test_wide_columns_are_cut_before_others_are_left_out(
    widths: list[int], total: int, shown: list[int]
) -> None:
    assert fit(widths, total) == shown


CELL = st.text(st.sampled_from("ab日\u0301\x1b\n\u202e "), max_size=30)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=3), st.integers(1, 60))
def test_no_line_of_a_table_is_wider_than_the_page(rows: list[list[str]], width: int) -> None:
    names = ["first", "second", "third"]
    header, *lines = page(width).table(names, rows)
    left_out = lines.pop() if len(lines) > len(rows) else ""
    assert len(lines) == len(rows)
    assert all(cell_len(line) <= width for line in (header, *lines))
    assert all(name in f"{header} {left_out}" or width < 20 for name in names)
    assert not set("".join(lines)) & set("\x1b\n\u202e")


def test_cut_cells_are_marked_and_hidden_columns_named() -> None:
    names = ["id", "long", "x\x1b", "y"]
    lines = page(34).table(names, [["1", "a" * 50, "b" * 30, "c"]])
    assert lines == [
        "id  long",
        f"1   {'a' * 29}…",
        "not shown (terminal too narrow): x\\x1b, y",
    ]
    assert page(8, unicode=False).table(["a"], [["日本語" * 2]]) == ["a", "日本 ..."]


def test_numbers_are_aligned_to_the_right() -> None:
    assert page(20).table(["n", "t"], [["1", "x"], ["100", "y"]], [True, False]) == [
        "  n  t",
        "  1  x",
        "100  y",
    ]


def test_the_header_is_bold_in_colour() -> None:
    assert page(20, color=True).table(["n"], []) == ["\x1b[1mn\x1b[0m"]


def test_bars() -> None:
    assert plots.bars([0, 1, 4, 8], unicode=True) == " ▁▄█"
    assert plots.bars([0, 1, 4, 8], unicode=False) == " .=@"
    assert plots.bars([], unicode=True) == ""


def test_a_line_goes_through_its_points() -> None:
    points = [(0, 0.0), (2, 2.0), (4, 0.0)]
    assert plots.line(points, 5, 3, unicode=True) == ["  •", " • •", "•   •"]
    assert plots.line(points, 3, 3, unicode=False) == [" *", " ||", "* *"]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.floats(-1e9, 1e9)), min_size=1, max_size=30),
    st.integers(1, 80),
)
def test_a_line_stays_on_its_canvas(points: list[tuple[int, float]], width: int) -> None:
    lines = plots.line(sorted(points), width, 8, unicode=True)
    assert len(lines) == 8
    assert all(len(line) <= width for line in lines)
    assert sum(line.count("•") for line in lines) == width
