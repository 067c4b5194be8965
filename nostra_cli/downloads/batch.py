"""Many results of many invocations; each file stands for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nostra_cli import concurrency as parallel
from nostra_cli.api.client import Service
from nostra_cli.downloads import checksums
from nostra_cli.downloads.plan import (
    Destination,
    Item,
    OnExisting,
    Selection,
    check_distinct,
    check_folder,
    choose,
)
from nostra_cli.downloads.sinks import upload
from nostra_cli.downloads.sinks.stdout import Writer
from nostra_cli.downloads.stream import Meter
from nostra_cli.downloads.target import Remote
from nostra_cli.downloads.transfer import Done, DownloadOptions, download, occupied
from nostra_cli.errors import NostraError, UsageProblem, capture_error
from nostra_cli.files import sync_folder
from nostra_cli.models import Invocation

Metering = Callable[[str], AbstractContextManager[Meter]]
Progress = Callable[[int], AbstractContextManager[Metering]]
"""Shows transfers; takes how many there are."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to download, where to, and how."""

    ids: tuple[str, ...]
    selection: Selection
    to: Destination
    manner: DownloadOptions
    jobs: int = 1

    @property
    def single(self) -> bool:
        """Whether it cannot come to more than one file."""
        chosen = self.selection
        many = chosen.every_format or chosen.every_result
        return not many and max(len(self.ids), len(chosen.formats), len(chosen.results)) <= 1


def check_before(request: Request) -> None:
    """Check what can be seen to fail before anything is asked of the service.

    Raises UsageProblem or FileProblem.
    """
    to, chosen = request.to, request.selection
    template = to.template
    if template is not None and len(request.ids) > 1 and "{invocation}" not in template:
        raise UsageProblem(
            "the files of several invocations would have the same name",
            "put {invocation} into --name",
        )
    if to.stdout:
        return
    place = to.file if to.file is not None else to.folder
    if isinstance(place, Remote):
        _check_remote(place, request)
    else:
        check_folder(place.parent if to.file is not None else place)
    if to.file is not None:
        occupied(to.file, request.manner.existing)
    elif request.single and chosen.formats and chosen.only_primary and not template:
        path = to.primary_path(request.ids[0], chosen.formats[0])
        occupied(path, request.manner.existing)


def _check_remote(place: Remote, request: Request) -> None:
    """See that the store answers; its folders need not be there."""
    if request.manner.checksums:
        raise UsageProblem(
            f"--checksums is for the files of a folder, not for {place.scheme}://",
            "--json gives the hash of each object",
        )
    existing = request.manner.existing
    if request.to.folder_is_used:
        occupied(place, OnExisting.SKIP if existing is OnExisting.REFUSE else existing)


def run(
    service: Service,
    groups: Iterable[Sequence[Invocation | NostraError]],
    request: Request,
    progress: Progress,
    stdout: Writer,
) -> Iterator[Done | NostraError]:
    """Download what was asked for of each group of invocations as it comes.

    The answers come in the order asked for; an error takes the place of its file. Raises
    AuthProblem and DeadlinePassed, which end the work on all of them.
    """
    sums: dict[Path, dict[str, str]] = {}
    folders: set[Path] = set()

    def give_up() -> None:
        service.give_up()
        upload.drop_all()

    try:
        for group in groups:
            items = [item for invocation in group for item in _planned(invocation, request)]
            with progress(sum(isinstance(item, Item) for item in items)) as metering:
                tasks = _tasks(service, items, request, metering, stdout)
                for done in parallel.run(tasks, request.jobs, give_up):
                    if isinstance(done, Done) and isinstance(done.item.path, Path):
                        path = done.item.path
                        folders.add(path.parent)
                        if done.sha256:
                            sums.setdefault(path.parent, {})[path.name] = done.sha256
                    yield done
    finally:
        for folder in folders:  # once for many files
            sync_folder(folder)
        if request.manner.checksums:
            for folder, found in sums.items():
                checksums.record(folder, found)


def _tasks(
    service: Service,
    items: Sequence[Item | NostraError],
    request: Request,
    metering: Metering,
    stdout: Writer,
) -> list[Callable[[], Done | NostraError]]:
    def transfer(item: Item | NostraError) -> Done:
        if isinstance(item, NostraError):
            raise item
        with metering(item.label) as meter:
            return download(service, item, request.manner, meter, stdout)

    return [partial(capture_error, item.invocation, partial(transfer, item)) for item in items]


def _planned(
    invocation: Invocation | NostraError, request: Request
) -> Iterable[Item | NostraError]:
    if isinstance(invocation, NostraError):
        return [invocation]
    try:
        items = choose(invocation, request.selection, request.to)
        check_distinct(items)
    except NostraError as error:
        items = [error]
    for item in items:
        if isinstance(item, NostraError):
            item.invocation = invocation.id
    return items
