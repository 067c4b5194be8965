"""The models: outcomes of statuses, and valid ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.errors import Failed, NotReady
from nostra_cli.models import (
    Format,
    Invocation,
    Outcome,
    Result,
    check_completed,
    failure_of,
    is_segment,
    outcome_of,
)

FINAL = {"completed", "error", "failed", "cancelled", "canceled"}


def invocation(status: str) -> Invocation:
    return Invocation("demo", status, (), {"status": status})


@pytest.mark.parametrize("status", ["completed", "Completed", "COMPLETED"])
def test_completed_in_any_case_is_success(status: str) -> None:
    assert outcome_of(status) is Outcome.COMPLETED
    assert invocation(status).final
    assert failure_of(invocation(status)) is None
    check_completed(invocation(status))


@pytest.mark.parametrize(
    "status", ["error", "failed", "cancelled", "canceled", "Error", "FAILED", "CanCelled"]
)
def test_statuses_of_failure_in_any_case_are_final(status: str) -> None:
    assert outcome_of(status) is Outcome.FAILED
    assert invocation(status).final
    with pytest.raises(Failed, match=rf"'demo' .*'{status}'"):
        check_completed(invocation(status))


@pytest.mark.parametrize(
    "status", ["running", "pending", "", "complete", "completed ", "errors", "done", "success"]
)
def test_any_other_status_is_still_in_progress(status: str) -> None:
    assert outcome_of(status) is Outcome.IN_PROGRESS
    assert not invocation(status).final
    assert failure_of(invocation(status)) is None
    with pytest.raises(NotReady, match=rf"'demo' .*'{status}'"):
        check_completed(invocation(status))


@given(st.text() | st.sampled_from(sorted(FINAL)).map(str.title))
def test_only_the_documented_statuses_are_final(status: str) -> None:
    assert invocation(status).final == (status.casefold() in FINAL)


@pytest.mark.parametrize("status", ["error", "Failed", "completed", "running"])
def test_a_result_has_failed_only_if_its_status_says_so(status: str) -> None:
    failed = status in ("error", "Failed")
    assert Result("main", True, status, frozenset()).failed is failed


def test_formats_are_preferred_in_this_order() -> None:
    assert [str(one) for one in Format] == ["json", "csv", "xlsx"]


@pytest.mark.parametrize("text", ["a", "...", "a/b", "a b", "-", "%2e", "größe", "a?b#c", "😀"])
def test_an_id_can_be_almost_anything(text: str) -> None:
    assert is_segment(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a\n", "\x00", "a\x1bb", "\x7f", "\x85", "\ud800"])
def test_a_dot_name_or_control_characters_are_not_a_valid_id(text: str) -> None:
    assert not is_segment(text)
