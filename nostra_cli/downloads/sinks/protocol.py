"""What a body can be written to: one protocol, which every sink fulfils."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.models import Piece


class Sink(Protocol):
    """Receive one body. `size` counts the bytes that are there, of `version` (None: unknown)."""

    size: int
    version: BodyVersion | None

    def restart(self, version: BodyVersion) -> None:
        """Drop what is there and begin a body of `version`; raises Corrupt where that is gone."""

    def blocks(self) -> Iterator[bytes]:
        """Read again what is there, from its start."""

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem."""
