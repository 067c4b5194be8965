"""Standard output as a sink: what is written cannot be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.errors import Corrupt
from nostra_cli.models import Piece


class Writer(Protocol):
    """A binary stream that writes all it is given."""

    def write(self, data: Piece) -> int:
        """Write all of `data`."""


class StdoutSink:
    """Write a body to a stream, once. `size` is in bytes."""

    def __init__(self, file: Writer) -> None:
        """Write to `file`."""
        self._file = file
        self.size = 0
        self.version: BodyVersion | None = None

    def restart(self, version: BodyVersion) -> None:
        """Begin; raises Corrupt when something was written already."""
        if self.size:
            raise Corrupt(
                f"stdout has {self.size} bytes of a result that the service could not continue",
                "discard the output and try again, or download to a file",
            )
        self.version = version

    def blocks(self) -> Iterator[bytes]:
        """Give nothing: it cannot be read back."""
        return iter(())

    def reader(self) -> None:
        """Give nothing: it cannot be read back."""

    def publish(self, replace: bool) -> None:
        """Do nothing: it is there already."""

    def __enter__(self) -> StdoutSink:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the stream belongs to the caller."""

    def write(self, data: Piece) -> None:
        """Write through."""
        self._file.write(data)
        self.size += len(data)
