"""No two items of one run share a file, also where the system folds names."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from nostra_cli.downloads.claims import Claim, Claims
from nostra_cli.downloads.target import StoreUrl, Target
from nostra_cli.errors import FileProblem

COMPOSED, DECOMPOSED = "\u00e9.csv", "e\u0301.csv"


@pytest.mark.parametrize("path", [Path("a/b.csv"), StoreUrl("s3://b/a.csv")])
def test_a_path_is_taken_once(path: Target) -> None:
    claims = Claims()
    claims.claim(path)
    with pytest.raises(FileProblem, match="is already the file of another result"):
        claims.claim(path)


def test_stdout_may_be_taken_twice() -> None:
    claims = Claims()
    for _ in range(2):
        claims.claim(None).check_twins()


def ended(claim: Claim) -> Claim:
    claim.check_twins()
    claim.ended.set()
    return claim


@pytest.mark.parametrize(
    ("one", "other"), [("a.csv", "A.csv"), ("stra\u00dfe", "STRASSE"), (COMPOSED, DECOMPOSED)]
)
def test_names_that_differ_in_case_are_refused_if_they_are_one_file(
    tmp_path: Path, one: str, other: str
) -> None:
    claims = Claims()
    ended(claims.claim(tmp_path / one))
    second = claims.claim(tmp_path / other)
    second.check_twins()  # nothing is there
    (tmp_path / one).write_text("first")
    (tmp_path / other).write_text("second")
    if (tmp_path / one).read_text() == "first":  # this system does not fold
        second.check_twins()
        (tmp_path / other).unlink()
        os.link(tmp_path / one, tmp_path / other)
    with pytest.raises(FileProblem, match="is already the file of another result"):
        second.check_twins()


def test_the_second_of_two_such_names_waits_for_the_first(tmp_path: Path) -> None:
    claims = Claims()
    first, second = claims.claim(tmp_path / "a.csv"), claims.claim(tmp_path / "A.csv")
    checked = threading.Event()

    def check() -> None:
        second.check_twins()
        checked.set()

    thread = threading.Thread(target=check, daemon=True)
    thread.start()
    assert not checked.wait(0.05)
    first.ended.set()
    assert checked.wait(10)
