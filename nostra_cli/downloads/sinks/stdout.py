"""Standard output as a sink; written bytes cannot be taken back."""

from __future__ import annotations

from typing import Protocol

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import TargetSink
from nostra_cli.errors import Corrupt
from nostra_cli.models import Piece


class Writer(Protocol):
    """A binary stream whose `write` writes everything."""

    def write(self, data: Piece) -> int:
        """Write all of `data`."""


class StdoutSink(TargetSink):
    """Write a body to a stream, once; the stream belongs to the caller."""

    def __init__(self, file: Writer) -> None:
        self._file = file
        self.size = 0
        self.version: BodyVersion | None = None

    def restart(self, version: BodyVersion) -> None:
        """Begin; raises Corrupt if bytes were written before."""
        if self.size:
            raise Corrupt(
                f"stdout has {self.size} bytes of a result that the service could not continue",
                "discard the output and try again, or download to a file",
            )
        self.version = version

    def publish(self, replace: bool) -> None:
        """Do nothing: it is there already."""

    def write(self, data: Piece) -> None:
        """Write through."""
        self._file.write(data)
        self.size += len(data)
