"""Where a body goes that is read as a whole: into a table, or a temporary file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.spool import Spool
from nostra_cli.errors import UsageProblem
from nostra_cli.models import Piece
from nostra_cli.preview.reading import Reading
from nostra_cli.preview.table import Parser
from nostra_cli.units import show_size

_BLOCK = 256 * 1024
LARGEST_BOOK = 64 << 20

Begin = Callable[[], tuple[Parser, Reading]]
Judging = Callable[[], AbstractContextManager[None]]


class Intake:
    """Reads a table while it comes; one that begins again is read again (fulfils `fetch.Sink`)."""

    def __init__(self, begin: Begin, judging: Judging) -> None:
        """Read by what `begin` gives, and tell of a bad body by what `judging` gives."""
        self._begin = begin
        self._judging = judging
        self._parser, self._reading = begin()
        # Blocks of one size: how the network cuts the body makes no difference to what is found.
        self._block = bytearray()
        self.size = 0
        self.version: BodyVersion | None = None

    def restart(self, version: BodyVersion) -> None:
        """Begin again."""
        self._parser, self._reading = self._begin()
        self._block.clear()
        self.size = 0
        self.version = version

    def blocks(self) -> Iterator[bytes]:
        """Nothing can be read back."""
        return iter(())

    def write(self, data: Piece) -> None:
        """Read on; raises Corrupt."""
        self._block += data
        self.size += len(data)
        while len(self._block) >= _BLOCK:
            block = bytes(self._block[:_BLOCK])
            del self._block[:_BLOCK]
            self._take(block)

    def _take(self, block: bytes) -> None:
        with self._judging():
            self._reading.take(self._parser.feed(block))

    def finished(self) -> tuple[Parser, Reading]:
        """Read what is left; raises Corrupt."""
        self._take(bytes(self._block))
        with self._judging():
            self._reading.take(self._parser.finish())
        self._reading.ended = True
        return self._parser, self._reading


class Book(Spool):
    """A workbook of at most 64 MiB."""

    def __init__(self, label: str, hint: str) -> None:
        """Tell of one that is too large by `label`, with `hint`."""
        super().__init__()
        self._label = label
        self._hint = hint

    def restart(self, version: BodyVersion) -> None:
        """Begin again; raises UsageProblem for one that says that it is too large."""
        self._check(version.length or 0)
        super().restart(version)

    def write(self, data: Piece) -> None:
        """Append; raises UsageProblem for one that is too large, and FileProblem."""
        self._check(self.size + len(data))
        super().write(data)

    def _check(self, size: int) -> None:
        if size > LARGEST_BOOK:
            raise UsageProblem(
                f"{self._label}: a workbook is read as a whole, and this one is larger than "
                f"{show_size(LARGEST_BOOK)}",
                self._hint,
            )
