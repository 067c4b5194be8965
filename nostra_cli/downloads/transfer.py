"""One planned item to its place: a file that appears when it is whole, or stdout."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item, OnExisting, check_target
from nostra_cli.downloads.sinks import store
from nostra_cli.downloads.sinks.file import Part
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.downloads.sinks.stdout import StdoutSink, Writer
from nostra_cli.downloads.sinks.upload import Upload
from nostra_cli.downloads.stream import (
    Meter,
    StreamOptions,
    not_as_promised,
    stream_body,
)
from nostra_cli.downloads.target import Remote, Target
from nostra_cli.downloads.verify import level as verify
from nostra_cli.errors import Corrupt, KeptPart, add_kept, file_errors
from nostra_cli.http.timeouts import ORDINARY_SPEED, LowSpeed
from nostra_cli.models import Format


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How to transfer."""

    existing: OnExisting = OnExisting.REFUSE
    level: verify.Level = verify.Level.AUTO
    resume: bool = True
    hashing: bool = False
    checksums: bool = False
    low_speed: LowSpeed = ORDINARY_SPEED

    @property
    def stream(self) -> StreamOptions:
        """How to read the body."""
        return StreamOptions(self.level, self.hashing, self.low_speed)


@dataclass(frozen=True, slots=True)
class Done:
    """A finished item; `bytes` is its size, `seconds` what it took."""

    item: Item
    status: str
    bytes: int
    seconds: float
    resumed: bool = False
    sha256: str | None = None


def download(
    service: Service, item: Item, manner: DownloadOptions, meter: Meter, stdout: Writer
) -> Done:
    """Transfer one item to its file, or to `stdout` where it has none.

    Raises FileProblem, Corrupt, or what `stream_body` raises; the target then is as it was before.
    """
    began = time.monotonic()
    if item.path is None:
        sink = StdoutSink(stdout)
        stream_body(service, item, sink, meter, manner.stream)
        return Done(item, "downloaded", sink.size, time.monotonic() - began)
    if occupied(item.path, manner.existing):
        return _skipped(item, item.path, manner)
    if isinstance(item.path, Remote):
        return _to_store(service, item, item.path, manner, meter, began)
    return _to_file(service, item, item.path, manner, meter, began)


def occupied(target: Target, existing: OnExisting) -> bool:
    """Check a target before it is made; True means: leave it, it is there.

    Raises FileProblem for what must stay as it is.
    """
    if isinstance(target, Remote):
        return store.occupied(target, existing)
    return check_target(target, existing)


def _skipped(item: Item, path: Target, manner: DownloadOptions) -> Done:
    if isinstance(path, Remote):  # its hash would cost as much as the object
        return Done(item, "skipped", store.size_of(path), 0.0)
    with file_errors(path), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest() if manner.hashing else None
        return Done(item, "skipped", os.fstat(file.fileno()).st_size, 0.0, sha256=sha256)


def _to_file(
    service: Service, item: Item, path: Path, manner: DownloadOptions, meter: Meter, began: float
) -> Done:
    part = Part(path, resume=manner.resume)
    try:
        streamed = stream_body(service, item, part, meter, manner.stream)
        with part.reader() as file:
            _check_file(item, manner.level, file, part.size)
        part.publish(replace=manner.existing is OnExisting.OVERWRITE)
    except BaseException as error:
        # What is whole but wrong would, continued, be wrong again.
        if part.close(keep=not isinstance(error, Corrupt)):
            add_kept(error, [KeptPart(str(path), part.size)])
        raise
    part.close(keep=False)
    seconds = time.monotonic() - began
    return Done(item, "downloaded", part.size, seconds, streamed.resumed, streamed.sha256)


def _to_store(
    service: Service,
    item: Item,
    target: Remote,
    manner: DownloadOptions,
    meter: Meter,
    began: float,
) -> Done:
    upload = Upload(target)
    spool = Spool()
    # A workbook is verified from its end: it cannot go anywhere before it is all there.
    whole_first = item.format is Format.XLSX and manner.level is not verify.Level.OFF
    sink = spool if whole_first else upload
    try:
        streamed = stream_body(service, item, sink, meter, manner.stream)
        if whole_first and spool.version is not None:
            _check_file(item, manner.level, spool.file, spool.size)
            upload.restart(spool.version)
            for block in spool.blocks():
                upload.write(block)
        upload.publish(replace=manner.existing is OnExisting.OVERWRITE)
    except BaseException:
        upload.drop()
        raise
    finally:
        spool.close()
    seconds = time.monotonic() - began
    return Done(item, "downloaded", upload.size, seconds, streamed.resumed, streamed.sha256)


def _check_file(item: Item, level: verify.Level, file: IO[bytes], size: int) -> None:
    try:
        verify.check_file(item.format, level, file, size)
    except ValueError as error:
        raise not_as_promised(item, error, level) from error
