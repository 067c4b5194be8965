"""A result's body as a file that is read from any place, for programs that want only some of it.

Where the server has ranges and names the version of what it sends, blocks are asked for as they are
needed, each held against the version of the first. Where it has not, the whole body is fetched
once, as a download is, into a temporary file.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import BodyVersion, content_range_of, has_validator_of, version_of
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.downloads.stream import NoMeter, StreamOptions, stream_body
from nostra_cli.downloads.verify import level as verify
from nostra_cli.errors import Corrupt, Truncated
from nostra_cli.http.encoding import is_encoded
from nostra_cli.http.timeouts import LowSpeed, paced
from nostra_cli.http.transport import Response
from nostra_cli.models import Format

FIRST_BLOCK = 256 * 1024
"""Bytes of the first block in a place; while it is read on from there, each is twice the last."""
LARGEST_BLOCK = 16 << 20


def probe(service: Service, item: Item) -> BodyVersion:
    """Ask for one byte, to learn how long a body is; the length is None where it is not told."""

    def attempt() -> BodyVersion:
        with _body(service, item, {"Range": "bytes=0-0"}) as reply:
            found = version_of(_url(service, item), reply.headers)
            if is_encoded(reply) or reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return replace(found, length=None)
            if reply.status == HTTPStatus.OK:
                return found
            span = content_range_of(reply.headers)
            return replace(found, length=span.total if span else None)

    return service.retrier.run(attempt, f"the size of {item.label} was known")


class Reader(io.RawIOBase):
    """The body of `item`; nothing is asked for before it is read. Not for several threads."""

    def __init__(
        self,
        service: Service,
        item: Item,
        low_speed: LowSpeed,
        largest: int = LARGEST_BLOCK,
        errors: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Begin at the start; `largest` is the size of a block in bytes.

        Requests are made within `errors`, which may tell of what goes wrong in its own way.
        """
        super().__init__()
        self._service = service
        self._item = item
        self._low_speed = low_speed
        self._errors = errors
        self._largest = max(largest, FIRST_BLOCK)
        self._identity: BodyVersion | None = None
        self._spool: Spool | None = None
        self._block = b""
        self._block_start = 0
        self._step = FIRST_BLOCK
        self._position = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there; the end is known when something has been read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        position = offset + (self.size() if base is None else base)
        if position < 0:
            raise ValueError("there is nothing before the start")
        self._position = position
        return position

    def size(self) -> int:
        """Tell how many bytes there are; asks for the first block where that is not known yet."""
        if self._spool is None and self._identity is None:
            self._fetch(0, FIRST_BLOCK)
        if self._spool is not None:
            return self._spool.size
        return (self._identity.length if self._identity else None) or 0

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read some of what is at the position."""
        if not self._has_block() and len(buffer):
            is_continuation = self._block and self._position == self._block_start + len(self._block)
            self._step = min(2 * self._step, self._largest) if is_continuation else FIRST_BLOCK
            self._fetch(self._position, max(len(buffer), self._step))
        if self._spool is not None:
            self._spool.file.seek(self._position)
            data = self._spool.file.read(len(buffer))
        else:
            start = self._position - self._block_start
            data = self._block[start : start + len(buffer)] if start >= 0 else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        """Read the rest, with one request at most."""
        length = self._identity.length if self._identity else None
        has_rest = self._has_block() and self._block_start + len(self._block) == length
        if self._spool is None and not self._at_end() and not has_rest:
            self._fetch(self._position, None)
        if self._spool is not None:
            self._spool.file.seek(self._position)
            data = self._spool.file.read()
        else:
            data = self._block[max(0, self._position - self._block_start) :]
        self._position += len(data)
        return data

    def close(self) -> None:
        """Throw away what is kept."""
        if self._spool is not None:
            self._spool.close()
        self._block = b""
        super().close()

    def _at_end(self) -> bool:
        length = self._identity.length if self._identity else None
        return length is not None and self._position >= length

    def _has_block(self) -> bool:
        within = 0 <= self._position - self._block_start < len(self._block)
        return self._spool is not None or within or self._at_end()

    def _fetch(self, start: int, count: int | None) -> None:
        """Make a block of `count` bytes (None: to the end) from `start` on, or a spool."""
        got = bytearray()
        with self._errors(), contextlib.ExitStack() as opened:

            def attempt() -> Response | None:
                with contextlib.ExitStack() as stack:
                    if self._identity and not self._identity.validator:
                        got.clear()  # nothing proves that the rest would be the rest of it
                        self._identity = None
                    begin, stop = start + len(got), None if count is None else start + count
                    end = "" if stop is None else str(stop - 1)
                    headers = {"Range": f"bytes={begin}-{end}"}
                    if self._identity and self._identity.validator:
                        headers["If-Range"] = self._identity.validator
                    reply = stack.enter_context(_body(self._service, self._item, headers))
                    if self._take(reply, begin, stop, got):
                        return None
                    opened.enter_context(stack.pop_all())
                    return reply

            reply = self._service.retrier.run(attempt, f"{self._item.label} was read")
            if reply is not None:
                self._take_whole(reply)
                return
        self._block, self._block_start = bytes(got), start

    def _take(self, reply: Response, begin: int, stop: int | None, got: bytearray) -> bool:
        """Append what an answer holds; False when it can only be taken as a whole."""
        verify.refuse_page(reply.headers, self._item.label)
        known = self._identity
        if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if known and begin < (known.length or 0):
                raise self._changed()
            return begin > 0  # nothing is there; of an empty body the download says more
        span = (
            content_range_of(reply.headers) if reply.status == HTTPStatus.PARTIAL_CONTENT else None
        )
        if span is None or span.total is None or span.start != begin or is_encoded(reply):
            fits = False
        elif stop is not None and span.stop > stop:
            fits = False  # more than memory was promised for
        elif known is None:
            found = version_of(_url(self._service, self._item), reply.headers)
            self._identity = found = replace(found, length=span.total)
            fits = found.validator is not None or (begin, span.stop) == (0, span.total)
        else:
            fits = known.length == span.total and has_validator_of(known, reply.headers)
        if fits and span:
            self._drain(reply, span.stop - span.start, got)
        elif known is not None:
            raise self._changed()
        else:
            self._identity = None
        return fits

    def _changed(self) -> Corrupt:
        return Corrupt(f"{self._item.label} changed while it was read", "open it again")

    def _drain(self, reply: Response, wanted: int, got: bytearray) -> None:
        before = len(got)
        for chunk in paced(reply.chunks, self._low_speed, self._item.label):
            got += chunk
            if len(got) - before > wanted:
                raise Corrupt(f"{self._item.label}: more came than the range that was promised")
        if len(got) - before != wanted:
            raise Truncated(
                f"{self._item.label}: {len(got) - before} of {wanted} bytes came", "try again"
            )

    def _take_whole(self, reply: Response) -> None:
        """Fetch as a download does, with `reply` as the first answer if it holds the body."""
        service = self._service
        if reply.status == HTTPStatus.OK:
            service = _Answered(service, reply)
        spool = Spool()
        try:
            options = StreamOptions(low_speed=self._low_speed)
            stream_body(service, self._item, spool, NoMeter(), options)
        except BaseException:
            spool.close()
            raise
        self._spool = spool


class _Answered(Service):
    """A service that has answered the first request for a body already."""

    def __init__(self, service: Service, reply: Response) -> None:
        vars(self).update(vars(service))
        self._answer: Response | None = reply

    def body(
        self,
        invocation: str,
        result: str | None,
        format: Format,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> contextlib.AbstractContextManager[Response]:
        answer, self._answer = self._answer, None
        if answer is not None:
            return contextlib.nullcontext(answer)
        return super().body(invocation, result, format, headers, seconds)


def _body(
    service: Service, item: Item, headers: Mapping[str, str]
) -> contextlib.AbstractContextManager[Response]:
    return service.body(item.invocation, item.source, item.format, headers)


def _url(service: Service, item: Item) -> str:
    return service.url_of(item.invocation, item.source, item.format)
