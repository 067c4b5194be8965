"""The keys of a scenario: a field of a dataclass with the check of its value."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, TypeVar

T = TypeVar("T")
Check = Callable[[object], object]

_HUGE = 10**15
_MAX_TIME = 1_000_000  # seconds


class WrongValueError(ValueError):
    """A wrong value; the message follows "must be"."""


def key(check: Check, default: T) -> T:
    """Make a field of a dataclass a key of the scenario, with the check of its value."""
    return field(default=default, metadata={"check": check})


def checks_of(rule: type[Any]) -> dict[str, Check]:
    """Return the check of each key of a dataclass."""
    return {f.name: f.metadata["check"] for f in fields(rule) if "check" in f.metadata}


def text(value: object) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise WrongValueError("a text")
    return value


def flag(value: object) -> bool:
    """Check true or false."""
    if not isinstance(value, bool):
        raise WrongValueError("true or false")
    return value


def integer(minimum: int | None = None, maximum: int | None = None) -> Check:
    """Return a check of an integer and its bounds."""
    low = -_HUGE if minimum is None else minimum
    high = _HUGE if maximum is None else maximum
    bounds = "" if minimum is None else f" from {minimum}"
    bounds += "" if maximum is None else f" to {maximum}"

    def check(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise WrongValueError(f"a whole number{bounds}")

    return check


def seconds(value: object) -> float:
    """Check a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TIME:
        raise WrongValueError(f"a number of seconds from 0 to {_MAX_TIME}")
    return float(value)


def one_of(*names: str) -> Check:
    """Return a check of one of some names."""

    def check(value: object) -> object:
        if value not in names:
            raise WrongValueError("one of " + ", ".join(names))
        return value

    return check


def hexadecimal(value: object) -> bytes:
    """Convert hexadecimal digits to bytes."""
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise WrongValueError("pairs of hexadecimal digits") from None


def header(value: object) -> str:
    """Check a header's value (RFC 9110, section 5.5), which may be a number (`Retry-After`)."""
    line = str(value) if isinstance(value, str | int | float) else ""
    if isinstance(value, bool) or not re.fullmatch(r"[\t\x20-\x7e\x80-\xff]*", line):
        raise WrongValueError("one line of Latin-1 text")
    return line


def headers(value: object) -> dict[str, tuple[str, ...]]:
    """Check a table of header names, each with a value or a list of values."""
    if not isinstance(value, dict):
        raise WrongValueError("a table of headers")
    for name in value:
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise WrongValueError("a table of headers, each with a name that HTTP allows")
    return {
        name: tuple(map(header, lines if isinstance(lines, list) else [lines]))
        for name, lines in value.items()
    }


def list_of(check: Check) -> Check:
    """Return a check of a list that is not empty."""

    def check_all(value: object) -> tuple[object, ...]:
        if not isinstance(value, list) or not value:
            raise WrongValueError("a list")
        return tuple(map(check, value))

    return check_all
