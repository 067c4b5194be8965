"""Bodies: the same data in each format, every row different, any range the same bytes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from nostra_cli.sandbox.content import BLOCK_ROWS, Rows
from nostra_cli.sandbox.samples import ROWS, TABLES, sample

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "nostra_cli" / "sandbox" / "samples"


def whole(rows: Rows) -> bytes:
    return b"".join(rows.chunks(0, rows.size))


def as_text(rows: list[list[object]]) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("name", TABLES)
def test_the_three_formats_hold_the_same_data(name: str) -> None:
    objects = json.loads(sample(name, "json").data)
    from_json = [list(objects[0]), *(list(row.values()) for row in objects)]
    text = sample(name, "csv").data.decode()
    book = load_workbook(io.BytesIO(sample(name, "xlsx").data), read_only=True)
    sheet = book.worksheets[0]
    from_xlsx = [list(row) for row in sheet.iter_rows(values_only=True)]
    book.close()

    assert len(from_json) == ROWS + 1
    assert from_xlsx == from_json  # with their types
    assert list(csv.reader(io.StringIO(text, newline=""))) == as_text(from_json)
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("churn", ["id", "churnLikelihood"]),
        ("deduplication", ["ID", "Group"]),
        ("demand", ["ItemCode", "OrderDate", "Quantity"]),
    ],
)
def test_the_columns_are_as_on_the_vendors_pages(name: str, columns: list[str]) -> None:
    assert list(json.loads(sample(name, "json").data)[0]) == columns


def test_results_have_texts_that_break_careless_readers() -> None:
    text = sample("customers", "csv").data.decode()
    assert '"Müller, Weiß & Co. ' in text
    assert '""Da Nando""' in text
    assert "日本" in text


def test_duplicates_share_a_group() -> None:
    groups = [row["Group"] for row in json.loads(sample("deduplication", "json").data)]
    assert 0 < len(groups) - len(set(groups)) < len(groups) / 2


def test_the_script_makes_the_workbooks_that_are_shipped(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "make_samples.py")
    subprocess.run([sys.executable, script, str(tmp_path)], check=True)

    made = {path.name: path for path in tmp_path.iterdir()}
    assert sorted(made) == sorted(path.name for path in SAMPLES.iterdir())
    for name, path in made.items():
        # Not the bytes of the zip: each build of zlib compresses differently.
        assert members(path) == members(SAMPLES / name), f"run {script}: {name} differs"


def members(path: Path) -> list[tuple[str, tuple[int, ...], bytes]]:
    with zipfile.ZipFile(path) as file:
        return [(i.filename, i.date_time, file.read(i)) for i in file.infolist()]


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("size", [200, 1_000, 500_000, 1_000_003])
def test_rows_are_a_complete_document_of_the_requested_size(kind: str, size: int) -> None:
    body = whole(Rows(kind, size))
    assert len(body) == size
    assert body.endswith(b"\n")
    if kind == "json":
        ids = [row["id"] for row in json.loads(body)]
        likelihoods = [row["churnLikelihood"] for row in json.loads(body)]
    else:
        table = list(csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True))
        ids = [row["id"] for row in table]
        likelihoods = [float(row["churnLikelihood"]) for row in table]
    assert [int(number) for number in ids] == list(range(len(ids)))
    assert all(0 <= likelihood < 1 for likelihood in likelihoods)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_range_of_rows_is_a_slice_of_all_rows(kind: str) -> None:
    rows = Rows(kind, 1_000_003)
    body = whole(rows)
    block = body.index(b"%012d" % BLOCK_ROWS)
    edges = {0, 1, 2, 18, 19, block - 1, block, block + 1, 999_950, 1_000_002, 1_000_003}
    for start in edges:
        for stop in edges | {start + 1, start + 300_000}:
            assert b"".join(rows.chunks(start, min(stop, rows.size))) == body[start:stop]


def test_a_range_at_the_end_of_terabytes_is_made_at_once() -> None:
    rows = Rows("csv", 5 * 10**12)
    tail = b"".join(rows.chunks(rows.size - 100, rows.size))
    assert len(tail) == 100
    assert tail.endswith(b"0\n")


def test_chunks_are_small() -> None:
    assert max(map(len, Rows("json", 5_000_000).chunks(0, 5_000_000))) < 1_000_000


def test_another_first_row_gives_other_rows() -> None:
    one, other = Rows("csv", 10_000), Rows("csv", 10_000, first=BLOCK_ROWS)
    assert one.etag != other.etag
    assert not set(whole(one).splitlines()[1:]) & set(whole(other).splitlines()[1:])


def test_rows_refuse_a_size_without_room_for_a_row() -> None:
    with pytest.raises(ValueError, match="at least 41 bytes"):
        Rows("csv", 40)
    assert len(whole(Rows("csv", 41))) == 41
