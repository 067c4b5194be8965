"""SHA256SUMS: what `sha256sum -c` reads, one line for each file of a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nostra_cli.errors import file_errors

NAME = "SHA256SUMS"
_LARGEST = 64 << 20


def record(folder: Path, sums: Mapping[str, str]) -> None:
    """Put the hash (hex) of each file name into the folder's SHA256SUMS.

    Lines of other files stay as they are; the file is replaced at once. Raises FileProblem.
    """
    path = folder / NAME
    new = [_line(name, value) for name, value in sums.items()]
    ours = {line.removeprefix("\\")[64:] for line in new}
    with file_errors(path):
        lines = [line for line in _lines(path) if line.removeprefix("\\")[64:] not in ours]
        lines += new
        fd, temporary = tempfile.mkstemp(prefix=f".{NAME}.", dir=folder)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(b"".join(os.fsencode(line) + b"\n" for line in lines))
                file.flush()
                os.fsync(fd)
                Path(temporary).chmod(_mode(path))
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return os.fsdecode(file.read(_LARGEST)).split("\n")[:-1]
    except FileNotFoundError:
        return []


def _line(name: str, value: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "" if escaped == name else "\\"  # tells sha256sum that the name is escaped
    return f"{mark}{value}  {escaped}"


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
