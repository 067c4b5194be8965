"""The protocols of everything that a body can be written to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol, Self

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.models import Piece


class Sink(Protocol):
    """Receive one body: `size` bytes so far, of `version` (None: unknown)."""

    size: int
    version: BodyVersion | None

    def restart(self, version: BodyVersion) -> None:
        """Discard the bytes and begin a body of `version`; raises Corrupt if that is impossible."""

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes again, from the first; none if they cannot be read again."""
        return iter(())

    def write(self, data: Piece) -> None:
        """Append all of `data`; raises FileProblem."""


class TargetSink(Sink, Protocol):
    """Receive one body; its target is unchanged until it is published.

    Leaving the block closes the sink. What remains, to be resumed or removed, is recorded on the
    error that ended the block.
    """

    def reader(self) -> IO[bytes] | None:
        """Open the complete body for a last check; None if it cannot be read again."""
        return None

    def publish(self, replace: bool) -> None:
        """Make the complete body visible, over another only with `replace`; or FileProblem."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        return
