"""The models of the service, without input or output.

NamedTuples, because every command loads them: defining one takes 0.1 ms, a frozen dataclass 0.7.
"""

from __future__ import annotations

import os
import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from nostra_cli.errors import Corrupt, Failed, NotReady

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
JsonObject = dict[str, JsonValue]
Piece = bytes | bytearray | memoryview
"""Some bytes of a body; all but `bytes` are valid only until the next piece is requested."""


MAX_DEPTH = 100
"""Levels of nested JSON that recursive functions can handle from any depth of the stack."""
MAX_ID = 4096
"""Bytes of UTF-8: servers accept URLs of up to about 8 KiB."""


def decode_text(text: str) -> str:
    """Return an argument or a variable read as UTF-8 in any locale; other bytes stay escaped."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # Windows has no bytes behind it
        return text


def local_name(text: str) -> str:
    """Return a text as `os` takes names and arguments, so that it is UTF-8 in any locale."""
    try:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return text


def is_segment(text: str) -> bool:
    """Return whether an id can be one segment of a URL's path."""
    if text in ("", ".", "..") or len(text) > MAX_ID:
        return False
    if not text.isprintable() and re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text):
        return False
    return text.isascii() or len(text.encode()) <= MAX_ID


def quote_id(text: str) -> str:
    """Quote an id for messages, shortened if it is very long."""
    return repr(text if len(text) <= _SHOWN_ID else f"{text[:_SHOWN_ID]}...")


_SHOWN_ID = 60


def text_of(value: JsonValue) -> str:
    """Format a value for one cell: text unchanged, "" for null, else JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_depth(values: Iterable[JsonValue], levels: int = MAX_DEPTH) -> None:
    """Raise RecursionError, as the json module does, for values nested deeper than `levels`."""
    if levels < 0:
        raise RecursionError
    for value in values:
        if isinstance(value, dict):
            check_depth(value.values(), levels - 1)
        elif isinstance(value, list):
            check_depth(value, levels - 1)


class Format(StrEnum):
    """The formats a result can be downloaded in, in the order of preference."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class Outcome(StrEnum):
    """The meaning of a status; the service may have any number of statuses."""

    COMPLETED = "completed"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"


_FAILURES = frozenset({"error", "failed", "cancelled", "canceled"})


def outcome_of(status: str) -> Outcome:
    """Map a status of the service to its outcome; an unknown one is in progress (API page)."""
    word = status.casefold()
    if word == "completed":
        return Outcome.COMPLETED
    return Outcome.FAILED if word in _FAILURES else Outcome.IN_PROGRESS


class Result(NamedTuple):
    """One result of a completed invocation (API page, "Status").

    `problem` describes what is malformed; such a result has only its id and `primary`.
    """

    id: str
    primary: bool
    status: str
    formats: frozenset[Format]
    problem: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the service says that this result ended in error."""
        return outcome_of(self.status) is Outcome.FAILED


class Invocation(NamedTuple):
    """An invocation: `results`, the primary one first, and `raw`, the object of the service."""

    id: str
    status: str
    results: tuple[Result, ...]
    raw: Mapping[str, JsonValue]

    @property
    def outcome(self) -> Outcome:
        """The meaning of the status."""
        return outcome_of(self.status)

    @property
    def final(self) -> bool:
        """Whether the status will not change any more."""
        return self.outcome is not Outcome.IN_PROGRESS


def failure_of(invocation: Invocation) -> Failed | None:
    """Return the error of a failed invocation, None for any other."""
    if invocation.outcome is not Outcome.FAILED:
        return None
    failed = Failed(
        f"invocation {invocation.id!r} ended in error (status {invocation.status!r})",
        "it has no results; start it again",
    )
    failed.invocation = invocation.id
    return failed


def malformed(invocation: str, result: Result) -> Corrupt | None:
    """Return the error of a malformed result, None for any other."""
    if result.problem is None:
        return None
    return Corrupt(
        f"result {quote_id(result.id)} of {invocation!r}: {result.problem}",
        "the service broke its contract: report it, and see the response with nostra api",
    )


def check_completed(invocation: Invocation) -> None:
    """Raise NotReady or Failed unless the invocation is completed."""
    if failure := failure_of(invocation):
        raise failure
    if invocation.outcome is Outcome.IN_PROGRESS:
        raise NotReady(
            f"invocation {invocation.id!r} is still in progress (status {invocation.status!r})",
            f"wait for it first: nostra wait {invocation.id}, or nostra download --wait",
        )
