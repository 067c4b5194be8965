"""`nostra download`: resume, checksums, and partial files."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.running import Runner
from tests.sandbox.calling import faulty

LARGE = 400_000
CUT_FOR_GOOD = (
    "".join(
        f'[[fault]]\npath = "*/csv"\ntimes = 1\ncut_after = {size}\n' for size in (100_000, 150_000)
    )
    + '[[fault]]\npath = "*/csv"\ntimes = 1\nstatus = 400\n'
)


def ranges(sandbox: Sandbox) -> list[str | None]:
    """Return the Range header of each request for a body."""
    bodies = [request for request in sandbox.requests if request.path.endswith("/csv")]
    return [request.headers.get("range") for request in bodies]


def test_a_cut_body_is_continued_in_the_same_run(home: Path, tmp_path: Path) -> None:
    cut = '[[fault]]\npath = "*/csv"\ntimes = 1\ncut_after = 100000\n'
    with faulty(cut, large_bytes=LARGE) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        [entry] = nostra("download", "demo-large", "-f", "csv", "--json").json()
    assert ranges(sandbox) == [None, "bytes=100000-"]
    content = (tmp_path / "demo-large.csv").read_bytes()
    assert (entry["resumed"], entry["bytes"]) == (True, LARGE)
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert nostra.files() == ["demo-large.csv"]


@pytest.mark.parametrize(("args", "expected"), [([], "bytes=250000-"), (["--no-resume"], None)])
def test_a_later_run_resumes_unless_no_resume_is_given(
    home: Path, tmp_path: Path, args: list[str], expected: str | None
) -> None:
    with faulty(CUT_FOR_GOOD, large_bytes=LARGE) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "demo-large", "-f", "csv")
        assert ended.code == 6
        assert "of demo-large.csv; the same command resumes" in ended.err
        assert nostra.files() == [".demo-large.csv.part", ".demo-large.csv.part.json"]
        note = json.loads((tmp_path / ".demo-large.csv.part.json").read_text())
        assert sandbox.token not in str(note)
        ended = nostra("download", "demo-large", "-f", "csv", *args)
    assert (ended.code, ended.out) == (0, "demo-large.csv\n")
    assert ranges(sandbox)[-1] == expected
    assert nostra.files() == ["demo-large.csv"]
    assert (tmp_path / "demo-large.csv").stat().st_size == LARGE


def test_a_part_without_a_validator_is_not_kept(home: Path, tmp_path: Path) -> None:
    bare = 'headers = { ETag = [], "Last-Modified" = [] }\n'
    rules = CUT_FOR_GOOD.replace("cut_after", f"{bare}cut_after")
    with faulty(rules, large_bytes=LARGE) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "demo-large", "-f", "csv")
    assert (ended.code, nostra.files()) == (6, [])
    assert ranges(sandbox) == [None, None, None]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_checksums_are_what_sha256sum_reads(nostra: Runner) -> None:
    (nostra.cwd / "out").mkdir()
    nostra("download", "demo-dedup", "-f", "csv", "-d", "out", "--checksums")
    ended = nostra(
        "download", "demo-dedup", "-f", "all", "-d", "out", "--checksums", "--skip-existing"
    )
    assert ended.code == 0
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=nostra.cwd / "out",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "demo-dedup.json: OK\ndemo-dedup.csv: OK\ndemo-dedup.xlsx: OK\n"


def test_checksums_keep_the_lines_of_others(nostra: Runner) -> None:
    others = f"{'0' * 64}  other.csv\n"
    (nostra.cwd / "SHA256SUMS").write_text(others)
    nostra("download", "demo-dedup", "-f", "csv", "-o", "a\nb.csv", "--checksums")
    lines = (nostra.cwd / "SHA256SUMS").read_text().splitlines()
    assert lines[0] + "\n" == others
    assert lines[1].startswith("\\")
    assert lines[1].endswith("  a\\nb.csv")
    assert nostra("download", "demo-dedup", "-o", "-", "--checksums").code == 2


def test_the_rest_of_a_killed_publication_is_removed(nostra: Runner) -> None:
    target, part = nostra.cwd / "demo-dedup.csv", nostra.cwd / ".demo-dedup.csv.part"
    target.write_text("whole")
    part.hardlink_to(target)
    (nostra.cwd / ".demo-dedup.csv.part.json").write_text("{}")
    assert nostra("download", "demo-dedup", "-f", "csv").code == 8
    assert nostra.files() == ["demo-dedup.csv"]
    assert target.read_text() == "whole"
