"""Decide which result to download, in which format, to which path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nostra_cli.downloads import naming as names
from nostra_cli.downloads.target import Target
from nostra_cli.errors import (
    Corrupt,
    Failed,
    NostraError,
    NotFound,
)
from nostra_cli.models import Format, Invocation, Result, check_completed, local_name, malformed


@dataclass(frozen=True, slots=True)
class Selection:
    """What to download: no formats means the first one available, no results the primary one."""

    formats: tuple[Format, ...] = ()
    every_format: bool = False
    results: tuple[str, ...] = ()
    every_result: bool = False

    @property
    def only_primary(self) -> bool:
        """Whether it is the primary result alone."""
        return not (self.results or self.every_result)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to: `file`, stdout, or files named by `template` in `folder`."""

    folder: Target = Path()
    file: Target | None = None
    stdout: bool = False
    template: str | None = None

    @property
    def place(self) -> Target | None:
        """The file, or the directory of the files; None for stdout."""
        return None if self.stdout else self.file or self.folder

    @property
    def folder_is_used(self) -> bool:
        """Whether several files can be written."""
        return self.file is None and not self.stdout

    def known_path(self, invocation: str, format: Format, primary: bool) -> Target | None:
        """Return the path of a result whose id is not known yet; None if the path contains it."""
        template = self.template or (names.PRIMARY_TEMPLATE if primary else names.OTHER_TEMPLATE)
        if "{result}" in template and self.file is None:
            return None
        return self._path(template, invocation, "", format)

    def path_of(self, invocation: str, result: Result, format: Format) -> Target:
        """Return the path of one result in one format."""
        default = names.PRIMARY_TEMPLATE if result.primary else names.OTHER_TEMPLATE
        return self._path(self.template or default, invocation, result.id, format)

    def _path(self, template: str, invocation: str, result: str, format: Format) -> Target:
        if self.file is not None:
            return self.file
        fields = {"invocation": invocation, "result": result, "format": str(format)}
        name = names.file_name(template, fields)
        return self.folder / (local_name(name) if isinstance(self.folder, Path) else name)


@dataclass(frozen=True, slots=True)
class Item:
    """One result in one format, to be downloaded to `path` (None: stdout)."""

    invocation: str
    result: Result
    format: Format
    path: Target | None
    by_id: bool

    @property
    def source(self) -> str | None:
        """The id to request the result by; None requests the primary one."""
        return self.result.id if self.by_id else None

    @property
    def label(self) -> str:
        """Its name in messages."""
        return self.path.name if self.path else f"{self.invocation} ({self.format})"


def choose(
    invocation: Invocation, selection: Selection, to: Destination
) -> list[Item | NostraError]:
    """List the items of a completed invocation, with an error in place of each unavailable one.

    Raises NotReady, Failed, NotFound or Corrupt if nothing is available.
    """
    check_completed(invocation)
    items: list[Item | NostraError] = []
    for result in _results(invocation, selection):
        if isinstance(result, NostraError):
            items.append(result)
            continue
        for format_ in _formats(invocation, result, selection):
            if isinstance(format_, NostraError):
                items.append(format_)
                continue
            path = None if to.stdout else to.path_of(invocation.id, result, format_)
            by_id = not selection.only_primary
            items.append(Item(invocation.id, result, format_, path, by_id))
    return items


def _results(invocation: Invocation, selection: Selection) -> Sequence[Result | NostraError]:
    if not invocation.results:
        raise NotFound(f"invocation {invocation.id!r} is completed but has no results")
    if selection.every_result:
        return invocation.results
    if not selection.results:
        return [_primary(invocation)]
    known = {result.id: result for result in invocation.results}
    return [
        known.get(name)
        or NotFound(
            f"invocation {invocation.id!r} has no result {name!r}", f"it has: {_usable(invocation)}"
        )
        for name in selection.results
    ]


def _primary(invocation: Invocation) -> Result:
    primaries = [result for result in invocation.results if result.primary]
    if len(primaries) != 1:
        raise Corrupt(
            f"invocation {invocation.id!r} has {len(primaries)} primary results, not one",
            f"choose with -r, of: {_usable(invocation)}",
        )
    return primaries[0]


def _usable(invocation: Invocation) -> str:
    return ", ".join(result.id for result in invocation.results if not result.problem)


def _formats(
    invocation: Invocation, result: Result, selection: Selection
) -> Sequence[Format | NostraError]:
    if problem := malformed(invocation.id, result):
        return [problem]
    what = f"result {result.id!r} of {invocation.id!r}"
    if result.failed:
        return [
            Failed(f"{what} ended in error (status {result.status!r})", "it cannot be downloaded")
        ]
    available = [f for f in Format if f in result.formats]
    if not available:
        return [NotFound(f"{what} is available in no format")]
    if selection.every_format:
        return available
    if not selection.formats:
        return available[:1]
    return [
        f
        if f in result.formats
        else NotFound(f"{what} is not available as {f}", f"it is as: {', '.join(available)}")
        for f in selection.formats
    ]
