"""Decide whether a response continues a partial body (RFC 9110, 13.1.5 and 14.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})", re.ASCII)
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"', re.ASCII)
_DATE_MARGIN = 60


@dataclass(frozen=True, slots=True)
class BodyVersion:
    """A body as its server describes it: `length` in bytes, None if it is not known.

    `etag` and `modified` are set only if they are strong: equal ones then prove equal bytes.
    """

    url: str
    etag: str | None
    modified: str | None
    length: int | None

    @property
    def validator(self) -> str | None:
        """The value of If-Range; None without a strong validator."""
        return self.etag or self.modified

    def to_json(self) -> str:
        """Serialize it for a later run."""
        return json.dumps(asdict(self))


def version_of(url: str, headers: Mapping[str, str]) -> BodyVersion:
    """Read the version from the headers (lower-case names) of a 200 response to `url`."""
    etag = headers.get("etag", "")
    return BodyVersion(
        url=url,
        etag=etag if _STRONG_ETAG.fullmatch(etag) else None,
        modified=_strong_date(headers),
        length=_content_length(headers),
    )


def from_json(text: str) -> BodyVersion | None:
    """Read what `to_json` wrote; None for anything else."""
    try:
        found = BodyVersion(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return None
    good = (
        isinstance(found.url, str)
        and (found.length is None or (type(found.length) is int and found.length > 0))
        and all(value is None or _is_header(value) for value in (found.etag, found.modified))
    )
    return found if good else None


@dataclass(frozen=True, slots=True)
class BodyRequest:
    """The bytes from `start` up to `stop` (None: the end) of `version` (None: any)."""

    start: int = 0
    stop: int | None = None
    version: BodyVersion | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Range and If-Range; empty for a complete body."""
        if not self.start and self.stop is None:
            return {}
        last = "" if self.stop is None else str(self.stop - 1)
        headers = {"Range": f"bytes={self.start}-{last}"}
        if self.version and self.version.validator:
            headers["If-Range"] = self.version.validator
        return headers


class Continuation(Enum):
    """How a response relates to the bytes received so far."""

    START = "the body, from its first byte"
    CONTINUE = "the bytes that come next"
    COMPLETE = "the proof that nothing is missing"
    RESTART = "unusable: request the whole body"


def continuation(request: BodyRequest, status: int, headers: Mapping[str, str]) -> Continuation:
    """Decide how to use a 200, 206 or 416 response to `request`."""
    if status == HTTPStatus.OK:
        # Some proxies turn 206 into 200 and change nothing else.
        partial = request.headers and "content-range" in headers and not _is_whole(headers)
        return Continuation.RESTART if partial else Continuation.START
    if status == HTTPStatus.PARTIAL_CONTENT and is_continuation(request, headers):
        return Continuation.CONTINUE if request.version else Continuation.START
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and _is_end(request, headers):
        return Continuation.COMPLETE
    return Continuation.RESTART


def is_continuation(request: BodyRequest, headers: Mapping[str, str]) -> bool:
    """Return whether a 206 response holds bytes from `request.start` on, perhaps fewer."""
    found, version = content_range_of(headers), request.version
    if found is None or found.start != request.start:
        return False
    if request.stop is not None and found.stop > request.stop:
        return False  # more than requested
    if _content_length(headers) not in (None, found.stop - found.start):
        return False
    if version is None:
        return True
    if version.length is not None and (
        found.total not in (None, version.length) or found.stop > version.length
    ):
        return False
    return has_validator_of(version, headers)


def _is_whole(headers: Mapping[str, str]) -> bool:
    """Return whether Content-Range says that a response holds all of the body."""
    found = content_range_of(headers)
    return found is not None and found.start == 0 and found.stop == found.total


def _is_end(request: BodyRequest, headers: Mapping[str, str]) -> bool:
    """Return whether a 416 response proves that `request.version` ends at `request.start`."""
    found, version = _UNSATISFIED.fullmatch(headers.get("content-range", "")), request.version
    return (
        found is not None
        and int(found[1]) == request.start
        and version is not None
        and version.length in (None, request.start)
        and has_validator_of(version, headers)
    )


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes of a response: from `start` up to, not including, `stop`, of `total` (or None)."""

    start: int
    stop: int
    total: int | None


def content_range_of(headers: Mapping[str, str]) -> ContentRange | None:
    """Read the Content-Range of a 206 response; None if it is missing or contradicts itself."""
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if not found or headers.get("content-type", "").lower().startswith("multipart/byteranges"):
        return None
    start, stop = int(found[1]), int(found[2]) + 1
    total = None if found[3] == "*" else int(found[3])
    if stop <= start or (total is not None and stop > total):
        return None
    return ContentRange(start, stop, total)


def has_validator_of(version: BodyVersion, headers: Mapping[str, str]) -> bool:
    """Return whether a response has the strong validator of `version`."""
    if version.etag is not None:
        return headers.get("etag") == version.etag
    return version.modified is not None and headers.get("last-modified") == version.modified


def _content_length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length if it is valid: Transfer-Encoding overrides it (RFC 9112, 6.3)."""
    length = "" if "transfer-encoding" in headers else headers.get("content-length", "")
    return int(length) if re.fullmatch(r"\d{1,19}", length, re.ASCII) else None


def _is_header(value: object) -> bool:
    """Return whether a value can be sent in a header."""
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _strong_date(headers: Mapping[str, str]) -> str | None:
    """Return Last-Modified if it is strong: a minute older than Date (8.8.2.2)."""
    modified, now = headers.get("last-modified"), headers.get("date")
    if not modified or not now or not _is_header(modified):
        return None
    try:
        age = parsedate_to_datetime(now) - parsedate_to_datetime(modified)
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if age.total_seconds() >= _DATE_MARGIN else None
