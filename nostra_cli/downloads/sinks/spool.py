"""A body in a temporary file without a name, for what has to be whole before it is used."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.errors import file_errors
from nostra_cli.models import Piece

IN_MEMORY = 8 << 20
"""Bytes; a larger body goes to the disk (TMPDIR)."""
_BLOCK = 1 << 20


class Spool:
    """A sink that can be read again. `size` is in bytes."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        """Begin empty, in `file` if it is to have a name."""
        self.size = 0
        self.version: BodyVersion | None = None
        self.file: IO[bytes] = file or tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def restart(self, version: BodyVersion) -> None:
        """Begin again with a body of this version."""
        self.file.seek(0)
        self.file.truncate()
        self.size = 0
        self.version = version

    def blocks(self) -> Iterator[bytes]:
        """Read what is there, from its start."""
        self.file.seek(0)
        while block := self.file.read(_BLOCK):
            yield block

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem where the disk has no room for it."""
        with file_errors(Path(tempfile.gettempdir())):
            self.file.write(data)
        self.size += len(data)

    def close(self) -> None:
        """Throw it away."""
        self.file.close()
