"""Preview a result of the service.

The first rows cost one request for the start of the body; the connection is closed as soon as they
have arrived. Statistics and workbooks need the complete body: it goes into a temporary file, with
the retries and the resume of `download`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Destination, Item, Selection, choose
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.downloads.stream import NoMeter, StopStream, StreamOptions, stream_body
from nostra_cli.downloads.verify.level import Level
from nostra_cli.errors import (
    AuthProblem,
    NostraError,
    NotFound,
    UsageProblem,
    file_errors,
)
from nostra_cli.http.timeouts import LowSpeed
from nostra_cli.models import Format, Piece, Result
from nostra_cli.preview.complete import check_extra, preview_complete, temporary_folder
from nostra_cli.preview.first_rows import (
    FirstRows,
    Preview,
    PreviewOptions,
    Source,
    malformed,
    preview_of,
)
from nostra_cli.units import show_size

if TYPE_CHECKING:
    from nostra_cli.downloads.batch import Progress

HEAD_BYTES = 960 * 1024
MAX_XLSX_BYTES = 64 << 20
_ORDER = (Format.CSV, Format.JSON, Format.XLSX)


def preview_result(
    service: Service,
    invocation: str,
    result: str | None,
    options: PreviewOptions,
    low_speed: LowSpeed,
    progress: Progress,
) -> Preview:
    """Preview a result; None is the primary one.

    The status is requested only if the first format is missing. Raises NotFound, Failed, NotReady,
    Corrupt or the error of a refusal.
    """
    format_ = options.format or _ORDER[0]
    chosen = Result(result or "", result is None, "", frozenset())
    item = Item(invocation, chosen, format_, None, result is not None)
    try:
        return _preview(service, item, options, low_speed, progress)
    except NotFound as missing:
        item = _choose_by_status(service, item, options.format, missing)
        return _preview(service, item, options, low_speed, progress)


def _choose_by_status(
    service: Service, item: Item, format: Format | None, missing: NotFound
) -> Item:
    """Return the first available format; raises the error that the status shows, else `missing`."""
    selection = Selection(
        (format,) if format is not None else (),
        every_format=format is None,
        results=(item.result.id,) if item.by_id else (),
    )
    items = choose(service.invocation(item.invocation), selection, Destination(stdout=True))
    for found in items:
        if isinstance(found, NostraError):
            raise found
    first = min((i for i in items if isinstance(i, Item)), key=lambda i: _ORDER.index(i.format))
    if first.format is item.format:
        raise missing
    return first


def _preview(
    service: Service, item: Item, options: PreviewOptions, low_speed: LowSpeed, progress: Progress
) -> Preview:
    check_extra(item.format, options)
    if options.stats or item.format is Format.XLSX:
        return _preview_complete(service, item, options, low_speed, progress)
    return _preview_head(service, item, options, low_speed)


def _source(item: Item) -> Source:
    return Source(item.format, item.invocation, item.result.id or None)


def _download_hint(item: Item) -> str:
    which = f" -r {item.result.id}" if item.by_id else ""
    return f"nostra download {item.invocation}{which} -f {item.format}"


def _inspect_hint(item: Item) -> str:
    return f"{_download_hint(item)} --verify off"


class _Head(Sink):
    """A sink for the start of a body, until its first rows are complete."""

    def __init__(self, item: Item, options: PreviewOptions) -> None:
        self.size = 0
        self.version: BodyVersion | None = None
        self._item = item
        self._options = options
        self.first = FirstRows(item.format, options.rows, HEAD_BYTES)

    def restart(self, version: BodyVersion) -> None:
        """Begin again with a body of this version."""
        self.size = 0
        self.version = version
        self.first = FirstRows(self._item.format, self._options.rows, HEAD_BYTES)

    def write(self, data: Piece) -> None:
        """Read the next bytes; raises StopStream once that is enough, and Corrupt."""
        with malformed(self._item.label, _inspect_hint(self._item)):
            enough = self.first.feed(data)
        self.size += len(data)
        if enough:
            raise StopStream


def _preview_head(
    service: Service, item: Item, options: PreviewOptions, low_speed: LowSpeed
) -> Preview:
    """Request the first bytes."""
    sink = _Head(item, options)
    stream_options = StreamOptions(Level.OFF, low_speed=low_speed)
    stream_body(service, item, sink, NoMeter(), stream_options, stop=HEAD_BYTES)
    first, size = sink.first, sink.version.length if sink.version else None
    ended = first.bytes_read < HEAD_BYTES if size is None else first.bytes_read >= size
    if ended and not first.enough:
        with malformed(item.label, _inspect_hint(item)):
            first.finish()
    warnings = () if first.enough or first.at_end else (_too_few_rows(first, item, options),)
    return preview_of(_source(item), size, first, options, warnings=warnings)


def _too_few_rows(first: FirstRows, item: Item, options: PreviewOptions) -> str:
    limit = show_size(first.bytes_read)
    if not first.rows and options.rows:
        message = f"{item.label}: the first row is longer than {limit}"
        raise UsageProblem(message, _download_hint(item))
    return f"{item.label}: the first {limit} hold only {len(first.rows)} rows"


class _LimitedSpool(Spool):
    """A spool of at most `limit` bytes."""

    def __init__(self, file: IO[bytes], limit: int, too_large: UsageProblem) -> None:
        super().__init__(file)
        self._limit = limit
        self._too_large = too_large

    def restart(self, version: BodyVersion) -> None:
        """Begin again with a body of this version; raises `too_large`."""
        self._check_size(version.length or 0)
        super().restart(version)

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem and `too_large`."""
        self._check_size(self.size + len(data))
        super().write(data)

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            raise self._too_large


def _preview_complete(
    service: Service, item: Item, options: PreviewOptions, low_speed: LowSpeed, progress: Progress
) -> Preview:
    too_large = UsageProblem(
        f"{item.label}: the workbook is larger than {show_size(MAX_XLSX_BYTES)}",
        _download_hint(item),
    )
    with temporary_folder() as folder:
        path = folder / "body"
        with file_errors(path), path.open("w+b") as file:
            xlsx = item.format is Format.XLSX
            sink = _LimitedSpool(file, MAX_XLSX_BYTES, too_large) if xlsx else Spool(file)
            with progress(1) as metering, metering(item.label) as meter:
                stream_options = StreamOptions(Level.OFF, low_speed=low_speed)
                stream_body(service, item, sink, meter, stream_options)
        with malformed(item.label, _inspect_hint(item)):
            return preview_complete(path, _source(item), options, sink.size, folder)


@contextmanager
def suggest_file(name: str) -> Iterator[None]:
    """Suggest the local file `name` in the hint of an error of the block."""
    try:
        yield
    except (NotFound, AuthProblem) as error:
        if os.path.isfile(name):  # noqa: PTH113 - False if the name is too long
            error.hint = f"for the file of that name: nostra preview ./{name}"
        raise
