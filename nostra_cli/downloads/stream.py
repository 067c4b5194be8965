"""Read bodies: the one loop with attempts, resume, verification and progress."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import (
    BodyRequest,
    BodyVersion,
    Continuation,
    content_range_of,
    continuation,
    version_of,
)
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.verify import level as verify
from nostra_cli.errors import Corrupt, Transient, Truncated
from nostra_cli.http.encoding import decoded, is_encoded
from nostra_cli.http.retry import Attempt
from nostra_cli.http.timeouts import DEFAULT_LOW_SPEED, LowSpeed, paced
from nostra_cli.http.transport import Response
from nostra_cli.models import Piece


class Meter(Protocol):
    """Receive the progress of one transfer, in bytes."""

    def start(self, done: int, total: int | None) -> None:
        """Begin a body of which `done` bytes were received before."""

    def advance(self, count: int) -> None:
        """Count received bytes."""


class NoMeter:
    """Ignore progress."""

    def start(self, done: int, total: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""


class StopStream(Exception):
    """Raised by the `write` of a sink that needs no more of the body."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How to read a body: verification, hashing, minimum speed."""

    level: verify.Level = verify.Level.AUTO
    hashing: bool = False
    low_speed: LowSpeed = DEFAULT_LOW_SPEED
    clock: Callable[[], float] = time.monotonic


def stream_body(
    service: Service,
    item: Item,
    sink: Sink,
    meter: Meter,
    options: StreamOptions,
    stop: int | None = None,
) -> BodyStream:
    """Read a body into `sink` until it is complete and verified as far as it streams.

    Bytes of an earlier run are continued. With `stop`, only the first `stop` bytes are requested;
    a server without ranges sends all of it. Raises Truncated, Corrupt, FileProblem,
    DeadlinePassed, or the error of a refusal.
    """
    stream = BodyStream(service, item, sink, meter, options, stop)
    stream.resume_part()
    with contextlib.suppress(StopStream):
        stream.run()
    return stream


