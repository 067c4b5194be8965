"""Requests and responses as values, and the responses of Django REST Framework.

The wording is that of DRF 3.18 on Django 5.2, as its own test client showed it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nostra_cli.sandbox.content import Content

Headers = tuple[tuple[str, str], ...]

LAST_MODIFIED = "Mon, 05 Jan 2026 09:30:00 GMT"
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NOT_FOUND_PAGE = b"""
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""


@dataclass(frozen=True)
class Request:
    """A request as it was sent: the path still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """A response whose `chunks` are made as they are read; `length` is None if unknown."""

    status: int
    headers: Headers
    chunks: Iterable[bytes]
    length: int | None

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in any case, or None."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


def document(status: int, value: object, headers: Headers = ()) -> Response:
    """Return a JSON value, as compact as DRF writes it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return plain(status, "application/json", body, headers)


def plain(status: int, media_type: str, body: bytes, headers: Headers = ()) -> Response:
    """Return a body as it is."""
    return Response(status, (("Content-Type", media_type), *headers), (body,), len(body))


def error(status: int, detail: str, headers: Headers = ()) -> Response:
    """Return an error as DRF does: `{"detail": "..."}`."""
    return document(status, {"detail": detail}, headers)


def unknown_path() -> Response:
    """Return Django's page for a path without a view."""
    return plain(404, "text/html; charset=utf-8", _NOT_FOUND_PAGE)


def refused(detail: str) -> Response:
    """Refuse a request without a valid token (RFC 9110, section 11.6.1)."""
    return error(401, detail, (("WWW-Authenticate", "Token"),))


def attachment(request: Request, content: Content, kind: str, stem: str) -> Response:
    """Return a body as a file, or the one range of it that is requested (RFC 9110, section 14).

    Several ranges, malformed ones, and those for another version of the file get the complete body.
    """
    filename = re.sub(r"[^A-Za-z0-9._-]", "_", stem)
    headers: Headers = (
        ("Content-Type", MEDIA_TYPES[kind]),
        ("Content-Disposition", f'attachment; filename="{filename}.{kind}"'),
        ("ETag", content.etag),
        ("Last-Modified", LAST_MODIFIED),
        ("Accept-Ranges", "bytes"),
    )
    requested = _range(request, content)
    if requested is None:
        return Response(200, headers, content.chunks(0, content.size), content.size)
    start, stop = requested
    if start >= stop:
        size = ("Content-Range", f"bytes */{content.size}")
        return error(416, "Requested range not satisfiable.", (size,))
    part = ("Content-Range", f"bytes {start}-{stop - 1}/{content.size}")
    return Response(206, (*headers, part), content.chunks(start, stop), stop - start)


def _range(request: Request, content: Content) -> tuple[int, int] | None:
    """Return the first byte and the one after the last, equal if out of range; None for all."""
    match = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", request.headers.get("range", ""))
    if match is None or match[0] == "bytes=-" or request.method != "GET":
        return None
    if request.headers.get("if-range", content.etag) not in (content.etag, LAST_MODIFIED):
        return None
    size = content.size
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start, last = int(match[1]), int(match[2] or size)
    if match[2] and last < start:
        return None
    return min(start, size), min(last + 1, size)
