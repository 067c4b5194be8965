"""Uploads into stores that fsspec itself has: visible when complete, or not at all."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks import store
from nostra_cli.downloads.sinks.store import Upload, abort_all, note_leftovers
from nostra_cli.downloads.stores import check_object, open_store, reason, size_of, store_errors
from nostra_cli.downloads.target import OnExisting, StoreUrl
from nostra_cli.errors import ExitCode, FileProblem, Signalled, UsageProblem

VERSION = BodyVersion("https://service.example/x", '"v1"', None, 10)


@pytest.fixture(autouse=True)
def _own_hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore what is changed to keep drivers off stderr."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with warnings.catch_warnings():
        yield


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreUrl]:
    """Yield an empty folder of a store."""
    url = f"memory://{tmp_path.name}" if request.param == "memory" else tmp_path.as_uri()
    yield StoreUrl(url)
    memory = fsspec.filesystem("memory")
    memory.store.clear()


def content(folder: StoreUrl) -> dict[str, bytes]:
    store, path = fsspec.core.url_to_fs(folder.url)
    found = store.find(path) if store.exists(path) else []
    return {name.rpartition("/")[2]: store.cat_file(name) for name in found}


def begun(target: StoreUrl, data: bytes = b"whole") -> Upload:
    upload = Upload(target)
    upload.restart(VERSION)
    upload.write(memoryview(data))
    return upload


def end(upload: Upload) -> list[str]:
    """End an upload with an error; return the notes that the error got."""
    error = FileProblem("no")
    upload.__exit__(FileProblem, error, None)
    return list(getattr(error, "__notes__", ()))


def test_of_what_python_ignores_only_a_signal_is_reported(folder: StoreUrl) -> None:
    reported: list[object] = []
    sys.unraisablehook = lambda raised: reported.append(raised.exc_value)
    for _ in range(2_000):  # more than functions may be nested
        open_store(folder)
    signal = Signalled(ExitCode.INTERRUPT)

    def finalize(error: BaseException) -> None:
        def fail(_reference: object) -> None:
            raise error

        finalized = set[str]()
        _kept = weakref.ref(finalized, fail)
        del finalized

    finalize(ValueError("gone"))
    finalize(signal)
    assert reported == [signal]


def test_an_object_is_invisible_until_it_is_published(folder: StoreUrl) -> None:
    upload = begun(folder / "x.csv")
    assert "x.csv" not in content(folder)
    upload.publish(replace=False)
    assert content(folder) == {"x.csv": b"whole"}
    end(upload)
    assert content(folder) == {"x.csv": b"whole"}


def test_what_is_dropped_leaves_nothing(folder: StoreUrl) -> None:
    assert end(begun(folder / "x.csv")) == []
    assert content(folder) == {}


def test_a_second_body_takes_the_place_of_the_first(folder: StoreUrl) -> None:
    upload = begun(folder / "x.csv", b"first")
    upload.restart(VERSION)
    upload.write(b"second")
    upload.publish(replace=False)
    assert (content(folder), upload.size) == ({"x.csv": b"second"}, 6)


def test_an_object_that_came_meanwhile_stays(folder: StoreUrl) -> None:
    upload, other = begun(folder / "x.csv"), begun(folder / "x.csv", b"other")
    other.publish(replace=False)
    with pytest.raises(FileProblem, match="exists"):
        upload.publish(replace=False)
    end(upload)
    assert content(folder) == {"x.csv": b"other"}


def test_an_object_is_replaced_with_overwrite(folder: StoreUrl) -> None:
    begun(folder / "x.csv", b"old").publish(replace=False)
    begun(folder / "x.csv").publish(replace=True)
    assert content(folder) == {"x.csv": b"whole"}


def test_what_is_there(folder: StoreUrl) -> None:
    target = folder / "x.csv"
    assert not check_object(target, OnExisting.REFUSE)
    begun(target).publish(replace=False)
    assert check_object(target, OnExisting.SKIP)
    assert not check_object(target, OnExisting.OVERWRITE)
    assert size_of(target) == 5
    with pytest.raises(FileProblem, match="already exists"):
        check_object(target, OnExisting.REFUSE)


def test_aborted_uploads_stop_and_are_removed(folder: StoreUrl) -> None:
    mine = [begun(folder / f"{number}.csv") for number in range(3)]
    abort_all()
    for upload in mine:
        with pytest.raises(FileProblem, match="aborted"):
            upload.write(b"x")
        with pytest.raises(FileProblem, match="aborted"):
            upload.publish(replace=True)
    error = FileProblem("no")
    note_leftovers(error)
    assert len(error.__notes__) == 3
    for upload in mine:
        assert end(upload) == []
    assert content(folder) == {}


def test_a_store_that_hangs_does_not_delay_the_end_and_leftovers_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(StoreUrl(tmp_path.as_uri()) / "x.csv")
    answers = threading.Event()
    monkeypatch.setattr(store, "_DISCARD_SECONDS", 0.05)
    monkeypatch.setattr(upload, "_remove_upload", lambda _file: answers.wait(20))
    [note] = end(upload)
    answers.set()
    [left] = tmp_path.iterdir()
    assert note == f"remove what is left in the store: {left.as_uri()}"
    monkeypatch.undo()
    assert end(upload) == []


@pytest.mark.usefixtures("no_threads")
def test_without_another_thread_the_leftover_is_named(tmp_path: Path) -> None:
    upload = begun(StoreUrl(tmp_path.as_uri()) / "x.csv")
    abort_all()
    [note] = end(upload)
    [left] = tmp_path.iterdir()
    assert note == f"remove what is left in the store: {left.as_uri()}"


@pytest.mark.parametrize("spooled", [False, True])
def test_a_spooled_body_is_sent_when_it_is_published(folder: StoreUrl, spooled: bool) -> None:
    upload = Upload(folder / "x.xlsx", spooled)
    upload.restart(VERSION)
    upload.write(b"whole")
    file = upload.reader()
    assert (file is not None) == spooled
    if file is not None:
        file.seek(0)
        assert file.read() == b"whole"
    upload.publish(replace=False)
    assert content(folder) == {"x.xlsx": b"whole"}


def test_logs_and_warnings_of_drivers_do_not_reach_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    with warnings.catch_warnings():
        open_store(StoreUrl("memory://x"))
        logging.getLogger("driver.transport").error("Traceback (most recent call last):")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert capsys.readouterr().err == ""


def test_a_missing_folder_is_the_stores_error(tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as raised:
        begun(StoreUrl((tmp_path / "missing").as_uri()) / "x.csv")
    assert raised.value.message.endswith("No such file or directory")


@pytest.mark.parametrize(
    ("url", "hint"), [("gs://b/x", "pip install gcsfs"), ("foo://b/x", "check the URL")]
)
def test_a_store_that_cannot_be_had(url: str, hint: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        open_store(StoreUrl(url))
    assert raised.value.hint == hint


def test_a_missing_feature_of_a_driver_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gcsfs.py").write_text("import anyio_or_so\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageProblem, match="cannot be loaded: No module named 'anyio_or_so'"):
        open_store(StoreUrl("gs://b/x"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no\nkey"), "no key"),
        (OSError(5, "broken"), "broken"),
        (KeyError("x"), "'x'"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_whatever_a_driver_raises_is_a_file_problem(error: Exception, reason: str) -> None:
    with pytest.raises(FileProblem) as raised, store_errors("cannot write x"):
        raise error
    assert raised.value.message == f"cannot write x: {reason}"
    with pytest.raises(UsageProblem), store_errors("x"):
        raise UsageProblem("mine")


def test_secrets_are_not_in_a_reason() -> None:
    env = {"AWS_SECRET_ACCESS_KEY": "s3cr3t-s3cr3t", "FSSPEC_KEY": "short", "HOME": "/somewhere"}
    error = ValueError("s3cr3t-s3cr3t short /somewhere https://me:pw@host/x?sig=abc 'y?z'")
    assert reason(error, env) == "*** short /somewhere https://host/x?*** 'y?***'"
    assert len(reason(ValueError("x" * 999), {})) == 200
