"""The body of one result into a sink: attempts, resume, verification."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import BodyVersion, is_continuation, version_of
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.verify import level as verify
from nostra_cli.errors import Corrupt, Transient, Truncated
from nostra_cli.http.encoding import decoded, is_encoded
from nostra_cli.http.timeouts import ORDINARY_SPEED, LowSpeed, paced
from nostra_cli.http.transport import Response
from nostra_cli.models import Piece


class Meter(Protocol):
    """Is told how one transfer goes on; `output` fulfils it. Counts are bytes."""

    def start(self, done: int, total: int | None) -> None:
        """A body begins, `done` bytes of which are there already."""

    def advance(self, count: int) -> None:
        """So many more bytes are there."""


@dataclass(slots=True)
class Fetch:
    """One body on its way from `service` to `sink`."""

    service: Service
    item: Item
    sink: Sink
    meter: Meter
    level: verify.Level
    hashing: bool
    low_speed: LowSpeed = ORDINARY_SPEED
    clock: Callable[[], float] = time.monotonic
    resumed: bool = field(init=False, default=False)
    _checks: list[verify.Check] = field(init=False, default_factory=list)
    _hash: hashlib._Hash | None = field(init=False, default=None)

    @property
    def sha256(self) -> str | None:
        """The hash of the whole body, where it was asked for."""
        return self._hash.hexdigest() if self._hash else None

    def run(self) -> None:
        """Fetch until the body is whole and its format verified as far as it streams.

        Raises Truncated, Corrupt, FileProblem, DeadlinePassed, or what the service refuses with.
        """
        self._take_up()
        retrier, doing = self.service.retrier, f"{self.item.label} was whole"
        furthest, progress = self.sink.size, max(1, self.low_speed.rate * self.low_speed.seconds)
        for attempt in retrier.attempts(doing):
            with attempt:
                try:
                    if not self._attempt():
                        self.sink.version = None  # the next attempt starts from the beginning
                        attempt.again()
                except Transient:
                    if self._offset() - furthest >= progress:
                        furthest = self.sink.size
                        attempt.progressed()
                    raise
        self._judge(lambda check: check.finish())

    def _take_up(self) -> None:
        """Go on with what an earlier run left, if it is of this result."""
        version = self.sink.version
        if version is None or version.url != self._url() or not version.validator:
            self.sink.version = None
            return
        self._new_checks(version)
        for block in self.sink.blocks():
            self._feed(block)

    def _url(self) -> str:
        return self.service.url_of(self.item.invocation, self.item.source, self.item.format)

    def _offset(self) -> int:
        """Where to go on: 0 unless the server gave something to prove the rest by."""
        version = self.sink.version
        return self.sink.size if version and version.validator else 0

    def _attempt(self) -> bool:
        """Send one request; False when the answer does not go on with what is there."""
        offset, version = self._offset(), self.sink.version
        headers: dict[str, str] = {}
        if offset and version and version.validator:
            headers = {"Range": f"bytes={offset}-", "If-Range": version.validator}
        item = self.item
        with self.service.body(item.invocation, item.source, item.format, headers) as reply:
            if reply.status == HTTPStatus.OK:
                version = self._start(reply)
                offset = 0
            elif not headers:
                raise Corrupt(f"{item.label}: status {reply.status}, but no range was asked for")
            elif is_encoded(reply) or not (
                version
                and reply.status == HTTPStatus.PARTIAL_CONTENT
                and is_continuation(version, offset, reply.headers)
            ):
                return False
            else:
                self.resumed = True
            self.meter.start(offset, version.length)
            self._stream(reply, version)
        return True

    def _start(self, reply: Response) -> BodyVersion:
        verify.refuse_page(reply.headers, self.item.label)
        version = version_of(self._url(), reply.headers)
        if is_encoded(reply):
            # Its length and its validators are those of the encoded bytes.
            version = BodyVersion(version.url, None, None, None)
        self.sink.restart(version)
        self.resumed = False
        self._new_checks(version)
        return version

    def _stream(self, reply: Response, version: BodyVersion) -> None:
        label, deadline = self.item.label, self.service.retrier.deadline
        for chunk in paced(decoded(reply), self.low_speed, label, self.clock):
            self.sink.write(chunk)
            self._feed(chunk)
            self.meter.advance(len(chunk))
            deadline.check(f"{label} was whole")
        if version.length is not None and self.sink.size != version.length:
            raise Truncated(f"{label}: {self.sink.size} of {version.length} bytes came", _TRY_HINT)

    def _new_checks(self, version: BodyVersion) -> None:
        self._checks = verify.checks_for(self.item.format, self.level, version.length)
        self._hash = hashlib.sha256() if self.hashing else None

    def _feed(self, data: Piece) -> None:
        if self._hash:
            self._hash.update(data)
        if self._checks:
            plain = bytes(data) if isinstance(data, memoryview) else data
            self._judge(lambda check: check.feed(plain))

    def _judge(self, look: Callable[[verify.Check], None]) -> None:
        for check in self._checks:
            try:
                look(check)
            except ValueError as error:
                raise not_as_promised(self.item, error, self.level) from error


_TRY_HINT = "try again: nostra goes on where it stopped if the service can"


def not_as_promised(item: Item, error: ValueError, level: verify.Level) -> Corrupt:
    """Make the error for a body that is not what its format promises, looked at so closely."""
    less = "; --verify off takes it as it is, for a closer look"
    return Corrupt(f"{item.label}: {error}", "try again" + less * (level is not verify.Level.OFF))
