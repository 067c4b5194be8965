"""The small results: tables made by arithmetic, written as JSON and CSV; XLSX is package data.

The columns are those of the vendor's pages. The workbooks under `samples/` are made from the same
tables by `scripts/make_samples.py`, since the base install has no library that writes XLSX.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources

from nostra_cli.sandbox.content import Fixed

Cell = str | int | float

ROWS = 300
# Names that break a careless reader or writer of CSV, JSON or XML.
_NAMES = (
    "Rossi S.r.l.",
    "Müller, Weiß & Co.",
    'Osteria "Da Nando"',
    "Ångström AB",
    "日本商事株式会社",
    "O'Neill <Trading>",
    "Ελληνική Τράπεζα",
)
_CITIES = ("Forlì", "Zürich", "Łódź", "Trento", "São Paulo")
_FEATURES = ("daysSinceLastOrder", "averageBasket", "complaints", "discountShare")


@dataclass(frozen=True)
class Table:
    """A header, and rows with as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def _chance(seed: int) -> float:
    """Return a number of six digits in [0, 1): Lehmer's generator, the same everywhere."""
    return pow(48_271, seed, 2**31 - 1) % 1_000_000 / 1_000_000


def _churn() -> Table:
    rows = tuple((str(i), _chance(i)) for i in range(1, ROWS + 1))
    return Table(("id", "churnLikelihood"), rows)


def _customers() -> Table:
    def row(i: int) -> tuple[Cell, ...]:
        name = f"{_NAMES[i % len(_NAMES)]} {i}"
        return str(i), name, _CITIES[i % len(_CITIES)], 1 + i % 4

    return Table(("id", "name", "city", "segment"), tuple(row(i) for i in range(1, ROWS + 1)))


def _drivers() -> Table:
    rows = tuple(
        (str(i), _FEATURES[i % len(_FEATURES)], _chance(1_000 + i)) for i in range(1, ROWS + 1)
    )
    return Table(("id", "feature", "contribution"), rows)


def _deduplication() -> Table:
    """Every fifth row names the group of the row before it: those two are duplicates."""
    rows = tuple((f"C{i:05d}", i - 1 if i % 5 == 0 else i) for i in range(1, ROWS + 1))
    return Table(("ID", "Group"), rows)


def _demand() -> Table:
    first = date(2022, 1, 31)
    rows = tuple(
        (
            f"item{1 + i % 10}",
            (first + timedelta(days=7 * (i // 10))).isoformat(),
            int(_chance(2_000 + i) * 500),
        )
        for i in range(ROWS)
    )
    return Table(("ItemCode", "OrderDate", "Quantity"), rows)


TABLES = {
    "churn": _churn,
    "customers": _customers,
    "drivers": _drivers,
    "deduplication": _deduplication,
    "demand": _demand,
}


def to_csv(table: Table) -> bytes:
    """Write a header and a line for each row, in UTF-8, with a newline at the end (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue().encode()


def to_json(table: Table) -> bytes:
    """Write an array of one object for each row, in UTF-8, as the vendor's pages show it."""
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return json.dumps(rows, ensure_ascii=False).encode()


@cache
def sample(name: str, kind: str) -> Fixed:
    """Return the table `name` of `TABLES` as "csv", "json" or "xlsx"; KeyError for any other."""
    if kind == "xlsx":
        folder = resources.files("nostra_cli.sandbox").joinpath("samples")
        return Fixed(folder.joinpath(f"{name}.xlsx").read_bytes())
    return Fixed({"csv": to_csv, "json": to_json}[kind](TABLES[name]()))
