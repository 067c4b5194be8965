"""What a body can be written to: every sink inherits from one of these protocols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol, Self

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.models import Piece


class Sink(Protocol):
    """Receive one body. `size` counts the bytes that are there, of `version` (None: unknown)."""

    size: int
    version: BodyVersion | None

    def restart(self, version: BodyVersion) -> None:
        """Drop what is there and begin a body of `version`; raises Corrupt where that is gone."""

    def blocks(self) -> Iterator[bytes]:
        """Read again what is there, from its start; nothing where it cannot be read again."""
        return iter(())

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem."""


class TargetSink(Sink, Protocol):
    """Receive one body for its target; nothing is there before it is published.

    Leaving the block closes it. What is left then, to be continued or removed, is recorded on the
    error that ended the block.
    """

    def reader(self) -> IO[bytes] | None:
        """Read the complete body for a last check, None where it cannot be read again."""
        return None

    def publish(self, replace: bool) -> None:
        """Make the complete body visible, over another only with `replace`; or FileProblem."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        return
