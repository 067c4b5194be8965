"""Preview a local file."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nostra_cli.errors import FileProblem, UsageProblem, file_errors
from nostra_cli.models import Format
from nostra_cli.preview.complete import check_extra, preview_complete, temporary_folder
from nostra_cli.preview.first_rows import (
    Preview,
    PreviewOptions,
    Source,
    malformed,
    preview_of,
    read_first_rows,
)

_HINT = "for another format: -f csv, -f json or -f xlsx"


def preview_file(name: str, options: PreviewOptions) -> Preview:
    """Preview a file; its suffix gives the format if `options` do not."""
    path = Path(name)
    with _open(path) as file, malformed(name, _HINT):
        source = Source(options.format or _format_of(path), path=name)
        status = os.fstat(file.fileno())
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        check_extra(source.format, options)
        if not options.stats and source.format is not Format.XLSX:
            first = read_first_rows(file, source.format, options.rows)
            return preview_of(source, size, first, options)
        with temporary_folder() as folder:
            if size is None:
                path = folder / "body"
                size = _copy(file, path)
            return preview_complete(path.resolve(), source, options, size, folder)


def _format_of(path: Path) -> Format:
    suffix = path.suffix.lower().removeprefix(".")
    if suffix in set(Format):
        return Format(suffix)
    if suffix in ("gz", "bz2", "xz", "zst", "zip"):
        raise UsageProblem(f"{path} is compressed", "decompress it first")
    raise UsageProblem(
        f"the name of {path} does not tell its format", "add -f csv, -f json or -f xlsx"
    )


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a valid name"
        raise FileProblem(f"cannot read {path}: {reason}", "check the name") from error


def _copy(file: IO[bytes], path: Path) -> int:
    """Copy a pipe or a device to a file; return its size."""
    with file_errors(path), path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
        return copy.tell()
