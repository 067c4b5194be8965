"""A request to any endpoint of the platform, as a person types it: checked before it is sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

from nostra_cli.errors import UsageProblem, usage_errors

LARGEST_BODY = 16 << 20
"""Bytes of a body to send: it is kept, to be sent again."""

MAX_URL = 60_000
"""Characters: some more than any server takes, some less than httpx refuses."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_OURS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KEPT = "%/:@!$&'()*+,;=~"
"""What may stand in a path as it is; `%` because what is encoded already stays so."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `url` is whole and percent-encoded, and of the origin of the base URL."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None

    @property
    def what(self) -> str:
        """Name it in messages, without its query."""
        return f"{self.method} {urlsplit(self.url).path}"


def make_call(
    base_url: str,
    path: str,
    method: str | None = None,
    data: str | None = None,
    headers: Sequence[str] = (),
    query: Sequence[str] = (),
) -> Call:
    """Turn what was typed into a request; without `method` it is GET, or POST with `data`.

    Raises UsageProblem for what must not be sent, or cannot.
    """
    url = _url(base_url, path, query)
    if len(url) > MAX_URL:
        raise UsageProblem(f"the URL has {len(url)} characters, more than {MAX_URL}", _PATH_HINT)
    verb = _method(method, data)
    sent = _headers(headers)
    content = None if data is None else read_data(data)
    if content is not None and "content-type" not in map(str.lower, sent):
        sent["Content-Type"] = "application/json"
    return Call(verb, url, sent, content)


def _method(method: str | None, data: str | None) -> str:
    if method is None:
        return "GET" if data is None else "POST"
    if method.upper() not in _METHODS:
        raise UsageProblem(f"-X {method!r} is not a method", f"choose one of {', '.join(_METHODS)}")
    return method.upper()


def _url(base_url: str, path: str, query: Sequence[str]) -> str:
    if not path or _CONTROL.search(path):
        raise UsageProblem("PATH is empty or has control characters", _PATH_HINT)
    if "#" in path:
        raise UsageProblem("PATH has a fragment (#...), which is never sent", _PATH_HINT)
    before, mark, asked = _below(base_url, path).partition("?")
    pairs = [asked] if mark else []
    for pair in query:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageProblem(f"--query {pair!r} is not key=value", "as in --query limit=10")
        pairs.append(f"{_encoded(key, '')}={_encoded(value, '')}")
    whole = _encoded(before, _KEPT)
    return f"{whole}?{_encoded('&'.join(filter(None, pairs)), _KEPT + '?')}" if pairs else whole


def _encoded(text: str, safe: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=safe)


def _below(base_url: str, path: str) -> str:
    """Put a path behind the base URL, or a whole URL of its origin behind that origin."""
    base = urlsplit(base_url)
    with usage_errors("PATH is not a URL", _PATH_HINT):
        given = urlsplit(path)
        if not given.scheme and not path.startswith("//"):
            return f"{base_url}/{path.removeprefix('/')}"
        if _origin(given) != _origin(base) or "@" in given.netloc:
            raise UsageProblem(
                f"PATH is not below {base.scheme}://{base.netloc}, where the token belongs",
                _PATH_HINT,
            )
    query = f"?{given.query}" if given.query else ""
    return f"{base.scheme}://{base.netloc}{given.path or '/'}{query}"


def _origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)


_PATH_HINT = "it looks like /api/collection"


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _NAME.fullmatch(name):
            raise UsageProblem("-H takes 'Name: value'", "as in -H 'Accept-Language: it'")
        if name.lower() in _OURS:
            raise UsageProblem(
                f"-H cannot set {name}: nostra does that itself",
                "the token is that of the profile, and goes to the base URL only",
            )
        if not value.isascii() or _CONTROL.search(value):
            raise UsageProblem(
                f"-H {name}: its value has control or non-ASCII characters",
                "a header is one line of ASCII characters",
            )
        known = next((key for key in headers if key.lower() == name.lower()), None)
        if known is None:
            headers[name] = value
        else:
            headers[known] += f", {value}"
    return headers


def read_data(data: str) -> bytes:
    """Give the body that `@file`, `-` (stdin) or a text stands for.

    Raises UsageProblem for a file that cannot be read, and for more than 16 MiB.
    """
    if data != "-" and not data.startswith("@"):
        return data.encode("utf-8", "surrogateescape")
    with usage_errors(f"-d {data}: cannot read it", "-d takes @file, - (stdin) or a text"):
        if data in ("-", "@-"):
            if sys.stdin is None:
                raise ValueError("stdin is closed")
            content = sys.stdin.buffer.read(LARGEST_BODY + 1)
        else:
            with Path(data[1:]).open("rb") as file:
                content = file.read(LARGEST_BODY + 1)
        if len(content) > LARGEST_BODY:
            raise ValueError(f"it is larger than {LARGEST_BODY >> 20} MiB")
    return content
