"""Uploads into stores that fsspec has of itself: seen when whole, or not at all."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from nostra_cli.downloads.plan import OnExisting
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks import upload as uploads
from nostra_cli.downloads.sinks.store import occupied, reason, size_of, store_errors, store_of
from nostra_cli.downloads.sinks.upload import Upload
from nostra_cli.downloads.target import Remote
from nostra_cli.errors import FileProblem, UsageProblem

VERSION = BodyVersion("https://service.example/x", '"v1"', None, 10)


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Remote]:
    """Give an empty folder of a store."""
    url = f"memory://{tmp_path.name}" if request.param == "memory" else tmp_path.as_uri()
    yield Remote(url)
    memory = fsspec.filesystem("memory")
    memory.store.clear()


def content(folder: Remote) -> dict[str, bytes]:
    store, path = fsspec.core.url_to_fs(folder.url)
    found = store.find(path) if store.exists(path) else []
    return {name.rpartition("/")[2]: store.cat_file(name) for name in found}


def begun(target: Remote, data: bytes = b"whole") -> Upload:
    upload = Upload(target)
    upload.restart(VERSION)
    upload.write(memoryview(data))
    return upload


def test_nothing_is_seen_before_it_is_published(folder: Remote) -> None:
    upload = begun(folder / "x.csv")
    assert "x.csv" not in content(folder)
    upload.publish(replace=False)
    assert content(folder) == {"x.csv": b"whole"}
    upload.drop()
    assert content(folder) == {"x.csv": b"whole"}


def test_what_is_dropped_leaves_nothing(folder: Remote) -> None:
    begun(folder / "x.csv").drop()
    assert content(folder) == {}


def test_a_second_body_takes_the_place_of_the_first(folder: Remote) -> None:
    upload = begun(folder / "x.csv", b"first")
    upload.restart(VERSION)
    upload.write(b"second")
    upload.publish(replace=False)
    assert (content(folder), upload.size) == ({"x.csv": b"second"}, 6)


def test_an_object_that_came_meanwhile_stays(folder: Remote) -> None:
    upload, other = begun(folder / "x.csv"), begun(folder / "x.csv", b"other")
    other.publish(replace=False)
    with pytest.raises(FileProblem, match="exists"):
        upload.publish(replace=False)
    upload.drop()
    assert content(folder) == {"x.csv": b"other"}


def test_an_object_is_replaced_when_told(folder: Remote) -> None:
    begun(folder / "x.csv", b"old").publish(replace=False)
    begun(folder / "x.csv").publish(replace=True)
    assert content(folder) == {"x.csv": b"whole"}


def test_what_is_there(folder: Remote) -> None:
    target = folder / "x.csv"
    assert not occupied(target, OnExisting.REFUSE)
    begun(target).publish(replace=False)
    assert occupied(target, OnExisting.SKIP)
    assert not occupied(target, OnExisting.OVERWRITE)
    assert size_of(target) == 5
    with pytest.raises(FileProblem, match="exists and stays"):
        occupied(target, OnExisting.REFUSE)


def test_given_up_uploads_are_gone_and_do_not_go_on(folder: Remote) -> None:
    mine = [begun(folder / f"{number}.csv") for number in range(3)]
    uploads.drop_all()
    assert content(folder) == {}
    for upload in mine:
        with pytest.raises(FileProblem, match="given up"):
            upload.write(b"x")
        with pytest.raises(FileProblem, match="given up"):
            upload.publish(replace=True)


def test_a_store_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(Remote(tmp_path.as_uri()) / "x.csv")
    done = threading.Event()
    monkeypatch.setattr(uploads, "_PATIENCE", 0.05)
    monkeypatch.setattr(upload, "discard", lambda: done.wait(20))
    upload.drop()
    done.set()
    monkeypatch.undo()
    upload.drop()


def test_a_missing_folder_is_the_stores_error(tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as raised:
        begun(Remote((tmp_path / "missing").as_uri()) / "x.csv")
    assert raised.value.message.endswith("No such file or directory")


@pytest.mark.parametrize(
    ("url", "hint"), [("gs://b/x", "pip install gcsfs"), ("foo://b/x", "check the URL")]
)
def test_a_store_that_cannot_be_had(url: str, hint: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        store_of(Remote(url))
    assert raised.value.hint == hint


def test_a_driver_that_lacks_something_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gcsfs.py").write_text("import anyio_or_so\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageProblem, match="cannot be loaded: No module named 'anyio_or_so'"):
        store_of(Remote("gs://b/x"))


def test_a_driver_may_use_what_nostra_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anyio", None)
    store_of(Remote("memory://x"))
    assert "anyio" not in sys.modules


def test_whatever_a_driver_raises_is_a_file_problem() -> None:
    for error in (ValueError("no\nkey"), OSError(5, "broken"), KeyError("x"), RuntimeError()):
        with pytest.raises(FileProblem) as raised, store_errors("cannot write x"):
            raise error
        assert raised.value.message in (
            "cannot write x: no key",
            "cannot write x: broken",
            "cannot write x: 'x'",
            "cannot write x: RuntimeError",
        )
    with pytest.raises(UsageProblem), store_errors("x"):
        raise UsageProblem("mine")


def test_secrets_are_not_in_a_reason() -> None:
    env = {"AWS_SECRET_ACCESS_KEY": "s3cr3t-s3cr3t", "FSSPEC_KEY": "short", "HOME": "/somewhere"}
    error = ValueError("s3cr3t-s3cr3t short /somewhere https://me:pw@host/x?sig=abc 'y?z'")
    assert reason(error, env) == "*** short /somewhere https://host/x?*** 'y?***'"
    assert len(reason(ValueError("x" * 999), {})) == 200
