"""Which result, in which format, to which path: decided before a byte moves."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nostra_cli.downloads import naming as names
from nostra_cli.downloads.sinks.file import tidy
from nostra_cli.downloads.target import Target
from nostra_cli.errors import (
    Corrupt,
    Failed,
    FileProblem,
    NostraError,
    NotFound,
    UsageProblem,
    file_errors,
)
from nostra_cli.models import Format, Invocation, Result, check_completed, malformed


class OnExisting(StrEnum):
    """What to do with a file that is there already."""

    REFUSE = "refuse"
    OVERWRITE = "overwrite"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: no formats means the first one available, no results the primary."""

    formats: tuple[Format, ...] = ()
    every_format: bool = False
    results: tuple[str, ...] = ()
    every_result: bool = False

    @property
    def only_primary(self) -> bool:
        """Whether nothing but the primary result was asked for."""
        return not (self.results or self.every_result)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to: `file` (None: by template into `folder`); stdout is no file and no folder."""

    folder: Target = Path()
    file: Target | None = None
    stdout: bool = False
    template: str | None = None

    @property
    def folder_is_used(self) -> bool:
        """Whether there is room for several files."""
        return self.file is None and not self.stdout

    def primary_path(self, invocation: str, format: Format) -> Target:
        """Give the path of the primary result, where its id plays no part in it."""
        return self._path(names.PRIMARY_TEMPLATE, invocation, "", format)

    def path_of(self, invocation: str, result: Result, format: Format) -> Target:
        """Give the path of one result in one format."""
        default = names.PRIMARY_TEMPLATE if result.primary else names.OTHER_TEMPLATE
        return self._path(self.template or default, invocation, result.id, format)

    def _path(self, template: str, invocation: str, result: str, format: Format) -> Target:
        if self.file is not None:
            return self.file
        fields = {"invocation": invocation, "result": result, "format": str(format)}
        return self.folder / names.file_name(template, fields)


@dataclass(frozen=True, slots=True)
class Item:
    """One file to be made; `path` None is stdout."""

    invocation: str
    result: Result
    format: Format
    path: Target | None
    by_id: bool

    @property
    def source(self) -> str | None:
        """The result's id where it was asked for by id, None for the primary one."""
        return self.result.id if self.by_id else None

    @property
    def label(self) -> str:
        """How a person is told of it."""
        return self.path.name if self.path else f"{self.invocation} ({self.format})"


def choose(
    invocation: Invocation, selection: Selection, to: Destination
) -> list[Item | NostraError]:
    """List the files to be made of a completed invocation, or why one of them cannot be.

    Raises NotReady, Failed, NotFound or Corrupt where nothing can be chosen at all.
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


def check_distinct(items: Sequence[Item | NostraError]) -> None:
    """Raise UsageProblem when two results would be written to one file."""
    seen: dict[Target, Item] = {}
    for item in items:
        if isinstance(item, NostraError) or item.path is None:
            continue
        if item.path in seen:
            raise UsageProblem(
                f"two results would be written to {item.path}",
                "put {invocation}, {result} and {format} into --name",
            )
        seen[item.path] = item


def check_folder(folder: Path) -> None:
    """Raise FileProblem unless files can be made in `folder`."""
    hint = "make it, or choose another with -d"
    with file_errors(folder):  # its name may be too long
        there = folder.is_dir()
    if not there:
        what = "is not a directory" if os.path.lexists(folder) else "does not exist"
        raise FileProblem(f"the directory {folder} {what}", hint)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FileProblem(f"no permission to write in {folder}", hint)


def check_target(path: Path, existing: OnExisting) -> bool:
    """Check the place of a file before it is made; True means: leave it, it is there.

    Raises FileProblem for what must stay as it is: an existing file (unless told otherwise), and,
    whatever was told, a directory, a symbolic link, a FIFO or a device.
    """
    if path.name:  # `.` has none: it is a directory
        tidy(path)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise FileProblem(f"cannot use {path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        kind = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link"}.get(
            stat.S_IFMT(mode), "not a regular file"
        )
        raise FileProblem(
            f"{path} is {kind} and stays as it is", "name a file with -o, or use -o - for stdout"
        )
    if existing is OnExisting.REFUSE:
        raise FileProblem(
            f"{path} exists and stays as it is", "use --overwrite, --skip-existing or another name"
        )
    return existing is OnExisting.SKIP
