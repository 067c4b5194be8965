"""What kind of value each cell is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import cast

from nostra_cli.models import JsonValue, text_of


class Kind(StrEnum):
    """What a cell, or a whole column, holds."""

    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    TEXT = "text"
    MIXED = "mixed"
    EMPTY = "empty"


# `007` is a name, not a number: its zeros would be lost.
_INTEGER = "[-+]?(?:0|[1-9][0-9]{0,39})"
_PATTERNS = {
    Kind.INTEGER: _INTEGER,
    Kind.NUMBER: _INTEGER + r"(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,2})?",
    Kind.DATE: (
        "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[-+][0-9]{2}:?[0-9]{2})?)?"
    ),
    Kind.BOOLEAN: "true|false|True|False|TRUE|FALSE",
}
# One search over many values is many times as fast as one for each of them.
_ALL = {kind: re.compile(f"(?:(?:{text})\n)*+") for kind, text in _PATTERNS.items()}
_EACH = {kind: re.compile(text) for kind, text in _PATTERNS.items()}
_ANY = {
    kinds: re.compile("^(?:{})$".format("|".join(_PATTERNS[kind] for kind in kinds)), re.MULTILINE)
    for kinds in (tuple(_PATTERNS), (Kind.DATE,))
}
WRITTEN = tuple(_PATTERNS)
"""The kinds that text can be of, where all values are text: in CSV."""
QUOTED = (Kind.DATE,)
"""Those that text can be of where numbers are written otherwise: in JSON and XLSX."""

_LARGEST = 1e100

Sorted = dict[Kind, Sequence[str]]


def of_texts(values: Sequence[str], kinds: tuple[Kind, ...]) -> Sorted:
    """Sort texts, none of them empty, by what they are: one of `kinds`, else text."""
    joined = "\n".join(values) + "\n"
    if joined.count("\n") == len(values):
        for kind in kinds:
            if _ALL[kind].fullmatch(joined):
                return {kind: values}
        if not _ANY[kinds].search(joined):
            return {Kind.TEXT: values}
    found: dict[Kind, list[str]] = {}
    known: dict[str, Kind] = {}  # values are often the same
    for value in values:
        kind = known.get(value)
        if kind is None:
            kind = next((kind for kind in kinds if _EACH[kind].fullmatch(value)), Kind.TEXT)
            known[value] = kind
        found.setdefault(kind, []).append(value)
    return dict(found)


def of_values(values: Sequence[JsonValue]) -> Sorted:
    """Sort values that have types of their own, none of them empty; gives them as text."""
    types = set(map(type, values))
    if types == {str}:
        return of_texts(cast("Sequence[str]", values), QUOTED)
    if types in ({int}, {float}):  # many at once are much faster
        numbers = cast("Sequence[float]", values)
        if min(numbers) > -_LARGEST and max(numbers) < _LARGEST:
            return {Kind.INTEGER if types == {int} else Kind.NUMBER: list(map(repr, numbers))}
    texts: list[str] = []
    found: dict[Kind, list[str]] = {}
    for value in values:
        if isinstance(value, str):
            texts.append(value)
        else:
            found.setdefault(_kind_of(value), []).append(text_of(value))
    result: Sorted = dict(found)
    for kind, more in (of_texts(texts, QUOTED) if texts else {}).items():
        result[kind] = [*result.get(kind, ()), *more]
    return result


def _kind_of(value: JsonValue) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, (int, float)) and abs(value) < _LARGEST:  # their sum has to be a number
        return Kind.INTEGER if isinstance(value, int) else Kind.NUMBER
    return Kind.TEXT
