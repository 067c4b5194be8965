"""The first rows of a result and its statistics: for a terminal, as lines of cells, as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, TextIO

from nostra_cli.models import JsonObject, JsonValue, text_of
from nostra_cli.output import plots
from nostra_cli.units import show_size

if TYPE_CHECKING:
    from nostra_cli.output.fitted import Page
    from nostra_cli.preview.first_rows import Preview
    from nostra_cli.preview.stats import ByDate, ColumnStats, Stats

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_STATS = ("column", "type", "empty", "distinct", "min", "max", "mean")
_PLOT_LINES = 8
_WIDEST_PLOT = 100
_LONGEST_VALUE = 30


def as_json(found: Preview) -> JsonObject:
    """Return the object that `--json` shows."""
    source = found.source
    described: JsonObject = {
        "invocation": source.invocation,
        "result": source.result,
        "path": source.path,
        "format": str(source.format),
        "bytes": found.bytes,
        "columns": list(found.columns),
        "rows": [dict(row) for row in found.rows],
        "complete": found.complete,
    }
    if found.stats is not None:
        described["stats"] = _stats_json(found.stats)
    return described


def _stats_json(stats: Stats) -> JsonObject:
    by_date = stats.by_date
    sums: JsonValue = None
    if by_date is not None:
        sums = {"date": by_date.date, "quantity": by_date.quantity, "sums": dict(by_date.sums)}
    columns: list[JsonValue] = [_column_json(column) for column in stats.columns]
    return {"rows": stats.rows, "columns": columns, "by_date": sums}


def _column_json(column: ColumnStats) -> JsonObject:
    histogram: JsonValue = None
    if found := column.histogram:
        counts: list[JsonValue] = list(found.counts)
        ends: JsonObject = {"least": found.min, "most": found.max}
        histogram = {**ends, "counts": counts, "sample": sum(found.counts)}
    return {
        "name": column.name,
        "type": str(column.kind),
        "types": dict(column.kinds),
        "empty": column.empty,
        "distinct": column.distinct,
        "distinct_exact": True,
        "min": column.min,
        "max": column.max,
        "mean": column.mean,
        "histogram": histogram,
        "top": [{"value": value, "count": count} for value, count in column.top],
    }


def lines_of(found: Preview) -> Sequence[Sequence[str]]:
    """Return the cells of each line for a script: of a row, or of a column's statistics."""
    if found.stats is not None:
        return list(map(_stats_cells, found.stats.columns))
    return _cells(found)


def _cells(found: Preview) -> list[list[str]]:
    return [[text_of(row.get(name)) for name in found.columns] for row in found.rows]


def _stats_cells(column: ColumnStats) -> tuple[str, ...]:
    mean = "" if column.mean is None else f"{column.mean:.6g}"
    counts = str(column.empty), str(column.distinct)
    return column.name, str(column.kind), *counts, text_of(column.min), text_of(column.max), mean


def title(found: Preview) -> str:
    """Return the name of the source, and how much of it is shown."""
    source = found.source
    name = source.path or source.invocation or ""
    if source.result is not None:
        name = f"result {source.result} of {name}"
    size = f", {show_size(found.bytes)}" if found.bytes is not None else ""
    rows = "1 row" if len(found.rows) == 1 else f"{len(found.rows)} rows"
    if found.complete:
        shown = f"all of it: {rows}" if found.rows else "no rows"
    elif found.stats is not None and not found.rows:
        shown = f"{found.stats.rows} rows"
    elif found.stats is not None:
        shown = f"the first {len(found.rows)} of {found.stats.rows} rows"
    else:
        shown = f"the first {rows}"
    return f"{name} ({source.format}{size}), {shown}"


def drawn(
    found: Preview, stream: TextIO, color: bool, sanitize: Callable[[str], str]
) -> Iterator[str]:
    """Yield the lines of the rows, and of the statistics, for the terminal behind `stream`."""
    from nostra_cli.output.fitted import page_of  # rich, for a person only

    page = page_of(stream, color, sanitize)
    if found.columns and (found.rows or found.stats is None):
        cells = _cells(found)
        right = [_are_numbers(column) for column in zip(*cells, strict=True)]
        yield from page.table(found.columns, cells, right)
    if found.rows and found.stats is not None:
        yield ""
    if found.stats is not None:
        yield from _drawn_stats(found.stats, page)


def _are_numbers(cells: Sequence[str]) -> bool:
    """Return whether a column looks like numbers, which are aligned to the right."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(map(_NUMBER.fullmatch, filled))


def _drawn_stats(stats: Stats, page: Page) -> Iterator[str]:
    rows = []
    for column in stats.columns:
        name, kind, *others = _stats_cells(column)
        if column.kind == "mixed":
            kind += f": {', '.join(f'{count} {kind}' for kind, count in column.kinds.items())}"
        rows.append((name, kind, *others))
    numeric = [column.mean is not None for column in stats.columns]
    right = [False, False, True, True, all(numeric), all(numeric), True]
    yield from page.table(_STATS, rows, right)
    yield ""
    values = [(column.name, _values(column, page)) for column in stats.columns]
    yield from page.table(("column", "values"), values)
    if stats.by_date is not None and len(stats.by_date.sums) > 1:
        yield ""
        yield from _plot(stats.by_date, page)


def _values(column: ColumnStats, page: Page) -> str:
    if column.histogram is not None:
        ends = f"{text_of(column.min)} to {text_of(column.max)}"
        return f"{plots.bars(column.histogram.counts, page.unicode)}  {ends}"
    if column.filled and column.distinct == column.filled:
        return "all different"
    shown = (f"{page.cut(page.sanitize(v), _LONGEST_VALUE)} ({count})" for v, count in column.top)
    more = column.distinct - len(column.top)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _plot(by_date: ByDate, page: Page) -> Iterator[str]:
    days = list(by_date.sums)
    points = [(date.fromisoformat(day).toordinal(), by_date.sums[day]) for day in days]
    low, high = (f"{end(by_date.sums.values()):.6g}" for end in (min, max))
    margin = max(len(low), len(high))
    width = min(page.width, _WIDEST_PLOT) - margin - 2
    if width < len(days[0]) + len(days[-1]) + 2:
        return  # too narrow to be read
    yield page.cut(page.sanitize(f"{by_date.quantity}, summed by {by_date.date}"), page.width)
    lines = plots.line(points, width, _PLOT_LINES, page.unicode)
    labels = [high, *[""] * (_PLOT_LINES - 2), low]
    for label, text in zip(labels, lines, strict=True):
        yield f"{label:>{margin}}  {text}".rstrip()
    gap = " " * (width - len(days[0]) - len(days[-1]))
    yield f"{'':>{margin}}  {days[0]}{gap}{days[-1]}"
