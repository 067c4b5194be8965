"""The body of one result into a sink: attempts, resume, verification."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import Identity, goes_on, identity_of
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


class Sink(Protocol):
    """Where a body goes: a part, or stdout."""

    size: int
    identity: Identity | None

    def restart(self, identity: Identity) -> None:
        """Begin again with a body of this identity."""

    def blocks(self) -> Iterator[bytes]:
        """Read again what is there."""

    def write(self, data: Piece) -> None:
        """Append."""


class Writer(Protocol):
    """Somewhere bytes can be written to, all at once."""

    def write(self, data: Piece) -> int:
        """Write all of `data`."""


class Stream:
    """stdout as a sink: what is written cannot be taken back."""

    def __init__(self, file: Writer) -> None:
        """Write to `file`."""
        self._file = file
        self.size = 0
        self.identity: Identity | None = None

    def restart(self, identity: Identity) -> None:
        """Begin; raises Corrupt when something was written already."""
        if self.size:
            raise Corrupt(
                f"stdout has {self.size} bytes of a result that the service could not continue",
                "throw them away and try again, or download to a file",
            )
        self.identity = identity

    def blocks(self) -> Iterator[bytes]:
        """Nothing can be read back."""
        return iter(())

    def write(self, data: Piece) -> None:
        """Write through."""
        self._file.write(data)
        self.size += len(data)


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
                        self.sink.identity = None  # the next attempt starts from the beginning
                        attempt.again()
                except Transient:
                    if self._offset() - furthest >= progress:
                        furthest = self.sink.size
                        attempt.progressed()
                    raise
        self._judge(lambda check: check.finish())

    def _take_up(self) -> None:
        """Go on with what an earlier run left, if it is of this result."""
        identity = self.sink.identity
        if identity is None or identity.url != self._url() or not identity.validator:
            self.sink.identity = None
            return
        self._new_checks(identity)
        for block in self.sink.blocks():
            self._feed(block)

    def _url(self) -> str:
        return self.service.url_of(self.item.invocation, self.item.source, self.item.format)

    def _offset(self) -> int:
        """Where to go on: 0 unless the server gave something to prove the rest by."""
        identity = self.sink.identity
        return self.sink.size if identity and identity.validator else 0

    def _attempt(self) -> bool:
        """Send one request; False when the answer does not go on with what is there."""
        offset, identity = self._offset(), self.sink.identity
        headers: dict[str, str] = {}
        if offset and identity and identity.validator:
            headers = {"Range": f"bytes={offset}-", "If-Range": identity.validator}
        item = self.item
        with self.service.body(item.invocation, item.source, item.format, headers) as reply:
            if reply.status == HTTPStatus.OK:
                identity = self._start(reply)
                offset = 0
            elif not headers:
                raise Corrupt(f"{item.label}: status {reply.status}, but no range was asked for")
            elif is_encoded(reply) or not (
                identity
                and reply.status == HTTPStatus.PARTIAL_CONTENT
                and goes_on(identity, offset, reply.headers)
            ):
                return False
            else:
                self.resumed = True
            self.meter.start(offset, identity.length)
            self._stream(reply, identity)
        return True

    def _start(self, reply: Response) -> Identity:
        verify.refuse_page(reply.headers, self.item.label)
        identity = identity_of(self._url(), reply.headers)
        if is_encoded(reply):
            # Its length and its validators are those of the encoded bytes.
            identity = Identity(identity.url, None, None, None)
        self.sink.restart(identity)
        self.resumed = False
        self._new_checks(identity)
        return identity

    def _stream(self, reply: Response, identity: Identity) -> None:
        label, deadline = self.item.label, self.service.retrier.deadline
        for chunk in paced(decoded(reply), self.low_speed, label, self.clock):
            self.sink.write(chunk)
            self._feed(chunk)
            self.meter.advance(len(chunk))
            deadline.check(f"{label} was whole")
        if identity.length is not None and self.sink.size != identity.length:
            raise Truncated(f"{label}: {self.sink.size} of {identity.length} bytes came", _TRY_HINT)

    def _new_checks(self, identity: Identity) -> None:
        self._checks = verify.checks_for(self.item.format, self.level, identity.length)
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
