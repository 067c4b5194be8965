"""Some hundred cases of random damage."""

from __future__ import annotations

import pytest

from tests.damage.check import failures


@pytest.mark.parametrize("first", range(1, 401, 100))
def test_damage_never_gives_other_bytes_and_never_exit_1(first: int) -> None:
    assert list(failures(range(first, first + 100))) == []