@dataclass(slots=True)
class BodyStream:
    """One body, its beginning or a range of it on its way from `service` to `sink`.

    `complete` is False where only its beginning was read.
    """

    service: Service
    item: Item
    sink: Sink
    meter: Meter
    options: StreamOptions
    stop: int | None
    complete: bool = field(init=False, default=False)
    resumed: bool = field(init=False, default=False)
    _furthest: int = field(init=False, default=0)
    _checks: list[verify.Check] = field(init=False, default_factory=list)
    _hash: hashlib._Hash | None = field(init=False, default=None)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 (hex) of the body, if it was requested."""
        return self._hash.hexdigest() if self._hash else None

    @property
    def _url(self) -> str:
        return self.service.url_of(self.item.invocation, self.item.source, self.item.format)

    @property
    def _proven(self) -> BodyVersion | None:
        """The version of the sink's bytes, if it has a validator to ask for the rest with."""
        version = self.sink.version
        return version if version and version.validator else None

    def resume_part(self) -> None:
        """Continue the part of an earlier run, if it belongs to this result."""
        version = self._proven
        if version is None or version.url != self._url:
            self.sink.version = None
            return
        self._begin_checks(version)
        for block in self.sink.blocks():
            self._check(block)

    def run(self) -> None:
        """Send requests until the requested part of the body is complete."""
        self._furthest = self.sink.size
        for attempt in self.service.retrier.attempts(f"{self.item.label} was complete"):
            with attempt:
                try:
                    complete = self._request()
                except Transient:
                    self._note_progress(attempt)
                    raise
                if not complete:
                    self._note_progress(attempt)
                    attempt.again()
        version = self.sink.version
        self.complete = self.stop is None or bool(version and version.length == self.sink.size)
        if self.complete:
            self._inspect(lambda check: check.finish())

    def _note_progress(self, attempt: Attempt) -> None:
        """Reset the count of failures after as many bytes as the minimum speed requires."""
        rate, seconds = self.options.low_speed
        there = self.sink.size if self._proven else 0
        if there - self._furthest >= max(1, rate * seconds):
            self._furthest = there
            attempt.progressed()

    def _request(self) -> bool:
        """Send one request and write its body; return whether nothing is missing."""
        version, item = self._proven, self.item
        request = BodyRequest(self.sink.size if version else 0, self.stop, version)
        headers = request.headers
        with self.service.body(
            item.invocation,
            item.source,
            item.format,
            headers,
            max_pause=self.options.low_speed.max_pause,
        ) as response:
            partial = response.status != HTTPStatus.OK
            if partial and not headers:
                raise Corrupt(f"{item.label}: status {response.status} without a range asked for")
            found = continuation(request, response.status, response.headers)
            if found is Continuation.COMPLETE:
                return True
            if found is Continuation.RESTART or (partial and is_encoded(response)):
                self.sink.version = self.stop = None
                return False
            range_ = content_range_of(response.headers) if partial else None
            if found is Continuation.START:
                self._restart(response, range_.total if range_ else None)
            else:
                self.resumed = True
                if range_ and range_.total is not None and version:
                    self.sink.version = replace(version, length=range_.total)
            length = self.sink.version.length if self.sink.version else None
            self.meter.start(self.sink.size, length)
            self._copy(response, range_.stop if range_ else length)
        # Only a length, or the end of a complete response, proves that nothing is missing.
        return range_ is None or self.sink.size in (self.stop, length)

    def _restart(self, response: Response, total: int | None) -> None:
        """Begin again with a response that holds the body, or the first of `total` bytes."""
        verify.refuse_page(response.headers, self.item.label)
        version = version_of(self._url, response.headers)
        if response.status != HTTPStatus.OK:
            version = replace(version, length=total)
        else:
            self.stop = None  # the response has all of the body
            if is_encoded(response):
                # Its length and its validators are those of the encoded bytes.
                version = BodyVersion(version.url, None, None, None)
        self.sink.restart(version)
        self.resumed = False
        self._begin_checks(version)

    def _copy(self, response: Response, stop: int | None) -> None:
        """Write the body of a response, which should end at `stop`, to the sink."""
        label, deadline = self.item.label, self.service.retrier.deadline
        options = self.options
        received = paced(response.chunks, options.low_speed, label, options.clock)
        for chunk in decoded(response._replace(chunks=received)):
            if stop is not None and self.sink.size + len(chunk) > stop:
                self.sink.version = None  # unknown which of the bytes are right
                raise Truncated(f"{label}: more than the promised {stop} bytes came", _TRY_HINT)
            self._check(chunk)  # first: what is seen to be wrong does not reach stdout
            self.sink.write(chunk)
            self.meter.advance(len(chunk))
            deadline.check(f"{label} was complete")
        if stop is not None and self.sink.size != stop:
            raise Truncated(f"{label}: {self.sink.size} of {stop} bytes came", _TRY_HINT)

    def _begin_checks(self, version: BodyVersion) -> None:
        options = self.options
        self._checks = verify.checks_for(self.item.format, options.level, version.length)
        self._hash = hashlib.sha256() if options.hashing else None

    def _check(self, data: Piece) -> None:
        if self._hash:
            self._hash.update(data)
        self._inspect(lambda check: check.feed(data))

    def _inspect(self, look: Callable[[verify.Check], None]) -> None:
        for check in self._checks:
            try:
                look(check)
            except ValueError as error:
                raise not_as_promised(self.item, error, self.options.level) from error


_TRY_HINT = "try again: nostra continues where it stopped if the service can"


def not_as_promised(item: Item, error: ValueError, level: verify.Level) -> Corrupt:
    """Make the error for a body that failed verification at `level`."""
    at_any_level = level is verify.Level.OFF or isinstance(error, verify.NoResultError)
    hint = "" if at_any_level else "; --verify off keeps it as it is, to inspect it"
    return Corrupt(f"{item.label}: {error}", f"try again{hint}")
