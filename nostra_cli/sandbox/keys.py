"""The keys of a scenario and what each may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from nostra_cli.sandbox.compression import KINDS
from nostra_cli.sandbox.state import TABLES_OF_TYPE

Check = Callable[[object], object]

_HUGE = 10**15
_LONGEST = 1_000_000
_MOST_RESULTS = 10_000
_LEAST_BYTES = 200  # has room for a row in each format


class WrongValueError(ValueError):
    """What a key must be, in words that follow "must be"."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError("a text")
    return value


def _yes_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("true or false")
    return value


def _whole(least: int | None = None, most: int | None = None) -> Check:
    low = -_HUGE if least is None else least
    high = _HUGE if most is None else most

    def check(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        bounds = "" if least is None else f" from {least}" + ("" if most is None else f" to {most}")
        raise WrongValueError(f"a whole number{bounds}")

    return check


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise WrongValueError(f"a number of seconds from 0 to {_LONGEST}")
    return float(value)


def _one_of(*names: str) -> Check:
    def check(value: object) -> str:
        if value not in names:
            raise WrongValueError("one of " + ", ".join(names))
        return str(value)

    return check


def _hex(value: object) -> bytes:
    try:
        return bytes.fromhex(_text(value))
    except ValueError:
        raise WrongValueError("pairs of hexadecimal digits") from None


def _line(value: object) -> str:
    """Check a header's value (RFC 9110, section 5.5), numbers too: `Retry-After` is mostly one."""
    text = str(value) if isinstance(value, str | int | float) else ""
    if isinstance(value, bool) or not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", text):
        raise WrongValueError("one line of Latin-1 text")
    return text


def _headers(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise WrongValueError("a table of headers")
    for name in value:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise WrongValueError("a table of headers, each with a name that HTTP allows")
    return {
        name: tuple(map(_line, lines if isinstance(lines, list) else [lines]))
        for name, lines in value.items()
    }


def _list_of(check: Check) -> Check:
    def check_all(value: object) -> tuple[object, ...]:
        if not isinstance(value, list) or not value:
            raise WrongValueError("a list")
        return tuple(check(item) for item in value)

    return check_all


FAULT_KEYS: Mapping[str, Check] = {
    "path": _text,
    "method": _text,
    "after": _whole(0),
    "times": _whole(1),
    "status": _whole(200, 599),
    "detail": _text,
    "page": _text,
    "body": _text,
    "body_hex": _hex,
    "repeat": _whole(1),
    "serve": _text,
    "ranges": _yes_no,
    "ignore_if_range": _yes_no,
    "range_shift": _whole(),
    "headers": _headers,
    "retry_after": _line,
    "retry_at": _seconds,
    "etag": _line,
    "length_off": _whole(),
    "changing": _yes_no,
    "keep": _whole(),
    "gzip": _one_of(*KINDS),
    "gzip_layers": _whole(1, 5),
    "framing": _one_of("length", "chunked", "close"),
    "cut_after": _whole(0),
    "stall_after": _whole(0),
    "reset": _yes_no,
    "drop": _yes_no,
    "endless_headers": _yes_no,
    "delay": _seconds,
    "rate": _whole(1),
}
PLAN_KEYS: Mapping[str, Check] = {
    "type": _one_of(*TABLES_OF_TYPE),
    "statuses": _list_of(_text),
    "seconds": _list_of(_seconds),
    "results": _whole(1, _MOST_RESULTS),
    "bytes": _whole(_LEAST_BYTES),
}
