"""The preview of a file."""

from __future__ import annotations

import gzip
import os
import threading
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
def test_an_unreadable_file_is_a_file_problem(
    tmp_path: Path, name: str, error: type[Exception]
) -> None:
    (tmp_path / "x").write_text("a\n1\n")
    with pytest.raises(error):
        preview_path(tmp_path / name)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="cannot read"):
        preview_path(tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("x.csv", b"", "it is empty"),
        ("x.json", b" \n", "it is empty"),
        ("x.xlsx", b"", "it is empty"),
        ("x.csv", b"<!DOCTYPE html><p>", "it is a web page, not csv"),
        ("x.xlsx", b"<!DOCTYPE html><p>", "it is a web page, not xlsx"),
        ("x.csv", gzip.compress(b"a\n1\n", mtime=0), "it is compressed with gzip"),
        ("x.csv", "a,b\n1,2\n".encode("utf-16"), "it is not UTF-8"),
        ("x.xlsx", b"PK\x03\x04", "the workbook is damaged"),
    ],
)
@pytest.mark.parametrize("stats", [True, False])
def test_a_file_that_does_not_match_its_suffix_is_corrupt(
    tmp_path: Path, name: str, data: bytes, reason: str, stats: bool
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Corrupt, match=reason):
        preview_path(tmp_path / name, stats=stats)


def test_a_compressed_file_has_a_hint(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(b"")
    with pytest.raises(UsageProblem, match="is compressed") as caught:
        preview_path(tmp_path / "x.csv.gz")
    assert caught.value.hint == "decompress it first"


def test_an_invalid_file_name_is_a_file_problem(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="not a valid name"):
        preview_path(tmp_path / "a\0.csv")
    with pytest.raises(FileProblem, match="File name too long"):
        preview_path(tmp_path / f"{'x' * 300}.csv")


@pytest.mark.skipif(os.name == "nt", reason="there are no FIFOs")
@pytest.mark.parametrize("stats", [True, False])
def test_a_fifo_is_read(tmp_path: Path, stats: bool) -> None:
    fifo = tmp_path / "x.csv"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=[b"a\n1\n"])
    writer.start()
    found = preview_path(fifo, stats=stats)
    writer.join()
    assert (found.rows, found.stats is not None) == (({"a": "1"},), stats)


def test_the_format_can_be_given(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("a\n1\n")
    assert preview_path(file, Format.CSV).rows == ({"a": "1"},)
    with pytest.raises(Corrupt, match="not valid JSON") as caught:
        preview_path(file)
    assert "-f csv" in caught.value.hint


@pytest.mark.skipif(os.name == "nt", reason="there are no such devices")
def test_an_empty_device_is_corrupt() -> None:
    with pytest.raises(Corrupt, match="it is empty"):
        preview_path(Path(os.devnull), Format.CSV)


def test_a_warning_counts_the_sheets_that_are_not_shown(tmp_path: Path) -> None:
    book = Workbook()
    book.create_sheet("second")
    book.save(tmp_path / "x.xlsx")
    found = preview_path(tmp_path / "x.xlsx")
    assert (found.columns, found.rows, found.complete) == ((), (), True)
    assert found.warnings == ("showing sheet 'Sheet' of 2",)
