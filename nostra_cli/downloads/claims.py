"""Reserve the paths of one run: no two items share a file."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from nostra_cli.downloads.target import Target
from nostra_cli.errors import FileProblem


class Claims:
    """The paths of one run."""

    def __init__(self) -> None:
        self._claims: dict[str, list[Claim]] = {}

    def claim(self, path: Target | None) -> Claim:
        """Reserve a path (None: stdout) for one item; raises FileProblem if it is taken."""
        if path is None:
            return Claim(None, ())
        # The same file on some systems: `a.csv` and `A.csv`, composed and decomposed accents.
        folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", str(path)).casefold())
        twins = self._claims.setdefault(folded, [])
        if any(twin.path == path for twin in twins):
            raise _shared(path)
        claim = Claim(path, tuple(twins))
        twins.append(claim)
        return claim


@dataclass(frozen=True, slots=True)
class Claim:
    """The path of one item, and earlier ones that may be the same file."""

    path: Target | None
    twins: tuple[Claim, ...]
    ended: Event = field(default_factory=Event)

    def check_twins(self) -> None:
        """Wait for the twins to end; raises FileProblem if one wrote the same file."""
        for twin in self.twins:
            twin.ended.wait()
            if isinstance(self.path, Path) and isinstance(twin.path, Path):
                with suppress(OSError):
                    if self.path.samefile(twin.path):
                        raise _shared(self.path)


def _shared(path: Target) -> FileProblem:
    return FileProblem(
        f"{path} is already the file of another result of this run",
        "put {invocation}, {result} and {format} into --name, or use another directory",
    )
