"""The keys of a scenario: fields of a dataclass, each with the kind of its values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

_HUGE = 10**15
_MAX_SECONDS = 1_000_000


class Kind(NamedTuple):
    """The values that a key accepts, in words that follow "must be", and their conversion."""

    words: str
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value


def key(kind: Kind, default: T) -> T:
    """Make a field of a dataclass a key of the scenario."""
    return field(default=default, metadata={"kind": kind})


def kinds_of(rule: type[Any]) -> dict[str, Kind]:
    """Return the kind of each key of a dataclass."""
    return {f.name: f.metadata["kind"] for f in fields(rule) if "kind" in f.metadata}


def integer(low: int = -_HUGE, high: int = _HUGE) -> Kind:
    """Return the kind of whole numbers from `low` to `high`."""
    bounds = f" from {low}" if low > -_HUGE else ""
    bounds += f" to {high}" if high < _HUGE else ""
    return Kind(f"a whole number{bounds}", lambda v: type(v) is int and low <= v <= high)


def one_of(*names: str) -> Kind:
    """Return the kind of some names."""
    return Kind(f"one of {', '.join(names)}", lambda value: value in names)


def list_of(kind: Kind, words: str) -> Kind:
    """Return the kind of lists that are not empty."""
    return Kind(
        words,
        lambda value: isinstance(value, list) and bool(value) and all(map(kind.accepts, value)),
        lambda value: tuple(map(kind.convert, value)),
    )


def _is_hexadecimal(value: object) -> bool:
    try:
        return isinstance(value, str) and bytes.fromhex(value) is not None
    except ValueError:
        return False


def _is_header(value: object) -> bool:
    """Check a header's value (RFC 9110, section 5.5), which may be a number (`Retry-After`)."""
    known = type(value) in (str, int, float)
    return known and bool(re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", str(value)))


def _are_headers(value: object) -> bool:
    return isinstance(value, dict) and all(
        re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) and all(map(_is_header, _lines(lines)))
        for name, lines in value.items()
    )


def _lines(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


TEXT = Kind("a text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
SECONDS = Kind(
    f"a number of seconds from 0 to {_MAX_SECONDS}",
    lambda value: type(value) in (int, float) and 0 <= value <= _MAX_SECONDS,
    float,
)
HEXADECIMAL = Kind("pairs of hexadecimal digits", _is_hexadecimal, bytes.fromhex)
HEADER = Kind("one line of Latin-1 text", _is_header, str)
HEADERS = Kind(
    "a table of headers, each with one line of Latin-1 text or a list of them",
    _are_headers,
    lambda value: {name: tuple(map(str, _lines(lines))) for name, lines in value.items()},
)
