"""Transfer one planned item to its target."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass

from nostra_cli.api.client import Service
from nostra_cli.downloads.checks import check_target
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.sinks.file import Part
from nostra_cli.downloads.sinks.protocol import TargetSink
from nostra_cli.downloads.sinks.stdout import StdoutSink, Writer
from nostra_cli.downloads.sinks.store import Upload
from nostra_cli.downloads.stores import size_of
from nostra_cli.downloads.stream import Meter, StreamOptions, not_as_promised, stream_body
from nostra_cli.downloads.target import OnExisting, StoreUrl, Target
from nostra_cli.downloads.verify import level as verify
from nostra_cli.errors import file_errors


@dataclass(frozen=True, slots=True)
class DownloadOptions(StreamOptions):
    """How to transfer: the options of the stream, and of the target."""

    existing: OnExisting = OnExisting.REFUSE
    resume: bool = True
    checksums: bool = False


@dataclass(frozen=True, slots=True)
class TransferResult:
    """A finished item: `status` is `downloaded` or `skipped`, `bytes` its size."""

    item: Item
    status: str
    bytes: int
    seconds: float
    resumed: bool = False
    sha256: str | None = None


def download(
    service: Service, item: Item, options: DownloadOptions, meter: Meter, stdout: Writer
) -> TransferResult:
    """Transfer one item to its target, or to `stdout` if it has none.

    Raises FileProblem, Corrupt, or what `stream_body` raises; the target is then unchanged.
    """
    started = time.monotonic()
    if item.path is not None and check_target(item.path, options.existing):
        return _skipped(item, item.path, options)
    with _open_sink(item, options, stdout) as sink:
        stream = stream_body(service, item, sink, meter, options)
        _check_complete(item, options.level, sink)
        sink.publish(replace=options.existing is OnExisting.OVERWRITE)
    seconds = time.monotonic() - started
    return TransferResult(item, "downloaded", sink.size, seconds, stream.resumed, stream.sha256)


def _open_sink(item: Item, options: DownloadOptions, stdout: Writer) -> TargetSink:
    if item.path is None:
        return StdoutSink(stdout)
    if isinstance(item.path, StoreUrl):
        return Upload(item.path, spooled=verify.is_checked_at_end(item.format, options.level))
    return Part(item.path, options.resume)


def _skipped(item: Item, path: Target, options: DownloadOptions) -> TransferResult:
    if isinstance(path, StoreUrl):  # its hash would cost as much as the object
        return TransferResult(item, "skipped", size_of(path), 0.0)
    with file_errors(path), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest() if options.hashing else None
        size = os.fstat(file.fileno()).st_size
    return TransferResult(item, "skipped", size, 0.0, sha256=sha256)


def _check_complete(item: Item, level: verify.Level, sink: TargetSink) -> None:
    if (file := sink.reader()) is not None:
        try:
            verify.check_file(item.format, level, file, sink.size)
        except ValueError as error:
            raise not_as_promised(item, error, level) from error
