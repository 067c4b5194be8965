"""Preview a complete body in a file: first rows, and statistics of all rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nostra_cli.downloads.verify.level import Level, checks_for
from nostra_cli.errors import FileProblem
from nostra_cli.models import Format
from nostra_cli.preview.extra import load_extra
from nostra_cli.preview.first_rows import (
    Preview,
    PreviewOptions,
    Source,
    preview_of,
    read_first_rows,
)

_START_BYTES = 1024


def check_extra(format: Format, options: PreviewOptions) -> None:
    """Raise UsageProblem, before anything is fetched, if a library is missing."""
    if format is Format.XLSX:
        load_extra("python_calamine", "xlsx")
    if options.stats:
        load_extra("duckdb", "--stats")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for a body and temporary files, for the block; raises FileProblem."""
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
    """Preview a workbook, or summarize another file, of `size` bytes.

    Temporary files go into `folder`.

    Raises ValueError, with the reason, for a malformed body, UsageProblem or FileProblem.
    """
    if source.format is Format.XLSX:
        return _preview_xlsx(path, source, options, size, folder)
    with path.open("rb") as file:
        first = read_first_rows(file, source.format, options.rows)
    from nostra_cli.preview.summary import summarize

    return preview_of(source, size, first, options, summarize(path, source.format, folder))


def _preview_xlsx(
    path: Path, source: Source, options: PreviewOptions, size: int, folder: Path
) -> Preview:
    from nostra_cli.preview.xlsx_rows import XlsxRows

    with path.open("rb") as file:
        for check in checks_for(Format.XLSX, Level.OFF, None):
            check.feed(file.read(_START_BYTES))
            check.finish()
        workbook = XlsxRows(file)
        workbook.read_first(options.rows)
        stats = None
        if options.stats:
            from nostra_cli.preview.summary import summarize_table
            from nostra_cli.preview.tables import table_of_rows

            copy = folder / "rows.csv"
            table = table_of_rows(workbook, workbook.header, copy, typed=True)
            stats = summarize_table(table, folder)
    count = len(workbook.sheets)
    warnings = (f"showing sheet {workbook.sheets[0]!r} of {count}",) if count > 1 else ()
    return preview_of(source, size, workbook, options, stats, warnings)
