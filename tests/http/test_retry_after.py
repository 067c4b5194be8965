"""The Retry-After header: seconds, dates and garbage."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.http.retry import retry_after

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("1000000000", 1e9),
        ("9" * 19, 1e19),
        ("1e9", 1e9),
        ("007", 7),
    ],
)
def test_retry_after_in_seconds_is_read(value: str, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(("offset", "seconds"), [(90, 90), (0, 0), (-90, 0), (-(10**9), 0)])
def test_retry_after_as_a_date_counts_from_now_and_the_past_is_zero(
    offset: int, seconds: float
) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW + offset, UTC), usegmt=True)
    assert retry_after(date, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "-1",
        "+1",
        "soon",
        "nan",
        "inf",
        "1e999",
        "9" * 400,
        "٣",
        "1_0",
        "0x10",
        "1 2",
        "GMT",
        "Tue, 14 Nov 2023 22:13:20",
        "Tue, 99 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 99999999999 22:13:20 GMT",
        "Tue, 14 Nov 2023 22:13:20 ÇGMT",
    ],
)
def test_an_invalid_retry_after_is_ignored(value: str | None) -> None:
    assert retry_after(value, NOW) is None


_NUMBERS = st.from_regex(r"[-+]?[0-9]{1,40}(\.[0-9]{0,40})?(e[-+]?[0-9]{1,5})?", fullmatch=True)
_DATES = st.from_regex(
    r"([A-Za-z]{3},? )?[0-9]{0,3}[ -]?[A-Z][a-z]{2}[ -][0-9]{1,12} "
    r"[0-9]{1,3}:[0-9]{1,3}(:[0-9]{1,3})? ?GMT",
    fullmatch=True,
)


@given(st.none() | st.text() | st.text().map(lambda text: text + "GMT") | _NUMBERS | _DATES)
def test_retry_after_never_raises_and_is_never_negative(value: str | None) -> None:
    found = retry_after(value, NOW)
    assert found is None or 0 <= found < float("inf")
