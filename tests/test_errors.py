"""What an error is to the work on many."""

from __future__ import annotations

import pytest

from nostra_cli.errors import AuthProblem, DeadlinePassed, NotFound, capture_error


def fail(error: Exception) -> int:
    raise error


def test_one_of_many_stands_for_itself() -> None:
    error = NotFound("none")
    assert [capture_error("a", lambda: 1), capture_error("b", lambda: fail(error))] == [1, error]
    assert error.invocation == "b"


@pytest.mark.parametrize(
    "error", [AuthProblem("refused"), DeadlinePassed("late"), ValueError("a bug")]
)
def test_what_ends_all_work_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        capture_error("a", lambda: fail(error))
