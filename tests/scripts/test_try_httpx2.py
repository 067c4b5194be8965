"""The copy in which httpx2 takes the place of httpx."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import try_httpx2


@pytest.mark.skipif(not (try_httpx2.ROOT / ".git").exists(), reason="git lists the files")
def test_the_copy_is_complete_and_names_the_successor_only(tmp_path: Path) -> None:
    try_httpx2._copy(tmp_path)
    changed = try_httpx2._rename(tmp_path)
    http = "".join(path.read_text("utf-8") for path in tmp_path.glob("nostra_cli/http/*.py"))
    assert (tmp_path / "completions").resolve().is_dir()
    assert changed > 0
    assert ("import httpx2\n" in http, "import httpx\n" in http) == (True, False)
