"""Run 200 random scenarios; `python -m tests.random` runs any number."""

from __future__ import annotations

import pytest

from tests.random.__main__ import failures

_BLOCKS = 10
_SEEDS_IN_A_BLOCK = 20


@pytest.mark.parametrize("block", range(_BLOCKS))
def test_random_scenarios_keep_the_contract(block: int) -> None:
    first = 1 + block * _SEEDS_IN_A_BLOCK
    assert failures(range(first, first + _SEEDS_IN_A_BLOCK)) == []
