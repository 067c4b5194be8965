"""A look at a result of the service.

The first rows cost one request for the beginning of the body, and the connection is dropped as
soon as they are there. Statistics read the body once, a workbook is kept in a temporary file: both
are fetched as `download` fetches, with its retries and its resume.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Destination, Item, Selection, choose
from nostra_cli.downloads.resume import version_of
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.stream import StreamOptions, stream_body
from nostra_cli.downloads.verify.level import Level, checks_for, refuse_page
from nostra_cli.errors import AuthProblem, Corrupt, NostraError, NotFound, UsageProblem
from nostra_cli.http.encoding import decoded, is_encoded
from nostra_cli.http.timeouts import LowSpeed
from nostra_cli.http.transport import HEAD_SECONDS, Response
from nostra_cli.models import Format, Result
from nostra_cli.preview.book import read_book
from nostra_cli.preview.reading import Preview, Reading, Source, malformed, parser_for
from nostra_cli.preview.sinks import Book, Intake
from nostra_cli.units import show_size

if TYPE_CHECKING:
    from nostra_cli.downloads.batch import Progress

HEAD_BYTES = 960 * 1024
_ORDER = (Format.CSV, Format.JSON, Format.XLSX)
_RANGE = re.compile(r"bytes 0-[0-9]{1,19}/([0-9]{1,19}|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """What to look at: `result` None is the primary one, `format` None the first there is."""

    invocation: str
    result: str | None
    format: Format | None
    rows: int
    stats: bool
    low_speed: LowSpeed

    def reading(self) -> Reading:
        """Begin to read."""
        return Reading(self.rows, self.stats)


def look(service: Service, wanted: PreviewOptions, progress: Progress) -> Preview:
    """Read the beginning of a result, or all of it for statistics.

    The status is asked for only where the result cannot be had in the first format. Raises
    NotFound, Failed, NotReady, Corrupt or what the service refuses with.
    """
    result = Result(wanted.result or "", wanted.result is None, "", frozenset())
    format_ = wanted.format or _ORDER[0]
    item = Item(wanted.invocation, result, format_, None, wanted.result is not None)
    try:
        return _look(service, item, wanted, progress)
    except NotFound as missing:
        return _look(service, _there_is(service, wanted, missing), wanted, progress)


def _there_is(service: Service, wanted: PreviewOptions, missing: NotFound) -> Item:
    """Choose by the status; raises what it tells, else `missing`."""
    invocation = service.invocation(wanted.invocation)
    results = (wanted.result,) if wanted.result is not None else ()
    formats = (wanted.format,) if wanted.format is not None else ()
    selection = Selection(formats, every_format=not formats, results=results)
    items = choose(invocation, selection, Destination(stdout=True))
    for item in items:
        if isinstance(item, NostraError):
            raise item
    found = min((i for i in items if isinstance(i, Item)), key=lambda i: _ORDER.index(i.format))
    if found.format is (wanted.format or _ORDER[0]):
        raise missing
    return found


def _look(service: Service, item: Item, wanted: PreviewOptions, progress: Progress) -> Preview:
    if item.format is Format.XLSX:
        return _book(service, item, wanted, progress)
    if wanted.stats:
        return _whole(service, item, wanted, progress)
    attempt = partial(_head, service, item, wanted)
    return service.retrier.run(attempt, f"the first rows of {item.label} were there")


def _source(item: Item) -> Source:
    return Source(item.format, item.invocation, item.result.id or None)


def _download_hint(item: Item) -> str:
    which = f" -r {item.result.id}" if item.by_id else ""
    return f"download it for a closer look: nostra download {item.invocation}{which} -f "


def _head(service: Service, item: Item, wanted: PreviewOptions) -> Preview:
    """Ask for the beginning; where that is not what comes, for the body."""
    ask = partial(service.body, item.invocation, item.source, item.format, seconds=HEAD_SECONDS)
    with ask({"Range": f"bytes=0-{HEAD_BYTES - 1}"}) as reply:
        found = _RANGE.fullmatch(reply.headers.get("content-range", ""))
        if reply.status == 206 and found and not is_encoded(reply):
            size = int(found[1]) if found[1].isdecimal() else None
            return _beginning(reply, item, wanted, size)
        if reply.status == 200:
            return _beginning(reply, item, wanted, _length(reply))
    with ask() as reply:
        if reply.status != 200:
            raise Corrupt(f"{item.label}: status {reply.status}, but no range was asked for")
        return _beginning(reply, item, wanted, _length(reply))


def _length(reply: Response) -> int | None:
    return None if is_encoded(reply) else version_of("", reply.headers).length


def _beginning(reply: Response, item: Item, wanted: PreviewOptions, size: int | None) -> Preview:
    refuse_page(reply.headers, item.label)
    reading, parser = wanted.reading(), parser_for(item.format)
    checks, read = checks_for(item.format, Level.OFF, None), 0
    with malformed(item.label, f"{_download_hint(item)}{item.format} --verify off"):
        for piece in decoded(reply):
            block = bytes(piece[: HEAD_BYTES - read])
            read += len(block)
            for check in checks:
                check.feed(block)
            reading.take(parser.feed(block))
            if reading.enough or read >= HEAD_BYTES:
                break
        if not reading.enough and (read < HEAD_BYTES if size is None else read >= size):
            for check in checks:
                check.finish()
            reading.take(parser.finish())
            reading.ended = True
    warnings = () if reading.enough or reading.ended else _too_little(reading, item, read)
    return reading.preview(_source(item), size, parser.header, warnings)


def _too_little(reading: Reading, item: Item, read: int) -> tuple[str, ...]:
    limit, hint = show_size(read), f"{_download_hint(item)}{item.format}"
    if not reading.count and reading.most:
        raise UsageProblem(f"{item.label}: the first row is longer than {limit}", hint)
    return (f"{item.label}: its first {limit} hold {reading.count} rows, and no more is read",)


def _fetch(
    service: Service, item: Item, wanted: PreviewOptions, sink: Sink, progress: Progress
) -> None:
    with progress() as metering, metering(item.label) as meter:
        options = StreamOptions(Level.OFF, low_speed=wanted.low_speed)
        stream_body(service, item, sink, meter, options)


def _whole(service: Service, item: Item, wanted: PreviewOptions, progress: Progress) -> Preview:
    hint = f"{_download_hint(item)}{item.format} --verify off"
    judged = partial(malformed, item.label, hint)
    intake = Intake(lambda: (parser_for(item.format), wanted.reading()), judged)
    _fetch(service, item, wanted, intake, progress)
    parser, reading = intake.finished()
    return reading.preview(_source(item), intake.size, parser.header)


def _book(service: Service, item: Item, wanted: PreviewOptions, progress: Progress) -> Preview:
    hint = f"{_download_hint(item)}xlsx"
    reading = wanted.reading()
    with closing(Book(item.label, hint)) as spool:
        _fetch(service, item, wanted, spool, progress)
        with malformed(item.label, f"{hint} --verify off"):
            header, warnings = read_book(spool.file, reading)
        return reading.preview(_source(item), spool.size, header, warnings)


@contextmanager
def mentioning_file(name: str) -> Iterator[None]:
    """Add to an error of the block that there is a file of the name that was taken for an id."""
    try:
        yield
    except (NotFound, AuthProblem) as error:
        if Path(name).is_file():
            error.add_note(f"for the file of that name: nostra preview ./{name}")
        raise
