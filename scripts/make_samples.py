"""Make the sandbox's workbooks: python scripts/make_samples.py [FOLDER].

The same tables give the same bytes (on one version of openpyxl and zlib): a zip holds times, and
so does a workbook, and both are fixed here.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

from openpyxl import Workbook

from nostra_cli.sandbox.samples import TABLES, Table

FOLDER = Path(__file__).parents[1] / "nostra_cli" / "sandbox" / "samples"
ZIP_TIME = (2026, 1, 5, 9, 30, 0)
XML_TIME = rb"2026-01-05T09:30:00Z"


def workbook(table: Table) -> bytes:
    """Write one sheet with a header and a row for each row of `table`."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Result")
    sheet.append(table.columns)
    for row in table.rows:
        sheet.append(row)
    book.properties.creator = "nostra sandbox"
    file = io.BytesIO()
    book.save(file)
    return _without_times(file)


def _without_times(file: io.BytesIO) -> bytes:
    """Copy a workbook with every time in it replaced by a fixed one."""
    copy = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(copy, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", XML_TIME, data)
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.external_attr = 0o644 << 16
            info.create_system = 3  # the same on Windows
            target.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    return copy.getvalue()


def main(folder: Path) -> None:
    """Write one workbook for each table into `folder`."""
    for name, make in TABLES.items():
        (folder / f"{name}.xlsx").write_bytes(workbook(make()))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
