"""What is kept of a table while it is read: the first rows, and statistics if asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostra_cli.errors import Corrupt
from nostra_cli.models import Format
from nostra_cli.preview.table import Batch, Parser, Row

if TYPE_CHECKING:
    from nostra_cli.preview.stats import Gathering, Stats


@dataclass(frozen=True, slots=True)
class Source:
    """What was looked at: a result of an invocation, or the local file `path`.

    `result` is None for the primary one as long as its id is not known.
    """

    format: Format
    invocation: str | None = None
    result: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A look at a result of `bytes` (None: not known).

    `complete` says that `rows` are all the rows there are; `stats` is None if not asked for.
    """

    source: Source
    bytes: int | None
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    complete: bool
    stats: Stats | None
    warnings: tuple[str, ...] = ()


class Reading:
    """Keeps the first `most` rows; with `stats` it is never enough."""

    def __init__(self, most: int, stats: bool) -> None:
        """Begin a table."""
        self.most = most
        self.stats = stats
        self.count = 0
        self.ended = False
        self._rows: list[Row] = []
        self._gathering = _gathering() if stats else None

    def take(self, batch: Batch) -> None:
        """Take rows as they follow each other."""
        self.count += len(batch)
        self._rows.extend(batch.rows(self.most - len(self._rows)))
        if self._gathering is not None:
            self._gathering.add(batch)

    @property
    def enough(self) -> bool:
        """Whether nothing that follows would be shown: one row more tells that there is more."""
        return self._gathering is None and self.count > self.most

    def preview(
        self,
        source: Source,
        bytes: int | None,
        header: Sequence[str],
        warnings: tuple[str, ...] = (),
    ) -> Preview:
        """Give what was kept, `header` being the columns that the format names at its beginning."""
        stats = self._gathering.stats(header) if self._gathering is not None else None
        named = [*header, *(name for row in self._rows for name in row)]
        if stats is not None:
            named += [column.name for column in stats.columns]
        return Preview(
            source=source,
            bytes=bytes,
            columns=tuple(dict.fromkeys(named)),
            rows=tuple(self._rows),
            complete=self.ended and self.count <= self.most,
            stats=stats,
            warnings=warnings,
        )


def parser_for(format: Format) -> Parser:
    """Give a parser of CSV or JSON."""
    if format is Format.CSV:
        from nostra_cli.preview.csv_rows import CsvRows

        return CsvRows()
    from nostra_cli.preview.json_rows import JsonRows

    return JsonRows()


def _gathering() -> Gathering:
    from nostra_cli.preview.stats import Gathering  # compiles what a few rows do not need

    return Gathering()


@contextmanager
def malformed(label: str, hint: str) -> Iterator[None]:
    """Turn a ValueError of the block, which says what is wrong, into the error about `label`."""
    try:
        yield
    except ValueError as error:
        raise Corrupt(f"{label}: {error}", hint) from error
