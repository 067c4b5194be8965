"""A body in a temporary file, for readers that need it complete."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import IO

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.errors import FileProblem
from nostra_cli.models import Piece

IN_MEMORY = 8 << 20
"""Bytes; a larger body goes to the disk (TMPDIR)."""
_BLOCK = 1 << 20


class Spool(Sink):
    """A sink that can be read again. `size` is in bytes."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self.size = 0
        self.version: BodyVersion | None = None
        self.file: IO[bytes] = file or tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def restart(self, version: BodyVersion) -> None:
        """Empty the file and begin a body of `version`."""
        with _temporary_file_errors():
            self.file.seek(0)
            self.file.truncate()
        self.size = 0
        self.version = version

    def blocks(self) -> Iterator[bytes]:
        """Read the file from its start."""
        self.file.seek(0)
        while block := self.file.read(_BLOCK):
            yield block

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem if it cannot be written."""
        with _temporary_file_errors():
            self.file.write(data)
            self.file.flush()  # errors come here, not when it is read
        self.size += len(data)

    def close(self) -> None:
        """Remove it."""
        with contextlib.suppress(OSError):
            self.file.close()


@contextlib.contextmanager
def _temporary_file_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileProblem(
            f"cannot write a temporary file: {error.strerror or 'no usable directory'}",
            "set TMPDIR to a directory with room",
        ) from error
