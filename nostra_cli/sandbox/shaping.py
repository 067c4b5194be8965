"""A fault, applied to a request and its response before anything is written to a socket."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from email.utils import formatdate
from html import escape
from itertools import repeat
from typing import TYPE_CHECKING

from nostra_cli.sandbox import responses
from nostra_cli.sandbox.compression import gzipped
from nostra_cli.sandbox.responses import Headers, Request, Response

if TYPE_CHECKING:
    from nostra_cli.sandbox.fault import Fault, Hit

Service = Callable[[Request], Response]

_BLOCK = 1 << 20  # bytes of a repeated body made at once
# Details of DRF that differ from the name of the status.
_DETAILS = {
    400: "Malformed request.",
    401: "Invalid token.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    429: "Request was throttled.",
    500: "A server error occurred.",
}


def shaped(hit: Hit, request: Request, *, port: int, token: str, service: Service) -> Response:
    """Respond to a request with its fault; `service` returns the right response."""
    response = _own(hit.fault) if hit.fault.instead else service(_changed(hit, request, token))
    return _with_headers(_with_body(response, hit), hit, port)


def _changed(hit: Hit, request: Request, token: str) -> Request:
    """Return the request that the service gets."""
    fault, headers = hit.fault, dict(request.headers)
    if not fault.ranges or fault.gzip:
        headers.pop("range", None)
    if fault.ignore_if_range:
        headers.pop("if-range", None)
    if fault.range_shift:
        first = re.search("=([0-9]+)-", headers.get("range", ""))
        if first:
            shifted = max(int(first[1]) + fault.range_shift, 0)
            headers["range"] = headers["range"].replace(first[0], f"={shifted}-", 1)
    shown = _tag(hit)
    if shown is not None and "if-range" in headers:  # not the tag that the service compares
        same = headers["if-range"] == shown and not shown.startswith("W/")
        headers.pop("if-range" if same else "range", None)
    if fault.serve is not None:
        headers["authorization"] = f"Token {token}"
        request = replace(request, path=fault.serve)
    return replace(request, headers=headers)


def _tag(hit: Hit) -> str | None:
    """Return the entity tag that replaces the service's, or None."""
    if hit.fault.etag is not None:
        return hit.fault.etag.replace("{attempt}", str(hit.attempt))
    return f'"edition-{hit.attempt}"' if hit.fault.changing else None


def _own(fault: Fault) -> Response:
    """Return the response of the fault itself."""
    status = fault.status or 200
    if status in (204, 304):
        return Response(status, (), (), 0)
    if fault.page is not None:
        title = escape(fault.page)
        text = f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n"
        return responses.plain(status, "text/html; charset=utf-8", text.encode())
    if fault.body is not None or fault.body_hex is not None:
        data = (fault.body or "").encode() + (fault.body_hex or b"")
        media_type: Headers = (("Content-Type", "application/json"),)
        return Response(status, media_type, _repeated(data, fault.repeat), len(data) * fault.repeat)
    detail = fault.detail or _DETAILS.get(status) or f"{phrase(status)}."
    return responses.error(status, detail)


def phrase(status: int) -> str:
    """Return the name of a status in RFC 9110."""
    return http.client.responses.get(status, "Unknown status")


def _repeated(data: bytes, times: int) -> Iterator[bytes]:
    """Yield `data` repeated `times` times, in blocks that are one object, which costs little."""
    at_once = max(_BLOCK // max(len(data), 1), 1)
    block = data * min(at_once, times)
    yield from repeat(block, times // at_once)
    yield data * (times % at_once)


def _with_body(response: Response, hit: Hit) -> Response:
    fault = hit.fault
    if fault.changing:
        response = replace(response, chunks=_edition(response.chunks, hit.attempt))
    if fault.keep is not None and response.length is not None:
        wanted = fault.keep if fault.keep >= 0 else response.length + fault.keep
        length = max(min(wanted, response.length), 0)
        response = replace(response, chunks=first_bytes(response.chunks, length), length=length)
    if fault.gzip is not None:
        encoding = ", ".join(["gzip"] * fault.gzip_layers)
        headers = (*response.headers, ("Content-Encoding", encoding))
        chunks = gzipped(response.chunks, fault.gzip, fault.gzip_layers)
        response = replace(response, headers=headers, chunks=chunks, length=None)
    return response


def _edition(chunks: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Replace each digit but 0 by another: as long and valid, but another version."""
    digits = b"123456789"  # JSON has no number 03
    turn = number % len(digits)
    table = bytes.maketrans(digits, digits[turn:] + digits[:turn])
    for chunk in chunks:
        yield chunk.translate(table)


def first_bytes(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Yield the first `count` bytes."""
    for chunk in chunks:
        yield chunk[:count]
        count -= len(chunk)
        if count <= 0:
            return


def _with_headers(response: Response, hit: Hit, port: int) -> Response:
    """Replace headers, and remove those without a value."""
    fault, changed = hit.fault, dict[str, tuple[str, ...]]()
    if fault.retry_after is not None:
        changed["Retry-After"] = (fault.retry_after,)
    if fault.retry_at is not None:
        changed["Retry-After"] = (formatdate(time.time() + fault.retry_at, usegmt=True),)
    if not fault.ranges:
        changed["Accept-Ranges"] = ()
    if fault.changing:
        changed["Last-Modified"] = ()
    changed.update(fault.headers)
    tag = _tag(hit)
    if tag is not None and response.status in (200, 206):
        changed["ETag"] = (tag,)
    gone = {name.lower() for name in changed}
    kept = tuple(pair for pair in response.headers if pair[0].lower() not in gone)
    added = tuple(
        (name, value.replace("{attempt}", str(hit.attempt)).replace("{port}", str(port)))
        for name, values in changed.items()
        for value in values
    )
    return replace(response, headers=kept + added)
