"""Parse strict JSON of limited size into models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeVar

from nostra_cli.errors import Corrupt
from nostra_cli.models import (
    Format,
    Invocation,
    JsonObject,
    JsonValue,
    Outcome,
    Piece,
    Result,
    check_depth,
    is_segment,
    malformed,
    outcome_of,
)

T = TypeVar("T")

MAX_BYTES = 16 << 20
"""Enough for a status with a hundred thousand results."""


def read_object(chunks: Iterable[Piece], what: str) -> JsonObject:
    """Read one JSON object (RFC 8259) of at most 16 MiB; `what` names it in errors.

    Raises Corrupt for anything else, including duplicate keys, NaN, a byte order mark, too deep
    nesting, too long numbers and invalid Unicode.
    """
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > MAX_BYTES:
            raise Corrupt(f"{what}: the response is larger than {MAX_BYTES >> 20} MiB", _HINT)
    found = parse_value(bytes(content), what)
    if not isinstance(found, dict):
        raise Corrupt(f"{what}: the response is not a JSON object", _HINT)
    return found


def parse_value(content: bytes, what: str) -> JsonValue:
    """Parse one JSON value of any type as strictly as `read_object`."""
    if not content.strip():
        raise Corrupt(f"{what}: the response is empty", _HINT)
    if content.lstrip()[:1] == b"<":
        raise Corrupt(f"{what}: the response is a web page, not JSON", _PAGE_HINT)
    try:
        found: JsonValue = json.loads(
            content.decode(),
            object_pairs_hook=_unique,
            parse_int=_int,
            parse_constant=_no_constant,
        )
        # The parser accepts lone surrogates and 1e999, which would fail later, in the output.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        check_depth([found])
    except (ValueError, RecursionError) as error:
        raise Corrupt(f"{what}: the response is not valid JSON{_reason(error)}", _HINT) from error
    return found


_HINT = "check the base URL with nostra -v; if it is right, the service is at fault"
_MAX_DIGITS = 4000
_PAGE_HINT = "check the base URL; a proxy or a login page may stand in between"


def _unique(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key in an object")
    return found


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number has more than {_MAX_DIGITS} digits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    """Return the place or the reason, without any content of the response."""
    if isinstance(error, json.JSONDecodeError):
        return f" (line {error.lineno}, column {error.colno})"
    if isinstance(error, RecursionError):
        return " (nested too deeply)"
    if isinstance(error, UnicodeError):
        return " (not Unicode text)"
    return f" ({error})"


class _Malformed(Exception):
    """A description of the service does not match its documentation."""


def read_invocation(invocation: str, raw: JsonObject) -> Invocation:
    """Convert the service's status object (API page, "Status").

    A malformed result has a `problem`. Raises Corrupt, naming the field, if a documented field is
    missing or of the wrong type, and if all results are malformed.
    """
    try:
        status = _field(raw, "status", str)
        if outcome_of(status) is not Outcome.COMPLETED:
            return Invocation(invocation, status, (), raw)
        described = _field(raw, "invocationResults", dict)
    except _Malformed as error:
        raise Corrupt(f"status of {invocation!r}: {error}", _FIELD_HINT) from error
    found = [_result(name, value) for name, value in described.items()]
    problems = [problem for result in found if (problem := malformed(invocation, result))]
    if problems and len(problems) == len(found):
        raise problems[0]
    results = sorted(found, key=lambda result: (not result.primary, result.id))
    return Invocation(invocation, status, tuple(results), raw)


def _result(name: str, value: JsonValue) -> Result:
    try:
        if not is_segment(name):
            raise _Malformed("not a valid id")
        if not isinstance(value, dict):
            raise _Malformed("not an object")
        return Result(
            id=name,
            formats=frozenset(f for f in Format if _field(value, f"{f}Available", bool)),
            primary=_field(value, "primaryResult", bool),
            status=_field(value, "status", str),
        )
    except _Malformed as error:
        primary = isinstance(value, dict) and value.get("primaryResult") is True
        return Result(name, primary, "", frozenset(), str(error))


def _field(raw: Mapping[str, JsonValue], key: str, type_: type[T]) -> T:
    if key not in raw:
        raise _Malformed(f"the field {key!r} is missing")
    value = raw[key]
    if not isinstance(value, type_):
        raise _Malformed(f"the field {key!r} is not {_TYPE_NAMES[type_]}")
    return value


_TYPE_NAMES: Mapping[type, str] = {str: "a string", bool: "true or false", dict: "an object"}
_FIELD_HINT = "the service broke its contract: report it, and see the response with nostra api"
