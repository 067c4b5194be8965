"""A fault as a value, and the rules that decide which request meets which fault."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostra_cli.sandbox.responses import Request


@dataclass(frozen=True)
class Fault:
    """One `[[fault]]` of a scenario; without a key nothing is changed in that respect.

    Which requests: `path` (a glob over the path as it was sent) and `method`; the first `after` of
    them pass, the next `times` are taken (None: all).
    """

    path: str = "*"
    method: str = "*"
    after: int = 0
    times: int | None = None

    # Answered in front of the service: the token is not looked at. One of them is enough.
    status: int | None = None  # 200 with a body of its own, else an error as DRF gives it
    detail: str | None = None  # the words of that error
    page: str | None = None  # an HTML page with this title
    body: str | None = None  # this text; JSON unless `headers` say otherwise
    body_hex: bytes | None = None  # these bytes
    repeat: int = 1  # `body`, so many times over

    # Answered by the service, but asked otherwise.
    serve: str | None = None  # this path, whatever the token: a store behind a redirect
    ranges: bool = True  # false: Range is ignored
    ignore_if_range: bool = False  # a range of whatever there is now
    range_shift: int = 0  # a range that begins so many bytes later

    # The head. In values "{attempt}" counts from 1 and "{port}" is the sandbox's.
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # none: it goes
    retry_after: str | None = None
    retry_at: float | None = None  # Retry-After as a date, so many seconds from now
    etag: str | None = None  # also what If-Range is held against
    length_off: int = 0  # Content-Length is so many bytes too high

    # The body. Counts are in bytes.
    changing: bool = False  # each attempt meets other digits under another ETag
    keep: int | None = None  # only so many, or all but so many for a negative number
    gzip: str | None = None  # encoded: one of `compression.KINDS`
    gzip_layers: int = 1  # encoded so many times over

    # The wire.
    framing: str | None = None  # "length", "chunked", or "close": the end is the end
    cut_after: int | None = None  # the connection ends after so many bytes, and before any end
    stall_after: int | None = None  # nothing comes after so many bytes
    reset: bool = False  # the end is RST instead of FIN; alone, it comes after the head
    drop: bool = False  # the connection ends without an answer
    endless_headers: bool = False
    delay: float = 0.0  # seconds before the answer
    rate: int | None = None  # bytes of body a second

    def matches(self, request: Request) -> bool:
        """Tell whether the rule is about this request."""
        return self.method in ("*", request.method) and fnmatchcase(request.path, self.path)

    @property
    def instead(self) -> bool:
        """Whether the answer is the rule's own, not the service's."""
        own = (self.status, self.detail, self.page, self.body, self.body_hex)
        return any(value is not None for value in own)


NO_FAULT = Fault()


@dataclass(frozen=True)
class Hit:
    """The fault a request meets, and which attempt this is for the rule, from 1."""

    fault: Fault = NO_FAULT
    attempt: int = 1


class Rules:
    """The faults of a scenario and how often each was met; safe to share between threads.

    The first rule that is not used up takes a request, and no later rule counts it: so rules for
    one path happen one after the other, as they are written.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take the rules in their order."""
        self._faults = faults
        self._seen = [0] * len(faults)
        self._lock = threading.Lock()

    def take(self, request: Request) -> Hit:
        """Count the request, and give what it meets: `NO_FAULT` if no rule takes it."""
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
