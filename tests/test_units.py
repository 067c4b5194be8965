"""Durations and sizes: parsing and formatting."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.units import parse_duration, parse_size, show_duration, show_size

TEN_YEARS = 10 * 366 * 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("0.5", 0.5),
        ("1.5h", 5400),
        (" 90 ", 90),
        ("90 s", 90),
        ("007m", 420),
        (str(TEN_YEARS), TEN_YEARS),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "0",
        "0s",
        "0.0h",
        "-1",
        "+1",
        "1e3",
        "1,5",
        ".5",
        "5.",
        "1d",
        "5M",
        "5ms",
        "1h30m",
        "1 0",
        "nan",
        "inf",
        "0x10",
        "1_0",
        "٣",
        "1\x00",
        str(TEN_YEARS + 1),
        "9" * 400,
        "9" * 5000 + "h",
    ],
)
def test_an_invalid_duration_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 90, 90s, 15m or 2h") as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)


@given(st.integers(1, 87_000), st.sampled_from([("", 1), ("s", 1), ("m", 60), ("h", 3600)]))
def test_every_whole_duration_is_exact(number: int, unit: tuple[str, int]) -> None:
    assert parse_duration(f"{number}{unit[0]}") == number * unit[1]


@given(st.text() | st.from_regex(r"[\d.]{1,400}\s?[smhd]?", fullmatch=True))
def test_a_duration_is_within_bounds_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        assert "is not a duration" in str(error)  # noqa: PT017
    else:
        assert 0 < seconds <= TEN_YEARS


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("500", 500),
        ("500b", 500),
        ("1k", 1000),
        ("10MB", 10_000_000),
        ("1GiB", 1 << 30),
        ("1gi", 1 << 30),
        ("2T", 2 * 10**12),
        ("1TiB", 1 << 40),
        ("1.5KiB", 1536),
        (" 3 kB ", 3000),
    ],
)
def test_a_size_is_read_in_bytes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "B",
        "-1",
        "+1",
        "1iB",
        "1i",
        "1PB",
        "1e3",
        ".5M",
        "5.",
        "1 0",
        "1KBs",
        "٣",
        "1K\n2",
        "9" * 400,
        "9999999999T",
    ],
)
def test_an_invalid_size_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as 500, 10MB or 1GiB") as caught:
        parse_size(text)
    assert repr(text) in str(caught.value)


@given(st.text() | st.from_regex(r"\d{1,20}(\.\d{1,9})?\s?[kmgtKMGTx]?i?[bB]?", fullmatch=True))
def test_a_size_is_a_whole_number_or_a_value_error(text: str) -> None:
    try:
        count = parse_size(text)
    except ValueError as error:
        assert "is not a size" in str(error)  # noqa: PT017
    else:
        assert isinstance(count, int)
        assert count >= 0


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        ((1 << 40) - 1, "1.0 TiB"),
        (1536, "1.5 KiB"),
        (1536 << 10, "1.5 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5.0 TiB"),
        (5000 << 40, "5000.0 TiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_fits(count: float, shown: str) -> None:
    assert show_size(count) == shown


@given(st.integers(0, 1 << 60))
def test_a_shown_size_can_be_read_again_and_is_near(count: int) -> None:
    assert parse_size(show_size(count)) == pytest.approx(count, rel=0.05)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (7.6, "8 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_a_duration_is_shown_in_the_two_units_that_matter(seconds: float, shown: str) -> None:
    assert show_duration(seconds) == shown


@given(st.floats(0, 10**8))
def test_a_shown_duration_never_has_60_seconds_or_minutes(seconds: float) -> None:
    shown = show_duration(seconds)
    assert re.fullmatch(r"\d+ s|\d+ min \d+ s|\d+ h \d+ min", shown)
    assert not re.search(r"\b60 (s|min)\b", shown)
