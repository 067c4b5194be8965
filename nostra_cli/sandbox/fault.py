"""A fault as a value, and the rules that decide which request meets which fault."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from nostra_cli.sandbox import keys
from nostra_cli.sandbox.compression import KINDS
from nostra_cli.sandbox.keys import key

if TYPE_CHECKING:
    from nostra_cli.sandbox.responses import Request


@dataclass(frozen=True)
class Fault:
    """One `[[fault]]` of a scenario; a key that is not given changes nothing.

    It applies to requests that match `path` (a glob over the path as it was sent) and `method`:
    not to the first `after` of them, then to the next `times` (None: all).
    """

    path: str = key(keys.TEXT, "*")
    method: str = key(keys.TEXT, "*")
    after: int = key(keys.integer(0), 0)
    times: int | None = key(keys.integer(1), None)

    # The response is the fault's own, and the token is not checked. One of these is enough.
    status: int | None = key(keys.integer(200, 599), None)  # without a body: an error as of DRF
    detail: str | None = key(keys.TEXT, None)  # the text of that error
    page: str | None = key(keys.TEXT, None)  # an HTML page with this title
    body: str | None = key(keys.TEXT, None)  # this text; JSON unless `headers` say otherwise
    body_hex: bytes | None = key(keys.HEXADECIMAL, None)  # these bytes
    repeat: int = key(keys.integer(1), 1)  # `body` this many times

    # The service responds to a changed request.
    serve: str | None = key(keys.TEXT, None)  # this path, whatever the token: a redirect's store
    ranges: bool = key(keys.FLAG, True)  # false: Range is ignored
    ignore_if_range: bool = key(keys.FLAG, False)  # a range of the current version
    range_shift: int = key(keys.integer(), 0)  # a range that begins this many bytes later

    # The head. In values "{attempt}" counts from 1 and "{port}" is the sandbox's.
    headers: Mapping[str, tuple[str, ...]] = field(  # no value: the header is removed
        default_factory=dict, metadata={"kind": keys.HEADERS}
    )
    retry_after: str | None = key(keys.HEADER, None)
    retry_at: float | None = key(keys.SECONDS, None)  # Retry-After as a date, seconds from now
    etag: str | None = key(keys.HEADER, None)  # also what If-Range is compared with
    length_off: int = key(keys.integer(), 0)  # bytes that Content-Length is too high

    # The body. Counts are in bytes.
    changing: bool = key(keys.FLAG, False)  # other digits and another ETag for each attempt
    keep: int | None = key(keys.integer(), None)  # the first N, or all but N if negative
    gzip: str | None = key(keys.one_of(*KINDS), None)
    gzip_layers: int = key(keys.integer(1, 5), 1)

    # The wire.
    framing: str | None = key(keys.one_of("length", "chunked", "close"), None)
    cut_after: int | None = key(keys.integer(0), None)  # the connection ends after N bytes
    stall_after: int | None = key(keys.integer(0), None)  # nothing is sent after N bytes
    reset: bool = key(keys.FLAG, False)  # RST instead of FIN; alone, it comes after the head
    drop: bool = key(keys.FLAG, False)  # the connection ends without a response
    endless_headers: bool = key(keys.FLAG, False)
    delay: float = key(keys.SECONDS, 0.0)  # before the response
    rate: int | None = key(keys.integer(1), None)  # bytes of body a second

    def matches(self, request: Request) -> bool:
        """Return whether the rule applies to this request."""
        return self.method in ("*", request.method) and fnmatchcase(request.path, self.path)

    @property
    def instead(self) -> bool:
        """Whether the response is the fault's own, not the service's."""
        own = (self.status, self.detail, self.page, self.body, self.body_hex)
        return any(value is not None for value in own)


@dataclass(frozen=True)
class Hit:
    """The fault that a request meets, and which attempt this is for the rule, from 1."""

    fault: Fault = Fault()
    attempt: int = 1


class Rules:
    """The faults of a scenario and how often each was met; safe to share between threads.

    The first rule that is not used up takes a request, and no later rule counts it: rules for
    one path apply one after the other, as they are written.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take the rules in their order."""
        self._faults = faults
        self._seen = [0] * len(faults)
        self._lock = threading.Lock()

    def take(self, request: Request) -> Hit:
        """Count the request, and return the fault it meets, which may change nothing."""
        with self._lock:
            for number, fault in enumerate(self._faults):
                if not fault.matches(request):
                    continue
                attempt = self._seen[number] + 1 - fault.after
                if fault.times is not None and attempt > fault.times:
                    continue
                self._seen[number] += 1
                if attempt >= 1:
                    return Hit(fault, attempt)
        return Hit()
