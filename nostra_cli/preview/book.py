"""Workbooks: they can only be read when they are there as a whole."""

from __future__ import annotations

from typing import IO

from nostra_cli.preview.reading import Reading


def read_book(file: IO[bytes], reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the first sheet of a workbook into `reading`; gives its columns, and what to warn of.

    Raises ValueError for what is not a sound workbook.
    """
    from nostra_cli.preview.xlsx_rows import XlsxRows  # loads zipfile and an XML parser

    book = XlsxRows(file)
    for batch in book.batches():
        reading.take(batch)
        if reading.enough:
            break
    else:
        reading.ended = True
    more = len(book.sheets) - 1
    warnings = (f"this is the sheet {book.sheets[0]!r}; {more} more are not shown",) if more else ()
    return book.header, warnings
