"""SHA256SUMS: one line for each file of a directory, as `sha256sum -c` reads it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from nostra_cli.errors import FileProblem, file_errors
from nostra_cli.files import rewrite

NAME = "SHA256SUMS"
_MAX_SIZE = 64 << 20
_LOCK_SECONDS = 30.0
# `hash  name` (text), `hash *name` (binary) or `SHA256 (name) = hash`; a backslash in front means
# that the name is escaped.
_LINE = re.compile(
    rb"\\?(?:[0-9A-Fa-f]{64} [ *](?P<name>.+?)|SHA256 \((?P<tagged>.+)\) = [0-9A-Fa-f]{64})\r?",
    re.DOTALL,
)


def is_reserved(name: str) -> bool:
    """Return whether a file of this name could be the SHA256SUMS on some system."""
    return name.casefold() == NAME.casefold()


def check(folder: Path) -> None:
    """Raise FileProblem unless the SHA256SUMS of `folder` is missing or a regular file."""
    path = folder / NAME
    with file_errors(path):
        try:
            mode = path.lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
    if not stat.S_ISREG(mode):
        raise FileProblem(
            f"{path} is not a regular file (not replaced)", "remove it, or leave out --checksums"
        )


def record(folder: Path, sums: Mapping[str, str]) -> None:
    """Put the hash (hex) of each file into the directory's SHA256SUMS; raises FileProblem."""
    path = folder / NAME
    busy = FileProblem(f"another process keeps {path} locked", "try again when it has ended")
    with file_errors(path):
        rewrite(path, lambda: _merge(folder, sums), busy, _LOCK_SECONDS)


def _merge(folder: Path, sums: Mapping[str, str]) -> bytes:
    check(folder)
    new = {_escape(os.fsencode(name)): value.encode() for name, value in sums.items()}
    kept = [line for line in _lines(folder / NAME) if _name_of(line) not in new]
    for name, value in new.items():
        mark = b"\\" if b"\\" in name else b""
        kept.append(mark + value + b"  " + name)
    return b"".join(line + b"\n" for line in kept)


def _lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE + 1)
    except FileNotFoundError:
        return []
    if len(content) > _MAX_SIZE:
        raise FileProblem(f"{path} is too large", "remove it, or leave out --checksums")
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _name_of(line: bytes) -> bytes | None:
    """Return the file name of a line, still escaped."""
    found = _LINE.fullmatch(line)
    return (found["name"] or found["tagged"]) if found else None


def _escape(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
