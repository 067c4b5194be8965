"""`nostra://` through fsspec, with a sandbox as the service."""

from __future__ import annotations

import gc
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest

from nostra_cli.errors import AuthProblem, Corrupt, Failed, NotReady, UsageProblem
from nostra_cli.filesystem import NostraFileSystem
from nostra_cli.sandbox.server import Sandbox
from tests.conftest import LARGE_BYTES
from tests.faults.case import truth
from tests.sandbox.calling import faulty

CSV = "/api/invocation/demo-dedup/csv"
Files = Any  # fsspec has no types


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("NOSTRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NOSTRA_CONFIG", str(home / "config.toml"))
    yield
    NostraFileSystem.clear_instance_cache()


def files_of(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("NOSTRA_TOKEN", sandbox.token)
    sandbox.requests.clear()
    return fsspec.filesystem("nostra", base_url=sandbox.base_url)


@pytest.fixture
def files(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Files:
    return files_of(sandbox, monkeypatch)


def requested(sandbox: Sandbox) -> list[str]:
    found = [f"{r.path.rpartition('/')[2]} {r.headers.get('range', '-')}" for r in sandbox.requests]
    sandbox.requests.clear()
    return found


def test_a_result_is_read_with_two_requests(files: Files, sandbox: Sandbox) -> None:
    with files.open("nostra://demo-dedup.csv") as file:
        assert file.read() == truth(sandbox, "demo-dedup")
        assert file.size == len(truth(sandbox, "demo-dedup"))
    assert requested(sandbox)[:2] == ["demo-dedup -", "csv bytes=0-262143"]


def test_a_url_is_enough(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOSTRA_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("NOSTRA_TOKEN", sandbox.token)
    with fsspec.open("nostra://demo-dedup.csv", "rt") as file:
        assert file.readline() == "ID,Group\n"


def test_settings_come_from_the_profile(sandbox: Sandbox, home: Path) -> None:
    text = f'[profiles.test]\ntoken = "{sandbox.token}"\nbase_url = "{sandbox.base_url}"\n'
    (home / "config.toml").write_text(text)
    (home / "config.toml").chmod(0o644)
    files = fsspec.filesystem("nostra", profile="test")
    with pytest.warns(UserWarning, match="mode 0644"):
        assert files.exists("demo-dedup")
    with pytest.raises(UsageProblem, match="no profile 'other'"):
        fsspec.filesystem("nostra", profile="other").exists("demo-dedup")


def test_listing(files: Files, sandbox: Sandbox) -> None:
    [csv] = files.glob("nostra://demo-dedup/*.csv")
    names = files.ls("nostra://demo-dedup/", detail=False)
    assert [name.rpartition(".")[2] for name in names] == ["json", "csv", "xlsx"]
    assert names[1] == csv == f"demo-dedup/{csv.partition('/')[2]}"
    assert files.ls(csv, detail=False) == [csv]
    assert requested(sandbox) == ["demo-dedup -"]
    assert files.cat_file(csv) == truth(sandbox, "demo-dedup")


def test_info_of_a_file(files: Files, sandbox: Sandbox) -> None:
    found = files.info("nostra://demo-dedup.csv")
    assert files.info("demo-dedup.csv") == found
    assert requested(sandbox) == ["demo-dedup -", "csv bytes=0-0"]
    assert found.pop("ETag").startswith('"')
    assert found == {
        "name": "demo-dedup.csv",
        "size": len(truth(sandbox, "demo-dedup")),
        "type": "file",
        "invocation": "demo-dedup",
        "result": files.ls("demo-dedup")[0]["result"],
        "format": "csv",
        "primary": True,
    }
    folder = {"name": "demo-dedup", "size": 0, "type": "directory", "status": "completed"}
    assert files.info("demo-dedup") == folder
    sandbox.requests.clear()
    files.invalidate_cache()
    files.info("demo-dedup.csv")
    assert len(requested(sandbox)) == 2


def test_exists_isfile_and_isdir(files: Files, sandbox: Sandbox) -> None:
    paths = ["demo-dedup", "demo-dedup.csv", "demo-stuck", "nope", "nope.csv", "demo-dedup/x.csv"]
    assert [files.exists(path) for path in paths] == [True, True, True, False, False, False]
    assert [files.isfile(path) for path in paths] == [False, True, False, False, False, False]
    assert [files.isdir(path) for path in paths] == [True, False, True, False, False, False]
    assert all(line.endswith(" -") for line in requested(sandbox))


@pytest.mark.parametrize(
    ("path", "error", "reason"),
    [
        ("nope.csv", FileNotFoundError, "no invocation 'nope'"),
        ("demo-dedup/x.csv", FileNotFoundError, "has no result 'x' \\(it has: "),
        ("demo-dedup/x", FileNotFoundError, "a path is <invocation>"),
        ("a/b/c.csv", FileNotFoundError, "a path is <invocation>"),
        ("%FF.csv", FileNotFoundError, "a path is <invocation>"),
        ("%00.csv", FileNotFoundError, "a path is <invocation>"),
        ("demo-stuck.csv", NotReady, "still in progress"),
        ("demo-failed.csv", Failed, "ended in error"),
        ("demo-dedup", IsADirectoryError, "end it in .json, .csv or .xlsx"),
        ("", NotImplementedError, "no list of invocations"),
    ],
)
def test_an_unreadable_path_is_refused(
    files: Files, path: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        files.open(f"nostra://{path}").read()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("*.csv", NotImplementedError),
        ("demo-stuck/*.csv", NotReady),
        ("demo-failed/*", Failed),
    ],
)
def test_a_listing_that_fails_is_not_an_empty_one(
    files: Files, path: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        files.glob(f"nostra://{path}")


def test_invocations_cannot_be_listed(files: Files) -> None:
    with pytest.raises(NotImplementedError):
        files.ls("nostra://")


def test_a_key_needs_no_size(files: Files, sandbox: Sandbox) -> None:
    keys = {files.ukey(f"nostra://demo-dedup.{kind}") for kind in ("csv", "json")}
    assert (len(keys), requested(sandbox)) == (2, ["demo-dedup -"])


def test_it_is_read_only(files: Files) -> None:
    with pytest.raises(NotImplementedError, match="read-only"):
        files.open("demo-dedup.csv", "wb")


def test_ids_are_percent_encoded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = '[invocation."a/b c.csv"]\nresults = 2\nbytes = 300\n'
    with faulty(toml) as sandbox:
        files = files_of(sandbox, monkeypatch)
        for path in ("a%2Fb%20c%2Ecsv", "a%2Fb c%2Ecsv"):
            assert len(files.glob(f"nostra://{path}/*.csv")) == 2
            assert files.info(f"{path}.csv")["invocation"] == "a/b c.csv"
        assert not files.exists("a/b c.csv")


def test_a_workbook_is_read_from_its_end(files: Files) -> None:
    with files.open("demo-dedup.xlsx") as file, zipfile.ZipFile(file) as workbook:
        assert workbook.testzip() is None
        assert "xl/workbook.xml" in workbook.namelist()


def test_blocks_of_a_large_result(files: Files, sandbox: Sandbox) -> None:
    body = truth(sandbox, "demo-large")
    sandbox.requests.clear()
    starts = [0, 1_000_000, LARGE_BYTES - 5]
    stops = [10, 1_000_020, LARGE_BYTES]
    blocks = files.cat_ranges(["demo-large.csv"] * 3, starts, stops)
    assert blocks == [body[a:b] for a, b in zip(starts, stops, strict=True)]
    assert len(requested(sandbox)) == 5  # the status, the first block, a range for each
    with files.open("demo-large.csv", block_size=1 << 20) as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == body
    assert len(requested(sandbox)) == 3


@pytest.mark.parametrize("cache", ["none", "readahead", "bytes", "blockcache", "all", "first"])
def test_any_cache_of_fsspec_gives_the_same_bytes(
    files: Files, sandbox: Sandbox, cache: str
) -> None:
    body = truth(sandbox, "demo-large")
    with files.open("demo-large.csv", cache_type=cache, block_size=100_000) as file:
        for start in (0, 262_140, 2_000_000, 5, LARGE_BYTES - 9):
            file.seek(start)
            assert file.read(50_000) == body[start : start + 50_000]
        assert (file.seek(0), file.read(), file.read()) == (0, body, b"")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # fsspec leaves its file open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_blocks_are_kept_on_the_disk_by_blockcache(
    files: Files, sandbox: Sandbox, tmp_path: Path
) -> None:
    body = truth(sandbox, "demo-large")
    url, there, here = "blockcache::nostra://demo-large.csv", sandbox.base_url, str(tmp_path)
    options = {"nostra": {"base_url": there}, "blockcache": {"cache_storage": here}}
    for _ in range(2):
        with fsspec.open(url, **options) as file:
            file.seek(1_000_000)
            assert file.read(10) == body[1_000_000:1_000_010]
        found = requested(sandbox)
    assert [line for line in found if line.startswith("csv")] == []
    gc.collect()


def test_a_file_has_the_attributes_that_readers_of_workbooks_need(files: Files) -> None:
    with files.open("demo-dedup.xlsx") as file:
        assert (file.mode, file.name) == ("rb", "nostra://demo-dedup.xlsx")
        assert (file.readable(), file.seekable()) == (True, True)
    assert file.closed


def test_the_version_of_a_body_is_requested_once(files: Files, sandbox: Sandbox) -> None:
    size = files.size("demo-large.csv")
    requested(sandbox)
    with files.open("demo-large.csv") as file:
        assert file.size == size
        assert requested(sandbox) == []


def test_a_body_that_changes_while_it_is_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    toml = '[[fault]]\npath = "/api/invocation/demo-large/csv"\nchanging = true\n'
    with faulty(toml, large_bytes=LARGE_BYTES) as sandbox:
        files = files_of(sandbox, monkeypatch)
        with files.open("demo-large.csv") as file, pytest.raises(Corrupt, match="changed while"):
            file.read()
        with files.open("demo-large.csv", cache_type="none") as file:  # of the new version
            assert len(file.read(10)) == 10


@pytest.mark.parametrize("keys", ["ranges = false", "headers = { ETag = [], Last-Modified = [] }"])
def test_without_ranges_or_proof_the_body_is_read_once(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = f'[[fault]]\npath = "/api/invocation/demo-large/csv"\n{keys}\n'
    with faulty(toml, large_bytes=LARGE_BYTES) as sandbox:
        files = files_of(sandbox, monkeypatch)
        body = truth(sandbox, "demo-large")
        with files.open("demo-large.csv") as file:
            file.seek(-10, 2)
            assert file.read() == body[-10:]
            assert (file.seek(0), file.read(20)) == (0, body[:20])
            assert file.size == len(body)


def test_threads_share_an_instance(files: Files, sandbox: Sandbox) -> None:
    body = truth(sandbox, "demo-large")

    def block(start: int) -> bytes:
        data: bytes = files.cat_file("demo-large.csv", start, start + 50_000)
        return data

    starts = range(0, LARGE_BYTES, 300_000)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(block, starts)) == [body[s : s + 50_000] for s in starts]


def test_a_server_without_ranges_gets_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty(f'[[fault]]\npath = "{CSV}"\nranges = false\nframing = "chunked"\n') as sandbox:
        files = files_of(sandbox, monkeypatch)
        with files.open("demo-dedup.csv") as file:
            file.seek(100)
            assert file.read(50) == truth(sandbox, "demo-dedup")[100:150]
            file.seek(0)
            assert file.readline() == b"ID,Group\n"
        assert [line for line in requested(sandbox) if line.startswith("csv bytes")] == [
            "csv bytes=0-262143"
        ]
        assert files.info("demo-dedup.csv")["size"] is None


def test_a_failure_for_a_while_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty('[[fault]]\npath = "*"\nstatus = 503\ntimes = 1\nretry_after = 0\n') as sandbox:
        assert files_of(sandbox, monkeypatch).cat_file("demo-dedup.csv")[:3] == b"ID,"


def test_a_refused_token_is_an_error_that_does_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    toml = '[[fault]]\npath = "*"\nstatus = 401\ndetail = "bad s3cr3t-t0ken \\u001b[31m"\n'
    with faulty(toml) as sandbox:
        files = files_of(sandbox, monkeypatch)
        monkeypatch.setenv("NOSTRA_TOKEN", "s3cr3t-t0ken")
        for ask in (files.exists, files.ls, files.info, files.open, files.isfile):
            with pytest.raises(AuthProblem) as raised:
                ask("demo-dedup.csv")
            assert "401: bad *** " in str(raised.value)
            assert "\x1b" not in str(raised.value)
            assert raised.value.__notes__ == [raised.value.hint]
            copy = pickle.loads(pickle.dumps(raised.value))
            assert (str(copy), copy.hint) == (str(raised.value), raised.value.hint)


def test_a_missing_token_is_an_error() -> None:
    with pytest.raises(AuthProblem, match="no token"):
        fsspec.filesystem("nostra").exists("demo-dedup")


def test_the_token_is_not_taken_as_an_option() -> None:
    with pytest.raises(TypeError, match="NOSTRA_TOKEN"):
        fsspec.filesystem("nostra", token="s3cr3t-t0ken")


def test_the_token_is_not_pickled(files: Files, sandbox: Sandbox) -> None:
    opened = fsspec.open("nostra://demo-dedup.csv", base_url=sandbox.base_url)
    files.cat_file("demo-dedup.csv")
    for thing in (files, opened):
        pickled = pickle.dumps(thing)
        assert sandbox.token.encode() not in pickled
        assert sandbox.token not in repr(thing)
    assert sandbox.token not in repr(vars(files))  # as a traceback with its variables shows it
    assert sandbox.token not in files.to_json()
    read = "import pickle, sys; print(pickle.load(sys.stdin.buffer).cat_file('demo-dedup.csv'))"
    done = subprocess.run(
        [sys.executable, "-c", read], input=pickle.dumps(files), capture_output=True, check=True
    )
    assert done.stdout.startswith(b"b'ID,Group\\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_makes_its_own_connections(files: Files, sandbox: Sandbox) -> None:
    files.cat_file("demo-dedup.csv")
    transport = files._connected().service
    child = os.fork()
    if child == 0:
        try:
            fine = files.cat_file("demo-dedup.csv")[:3] == b"ID,"
            os._exit(0 if fine and files._connected().service is not transport else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert files._connected().service is transport


def test_text_and_buffers(files: Files) -> None:
    with files.open("demo-dedup.csv") as file:
        assert isinstance(file, io.BufferedReader)
        text = io.TextIOWrapper(file, newline="")
        assert text.readline() == "ID,Group\n"
        assert sum(1 for _ in text) == 300
