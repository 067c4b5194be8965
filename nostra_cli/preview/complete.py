"""A complete body in a file: its first rows, and statistics of all of it."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nostra_cli.errors import FileProblem
from nostra_cli.models import Format
from nostra_cli.preview.extra import load_extra
from nostra_cli.preview.first_rows import (
    Preview,
    PreviewOptions,
    Source,
    first_rows,
    read_blocks,
    read_first_rows,
)
from nostra_cli.preview.rows import Row


def check_extra(format: Format, options: PreviewOptions) -> None:
    """Raise UsageProblem, before anything is fetched, where a library is missing."""
    if format is Format.XLSX:
        load_extra("python_calamine", "xlsx")
    if options.stats:
        load_extra("duckdb", "--stats")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for a body and what is computed of it; remove it after the block.

    Raises FileProblem where there is no usable one.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="nostra-", ignore_cleanup_errors=True)
    except OSError as error:
        raise FileProblem(
            f"no usable temporary folder: {error.strerror}", "set TMPDIR to a writable folder"
        ) from error
    with folder as name:
        yield Path(name)


def preview_complete(
    path: Path, source: Source, options: PreviewOptions, size: int, folder: Path
) -> Preview:
    """Preview the file `path` of `size` bytes; temporary files go into `folder`.

    Raises ValueError, with the reason, for a malformed body, UsageProblem or FileProblem.
    """
    if source.format is Format.XLSX:
        return _preview_xlsx(path, source, options, size, folder)
    with path.open("rb") as file:
        first = read_first_rows(read_blocks(file), source.format, options.rows)
    if not options.stats:
        return Preview(source, size, first.columns, first.rows, first.complete)
    from nostra_cli.preview.summary import summarize

    stats = summarize(path, source.format, folder)
    columns = tuple(dict.fromkeys([*first.columns, *(column.name for column in stats.columns)]))
    return Preview(source, size, columns, first.rows, first.complete, stats)


def _preview_xlsx(
    path: Path, source: Source, options: PreviewOptions, size: int, folder: Path
) -> Preview:
    from nostra_cli.preview.xlsx_rows import XlsxRows

    rows: list[Row] = []
    stats = None
    with path.open("rb") as file:
        workbook = XlsxRows(file)
        remaining = iter(workbook)
        rows += itertools.islice(remaining, options.rows + 1)
        if options.stats:
            from nostra_cli.preview.summary import summarize_table
            from nostra_cli.preview.tables import table_of_rows

            every_row = itertools.chain(rows, remaining)
            table = table_of_rows(every_row, workbook.header, folder / "rows.csv", typed=True)
            stats = summarize_table(table, folder)
    first = first_rows(workbook.header, rows, options.rows, at_end=len(rows) <= options.rows)
    more = len(workbook.sheets) - 1
    warning = f"showing sheet {workbook.sheets[0]!r} of {more + 1}" if more else ""
    return Preview(
        source, size, first.columns, first.rows, first.complete, stats, (warning,) if more else ()
    )
