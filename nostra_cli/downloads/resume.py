"""What a partial file is a part of, and whether an answer goes on with it (RFC 9110, 13 and 14)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"', re.ASCII)
_DATE_MARGIN = 60


@dataclass(frozen=True, slots=True)
class BodyVersion:
    """A body as its server named it: `length` in bytes, None where it is not known.

    `etag` and `modified` are only set where they are strong enough to prove that two answers are
    the same bytes.
    """

    url: str
    etag: str | None
    modified: str | None
    length: int | None

    @property
    def validator(self) -> str | None:
        """What If-Range is to hold; None where the server gave nothing that proves."""
        return self.etag or self.modified

    def to_json(self) -> str:
        """Write it down for a later run."""
        return json.dumps(asdict(self))


def version_of(url: str, headers: Mapping[str, str]) -> BodyVersion:
    """Read the version from the headers (lower-case names) of a 200 answer to `url`."""
    etag = headers.get("etag", "")
    # Transfer-Encoding overrides it (RFC 9112, 6.3).
    length = "" if "transfer-encoding" in headers else headers.get("content-length", "")
    return BodyVersion(
        url=url,
        etag=etag if _STRONG_ETAG.fullmatch(etag) else None,
        modified=_strong_date(headers),
        length=int(length) if re.fullmatch(r"\d{1,19}", length, re.ASCII) else None,
    )


def from_json(text: str) -> BodyVersion | None:
    """Read what `to_json` wrote; None for anything else."""
    try:
        raw = json.loads(text)
        found = BodyVersion(raw["url"], raw["etag"], raw["modified"], raw["length"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    good = (
        isinstance(found.url, str)
        and isinstance(found.etag, str | None)
        and isinstance(found.modified, str | None)
        and (found.length is None or (type(found.length) is int and found.length > 0))
        and all(value is None or value.isprintable() for value in (found.etag, found.modified))
    )
    return found if good else None


def is_continuation(version: BodyVersion, offset: int, headers: Mapping[str, str]) -> bool:
    """Tell whether a 206 answer to a Range from `offset` continues `version`, byte for byte."""
    found = content_range_of(headers)
    if not found or found.start != offset:
        return False
    whole = version.length if found.whole is None else found.whole
    if whole is not None and (found.stop != whole or whole <= offset):
        return False
    return version.length in (None, whole) and has_validator_of(version, headers)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes an answer holds, from `start` up to, not including, `stop`, of how many."""

    start: int
    stop: int
    whole: int | None


def content_range_of(headers: Mapping[str, str]) -> ContentRange | None:
    """Read the Content-Range of a 206 answer."""
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if not found:
        return None
    whole = None if found[3] == "*" else int(found[3])
    return ContentRange(int(found[1]), int(found[2]) + 1, whole)


def has_validator_of(version: BodyVersion, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer has the validator of `version`; without one nothing is the same."""
    if not version.validator:
        return False
    if version.etag is not None:
        return headers.get("etag") == version.etag
    return headers.get("last-modified") == version.modified


def _strong_date(headers: Mapping[str, str]) -> str | None:
    """Give Last-Modified where it is a strong validator: a minute older than Date (8.8.2.2)."""
    modified, now = headers.get("last-modified"), headers.get("date")
    if not modified or not now:
        return None
    try:
        age = parsedate_to_datetime(now) - parsedate_to_datetime(modified)
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if age.total_seconds() >= _DATE_MARGIN else None
