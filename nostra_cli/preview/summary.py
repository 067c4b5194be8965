"""Compute statistics of all rows with DuckDB (extra `preview`): exact, in bounded memory.

It reads no configuration, loads no extension and writes to one temporary folder only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from datetime import date
from pathlib import Path
from typing import Any

from nostra_cli.errors import FileProblem, thread_errors
from nostra_cli.models import Format
from nostra_cli.preview.extra import load_extra
from nostra_cli.preview.stats import NUMERIC, ByDate, ColumnStats, Histogram, Kind, Stats
from nostra_cli.preview.tables import (
    Table,
    UnclearError,
    csv_table,
    rewritten_table,
)
from nostra_cli.signals import start_thread

BINS = 16
MAX_DATES = 20_000
_TOP = 5
_MAX_TEXT = 200
_BATCH_COLUMNS = 32
_POLL_SECONDS = 0.1
_MAX_INTERRUPTS = 20
_TMPDIR_HINT = "set TMPDIR to a folder with more room"
# Threads and memory limit; the second pair is tried when the first does not suffice.
_MEMORY = ((2, "220MB"), (1, "1GB"))

# `007` is a text: as a number it would lose its zeros.
_INTEGER = "[-+]?(?:0|[1-9][0-9]{0,37})"
_NUMBER = _INTEGER + r"(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,2})?"
_DATE = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[-+][0-9]{2}:?[0-9]{2})?)?"
)
_COUNTED = (Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.BOOLEAN, Kind.TEXT)
_Connection = Any


def summarize(path: Path, format: Format, folder: Path) -> Stats:
    """Summarize a CSV or JSON file; temporary files go into `folder`.

    Raises ValueError, with the reason, for a malformed body; UsageProblem or FileProblem.
    """
    duckdb = load_extra("duckdb", "--stats")
    if format is Format.CSV and not set(str(path)) & set("*?["):  # they are patterns to DuckDB
        try:
            return summarize_table(csv_table(path), folder)
        except (UnclearError, duckdb.InvalidInputException):
            pass
    return summarize_table(rewritten_table(path, format, folder / "rows.csv"), folder)


def summarize_table(table: Table, folder: Path) -> Stats:
    """Summarize the rows of a table."""
    duckdb = load_extra("duckdb", "--stats")
    for threads, memory in _MEMORY:
        config = {
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(folder),
            "preserve_insertion_order": False,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_persistent_secrets": False,
        }
        try:
            with duckdb.connect(config=config) as connection:
                return _interruptible(connection, table)
        except duckdb.OutOfMemoryException:
            continue
        except duckdb.IOException as error:
            reason = str(error).partition("\n")[0].removeprefix("IO Error: ")
            raise FileProblem(f"--stats failed: {reason}", _TMPDIR_HINT) from error
    raise FileProblem("not enough memory or disk space for --stats", _TMPDIR_HINT)


def _interruptible(connection: _Connection, table: Table) -> Stats:
    """Query in another thread: DuckDB would swallow the exception of a signal handler."""
    future: Future[Stats] = Future()

    def query() -> None:
        try:
            future.set_result(_stats(connection, table))
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            future.set_exception(error)

    try:
        with thread_errors():
            start_thread(query)
        while not wait([future], _POLL_SECONDS).done:
            pass  # an endless wait would miss a signal that came just before it
        return future.result()
    finally:
        for _ in range(_MAX_INTERRUPTS):
            if future.done():
                break
            connection.interrupt()
            wait([future], _POLL_SECONDS)


def _stats(connection: _Connection, table: Table) -> Stats:
    found: list[ColumnStats] = []
    rows = 0
    for places in _batches(len(table.names)):
        cells = ", ".join(f"c{place}" for place in places)
        connection.execute(f"CREATE OR REPLACE TABLE t AS SELECT {cells} FROM {table.source}")
        [(rows,)] = connection.execute("SELECT count(*) FROM t").fetchall()
        if table.null_ends is not None and places[-1] == len(table.names) - 1:
            last = f"SELECT count(*) FROM t WHERE c{places[-1]} IS NULL"
            if connection.execute(last).fetchall() != [(table.null_ends,)]:
                raise UnclearError
        found += (_column(connection, table, place, rows) for place in places)
    if not table.names:
        [(rows,)] = connection.execute(f"SELECT count(*) FROM {table.source}").fetchall()
    return Stats(rows, tuple(found), _by_date(connection, table, found))


def _batches(count: int) -> Iterator[range]:
    """Yield ranges of columns that are held in memory or on disk together."""
    for start in range(0, count, _BATCH_COLUMNS):
        yield range(start, min(start + _BATCH_COLUMNS, count))


def _kind_sql(text: str, value: str) -> str:
    """Return the expression for the kind of `v`, as a place in `_COUNTED`.

    `text` and `value` are the conditions for a text, and for another value of JSON.
    """
    return f"""CASE
        WHEN {value} AND regexp_full_match(v, '{_NUMBER}')
            THEN CASE WHEN regexp_full_match(v, '{_INTEGER}') THEN 0 ELSE 1 END
        WHEN {text} AND substr(v, 5, 1) = '-' AND regexp_full_match(v, '{_DATE}') THEN 2
        WHEN {value} AND v IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE') THEN 3
        ELSE 4 END"""


def _column(connection: _Connection, table: Table, place: int, rows: int) -> ColumnStats:
    cell, name = f"c{place}", table.names[place]
    counts = ", ".join(f"sum(n) FILTER (kind = {kind})" for kind in range(len(_COUNTED)))
    is_text = """starts_with(c, '"')"""
    text = f"CASE WHEN {is_text} THEN c[2:] ELSE c END" if table.typed else "c"
    may_be = (is_text, f"NOT {is_text}") if table.typed else ("true", "true")
    [found] = connection.execute(f"""
        WITH cells AS (
            SELECT {cell} AS c, count(*) AS n FROM t WHERE {_filled(table, cell)} GROUP BY {cell}),
        texts AS (SELECT c, n, {text} AS v FROM cells),
        kinds AS (SELECT n, v, {_kind_sql(*may_be)} AS kind FROM texts),
        numbers AS (
            SELECT *, CASE WHEN kind = 0 THEN TRY_CAST(v AS HUGEINT) END AS i,
            CASE WHEN kind <= 1 THEN TRY_CAST(v AS DOUBLE) END AS x FROM kinds)
        SELECT count(*), min(v), max(v), min(i), max(i), min(x), max(x), fsum(x * n),
        min(v, {_TOP}) FILTER (n = 1), min({{'n': -n, 'v': v}}, {_TOP}) FILTER (n > 1), {counts}
        FROM numbers""").fetchall()
    distinct, min_text, max_text, min_integer, max_integer, low, high, total = found[:8]
    once, often, *by_kind = found[8:]
    counted = {kind: int(n) for kind, n in zip(_COUNTED, by_kind, strict=True) if n}
    kind, filled = _kind(counted), sum(counted.values())
    ends = {Kind.INTEGER: (min_integer, max_integer), Kind.NUMBER: (low, high)}.get(
        kind, (_short(min_text), _short(max_text)) if kind is not Kind.MIXED else (None, None)
    )
    top = [(item["v"], -item["n"]) for item in often or ()] + [(value, 1) for value in once or ()]
    numeric = kind in NUMERIC
    return ColumnStats(
        name=name,
        kind=kind,
        kinds=_by_kind(counted),
        filled=filled,
        empty=rows - filled,
        distinct=distinct,
        min=ends[0],
        max=ends[1],
        mean=total / filled if numeric else None,
        histogram=_histogram(connection, cell, kind, low, high, filled) if numeric else None,
        top=tuple((_short(value) or "", n) for value, n in top[:_TOP]),
    )


def _filled(table: Table, cell: str) -> str:
    """Return the condition for a cell that is not empty."""
    return f"""{cell} NOT IN ('', '"')""" if table.typed else f"{cell} <> ''"


def _kind(counted: dict[Kind, int]) -> Kind:
    kinds = set(counted)
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    if len(kinds) > 1:
        return Kind.MIXED
    return kinds.pop() if kinds else Kind.EMPTY


def _by_kind(counted: dict[Kind, int]) -> dict[str, int]:
    """Count by kind; integers among other numbers are numbers."""
    kinds = dict(counted)
    if Kind.NUMBER in kinds:
        kinds[Kind.NUMBER] += kinds.pop(Kind.INTEGER, 0)
    return {str(kind): count for kind, count in sorted(kinds.items())}


def _histogram(
    connection: _Connection, cell: str, kind: Kind, low: float, high: float, count: int
) -> Histogram:
    if low == high:
        return Histogram(low, high, (count,))
    bins = int(min(BINS, high - low + 1)) if kind is Kind.INTEGER else BINS
    found = connection.execute(
        f"SELECT CAST(least(floor((x - $low) * $scale), $last) AS INTEGER), count(*) "
        f"FROM (SELECT TRY_CAST({cell} AS DOUBLE) AS x FROM t) WHERE x IS NOT NULL GROUP BY 1",
        {"low": low, "scale": bins / (high - low), "last": bins - 1},
    ).fetchall()
    counts = dict(found)
    return Histogram(low, high, tuple(counts.get(place, 0) for place in range(bins)))


def _by_date(
    connection: _Connection, table: Table, columns: Sequence[ColumnStats]
) -> ByDate | None:
    """Sum the only numeric column, or `quantity`, by the only column of dates."""
    dates = [i for i, column in enumerate(columns) if column.kind is Kind.DATE]
    numbers = [i for i, column in enumerate(columns) if column.kind in NUMERIC]
    if len(numbers) > 1:
        numbers = [i for i in numbers if columns[i].name.casefold() == "quantity"]
    if not len(dates) == len(numbers) == 1:
        return None
    day, quantity = dates[0], numbers[0]
    sums = connection.execute(
        f"SELECT substr(c{day}, {1 + table.typed}, 10), fsum(TRY_CAST(c{quantity} AS DOUBLE)) AS s "
        f"FROM {table.source} WHERE {_filled(table, f'c{day}')} "
        f"GROUP BY 1 HAVING s IS NOT NULL ORDER BY 1 LIMIT {MAX_DATES + 1}"
    ).fetchall()
    if len(sums) > MAX_DATES or not all(_is_day(text) for text, _ in sums):
        return None
    return ByDate(columns[day].name, columns[quantity].name, dict(sums))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _short(text: str | None) -> str | None:
    """Shorten a long text and append its length."""
    if text is None or len(text) <= _MAX_TEXT:
        return text
    return f"{text[:100]}… ({len(text)} characters)"
