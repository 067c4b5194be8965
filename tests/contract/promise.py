"""One row of the contract."""

from __future__ import annotations

from typing import NamedTuple


class Promise(NamedTuple):
    """What is promised, in short, and who holds it: `file::test` below `tests/`."""

    text: str
    tests: tuple[str, ...]


def promise(text: str, *tests: str) -> Promise:
    return Promise(text, tests)
