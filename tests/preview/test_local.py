"""The preview of a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from openpyxl import Workbook

from nostra_cli.errors import Corrupt, FileProblem, UsageProblem
from nostra_cli.models import Format
from nostra_cli.sandbox.samples import sample
from tests.preview.previews import preview_path


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("stats", [True, False])
def test_the_suffix_tells_the_format(tmp_path: Path, format_: Format, stats: bool) -> None:
    file = tmp_path / f"x.{format_.upper()}"
    file.write_bytes(sample("churn", format_).data)
    found = preview_path(file, stats=stats)
    assert (found.source.format, found.source.path) == (format_, str(file))
    assert found.bytes == file.stat().st_size
    assert [row["id"] for row in found.rows] == ["1", "2", "3"]
    assert found.columns == ("id", "churnLikelihood")
    if stats:
        assert found.stats is not None
        assert found.stats.rows == 300


def test_no_more_is_read_than_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"a\n" + b"1\n" * 1_000_000 + b"2,3\n")
    assert len(preview_path(file).rows) == 3
    with pytest.raises(Corrupt, match="row 1000001 has 2 fields"):
        preview_path(file, stats=True)


@pytest.mark.parametrize(("name", "error"), [("no.csv", FileProblem), ("x", UsageProblem)])
def test_what_cannot_be_read(tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "x").write_text("a\n1\n")
    with pytest.raises(error):
        preview_path(tmp_path / name)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="cannot read"):
        preview_path(tmp_path)


def test_the_format_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("a\n1\n")
    assert preview_path(file, Format.CSV).rows == ({"a": "1"},)
    with pytest.raises(Corrupt, match="not valid JSON") as caught:
        preview_path(file)
    assert "-f csv" in caught.value.hint


@pytest.mark.skipif(os.name == "nt", reason="there are no such devices")
def test_what_is_no_regular_file() -> None:
    with pytest.raises(Corrupt, match="it is empty"):
        preview_path(Path(os.devnull), Format.CSV)


def test_sheets_that_are_not_shown_are_said_to_be_there(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("second")
    book.save(tmp_path / "x.xlsx")
    found = preview_path(tmp_path / "x.xlsx")
    assert (found.columns, found.rows, found.complete) == ((), (), True)
    assert found.warnings == ("showing sheet 'Sheet' of 2",)
