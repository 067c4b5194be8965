"""No line of the catalogue is without a test."""

from __future__ import annotations

from tests.faults.__main__ import load
from tests.faults.catalogue import LINES, TABLE


def test_every_line_has_a_case() -> None:
    load()
    assert [line for line in LINES if not TABLE[line]] == []
