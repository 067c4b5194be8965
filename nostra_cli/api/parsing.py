"""JSON from a server we do not trust: bounded, strict, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from nostra_cli.errors import Corrupt
from nostra_cli.models import JsonObject, JsonValue, Piece

LARGEST = 16 << 20
"""Bytes: a status of a hundred thousand results fits, an endless one does not."""


def read(chunks: Iterable[Piece], what: str) -> JsonObject:
    """Read one JSON object (RFC 8259) of at most 16 MiB; `what` names it in errors.

    Raises Corrupt for anything else: also for duplicate keys, NaN, a byte order mark, too deep
    nesting, too long numbers and text that is not Unicode.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > LARGEST:
            raise Corrupt(f"{what}: the answer is larger than {LARGEST >> 20} MiB", _HINT)
    return parse(bytes(content), what)


def parse(content: bytes, what: str) -> JsonObject:
    """Parse one JSON object, as `read` does."""
    found = value(content, what)
    if not isinstance(found, dict):
        raise Corrupt(f"{what}: the answer is not a JSON object", _HINT)
    return found


def value(content: bytes, what: str) -> JsonValue:
    """Parse one JSON value of any kind, as strictly; raises Corrupt."""
    if not content.strip():
        raise Corrupt(f"{what}: the answer is empty", _HINT)
    if content.lstrip()[:1] == b"<":
        raise Corrupt(f"{what}: the answer is a web page, not JSON", _PAGE_HINT)
    try:
        found: JsonValue = json.loads(
            content.decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
        # Lone surrogates and 1e999 pass the parser and would fail later, in the output.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"{what}: the answer is not valid JSON{_place(error)}", _HINT) from error
    return found


_HINT = "check the base URL with nostra -v; if it is right, the service has a fault"
_PAGE_HINT = "check the base URL; a proxy or a login page may stand in between"


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _place(error: Exception) -> str:
    """Say where or why, in our words and numbers only."""
    if isinstance(error, json.JSONDecodeError):
        return f" (line {error.lineno}, column {error.colno})"
    if isinstance(error, RecursionError):
        return " (nested too deeply)"
    if isinstance(error, UnicodeError):
        return " (not Unicode text)"
    return f" ({str(error)[:60]})"
