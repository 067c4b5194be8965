"""The constraints of the lowest versions."""

from __future__ import annotations

import pytest

from scripts.lowest_versions import lowest_versions


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("rich>=13.9", ["rich==13.9"]),
        ("typer>=0.27,<0.29", ["typer==0.27"]),
        ("moto[s3]>=5.0", ["moto==5.0"]),
        ("truststore>=0.10; sys_platform == 'darwin'", ["truststore==0.10"]),
        ("types-requests", []),
        ("nostra-cli[test]", []),
    ],
)
def test_the_lower_bound_of_a_requirement(requirement: str, expected: list[str]) -> None:
    assert list(lowest_versions([requirement])) == expected
