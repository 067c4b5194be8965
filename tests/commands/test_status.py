"""`nostra status`, as a script sees it."""

from __future__ import annotations

import pytest

from ..running import Runner


def test_prints_id_and_status_separated_by_a_tab(nostra: Runner) -> None:
    ended = nostra("status", "demo-dedup", "demo-stuck", "demo-failed")
    assert ended.code == 0
    assert ended.out == "demo-dedup\tcompleted\ndemo-stuck\trunning\ndemo-failed\tfailed\n"
    assert ended.err == ""
