"""Open a body in a file as a table of DuckDB, all text: no type is guessed.

DuckDB reads plain CSV itself, many times as fast as Python. Other formats, and CSV that it refuses
or might read differently, are first rewritten by our parsers as CSV that cannot be misread.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nostra_cli.errors import file_errors
from nostra_cli.models import Format, JsonValue
from nostra_cli.preview.csv_rows import CsvRows
from nostra_cli.preview.first_rows import parser_for, read_blocks, read_first_rows
from nostra_cli.preview.rows import Row

_MAX_CELLS = 1_000_000_000
_MAX_LINE_BYTES = 64 << 20
_HEAD_BYTES = 64 * 1024
_LINE_END = {b"\n": rb"(?<!\r)\n", b"\r": rb"\r"}


class UnclearError(Exception):
    """DuckDB might read this body differently from our parsers."""


@dataclass(frozen=True, slots=True)
class Table:
    """The columns `names` of the relation `source`, called `c0`, `c1` and so on there, all text.

    Cells that are `typed` (JSON, XLSX) are a `"` and a text, or another value as JSON.
    """

    source: str
    names: tuple[str, ...]
    typed: bool = False
    null_ends: int | None = None
    """Lines that end in a delimiter: as many cells of the last column must be NULL."""


def literal(text: str) -> str:
    """Return a string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def csv_table(path: Path) -> Table:
    """Return a CSV as DuckDB reads it; raises UnclearError or ValueError."""
    parser, line_ends = CsvRows(), b""
    with path.open("rb") as file:
        for block in read_blocks(file):
            line_ends = line_ends or block[:_HEAD_BYTES]
            parser.feed(block)
            if parser.header:
                break
    if not parser.header or line_ends.removeprefix(b"\xef\xbb\xbf")[:1] in (b"\r", b"\n"):
        raise UnclearError
    columns = _columns(len(parser.header))
    source = _read_csv(path, parser.delimiter, columns)
    if len(parser.header) == 1:  # a blank line is not a row
        source = f"(SELECT * FROM {source} WHERE c0 IS NOT NULL)"
    # A line with one delimiter too many at its end passes in DuckDB.
    ends = _count_ends(path, parser.delimiter.encode(), line_ends) - parser.ends_in_delimiter
    return Table(source, parser.header, null_ends=ends)


def _count_ends(path: Path, delimiter: bytes, head: bytes) -> int:
    """Count the lines that end in a delimiter; `head` shows how lines end."""
    kinds = [end for end in (b"\n", b"\r") if re.search(_LINE_END[end], head)]
    patterns = [delimiter + end for end in kinds or _LINE_END]
    count, last = 0, b""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            count += sum(map(block.count, patterns)) + (last + block[:1] in patterns)
            last = block[-1:]
    return count + (last == delimiter)


def _columns(count: int) -> tuple[str, ...]:
    return tuple(f"c{i}" for i in range(count))


def _read_csv(path: Path, delimiter: str, columns: Sequence[str], header: str = "true") -> str:
    types = ", ".join(f"{name}: 'VARCHAR'" for name in columns)
    return (
        f"read_csv({literal(str(path))}, columns = {{{types}}}, delim = {literal(delimiter)}, "
        """quote = '"', escape = '"', auto_detect = false, strict_mode = true, """
        f"allow_quoted_nulls = false, compression = 'none', header = {header})"
    )


def rewritten_table(path: Path, format: Format, copy: Path) -> Table:
    """Write a CSV or JSON, as our parsers read it, to `copy`; raises ValueError."""
    parser = parser_for(format)

    def rows() -> Iterator[Row]:
        with path.open("rb") as file:
            for block in read_blocks(file):
                yield from parser.feed(block)
        yield from parser.finish()

    with path.open("rb") as file:  # a header without rows has names too
        header = read_first_rows(file, format, 0).header
    return table_of_rows(rows(), header, copy, typed=format is not Format.CSV)


def table_of_rows(rows: Iterable[Row], header: Sequence[str], copy: Path, typed: bool) -> Table:
    """Write rows to the file `copy` and return them as a table."""
    names = dict.fromkeys(header)
    written = 0
    with (
        file_errors(copy),
        copy.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for row in rows:
            if not names.keys() >= row.keys():
                names |= dict.fromkeys(row)
            written += len(names)
            if written > _MAX_CELLS:
                raise ValueError(f"it has more than {_MAX_CELLS:,} cells")
            cells = (row.get(name) for name in names)
            # The last cell is for rows without any.
            writer.writerow([*(map(_tagged, cells) if typed else cells), ""])
    columns = _columns(len(names) + 1)
    source = _read_csv(
        copy,
        ",",
        columns,
        header="false, null_padding = true, parallel = false, "
        f"max_line_size = {_MAX_LINE_BYTES}, buffer_size = {_MAX_LINE_BYTES}",
    )
    return Table(source, tuple(names), typed)


def _tagged(value: JsonValue) -> str:
    if isinstance(value, str):
        return f'"{value}'
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
