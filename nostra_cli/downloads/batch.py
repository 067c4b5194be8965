"""Download many results of many invocations; an error of one does not end the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nostra_cli import concurrency
from nostra_cli.api.client import Service
from nostra_cli.downloads import checksums
from nostra_cli.downloads.checks import check_folder, check_target
from nostra_cli.downloads.claims import Claim, Claims
from nostra_cli.downloads.plan import Destination, Item, Selection, choose
from nostra_cli.downloads.sinks import store
from nostra_cli.downloads.sinks.stdout import Writer
from nostra_cli.downloads.stream import Meter
from nostra_cli.downloads.target import OnExisting, StoreUrl, Target
from nostra_cli.downloads.transfer import DownloadOptions, TransferResult, download
from nostra_cli.downloads.verify.level import preload
from nostra_cli.errors import NostraError, Signalled, UsageProblem, capture_error
from nostra_cli.files import sync_folder
from nostra_cli.models import Format, Invocation

Metering = Callable[[str], AbstractContextManager[Meter]]
Progress = Callable[[int], AbstractContextManager[Metering]]
"""Show transfers; takes their number."""
Task = Callable[[], TransferResult | NostraError]


@dataclass(frozen=True, slots=True)
class Batch:
    """What to download, where, and how; a `text_only` stdout (a terminal) takes no workbook."""

    ids: tuple[str, ...]
    selection: Selection
    to: Destination
    options: DownloadOptions
    jobs: int = 1
    text_only: bool = False

    @property
    def single(self) -> bool:
        """Whether at most one file can be selected."""
        chosen = self.selection
        many = chosen.every_format or chosen.every_result
        return not many and max(len(self.ids), len(chosen.formats), len(chosen.results)) <= 1

    @property
    def local_folder(self) -> Path | None:
        """The directory that files are written to, None for stdout and stores."""
        place = self.to.place
        if not isinstance(place, Path):
            return None
        return place if self.to.file is None else place.parent


def check_before(batch: Batch) -> None:
    """Check the targets before any request is sent; raises UsageProblem or FileProblem."""
    to, chosen, options = batch.to, batch.selection, batch.options
    folder = batch.local_folder
    if to.place is None:
        for format_ in chosen.formats:
            _check_text(batch, format_)
        return
    if isinstance(to.place, StoreUrl):
        _check_store(to.place, batch)
    if folder is not None:
        check_folder(folder, create=to.file is None)
    known = [
        path
        for id_ in batch.ids
        for format_ in chosen.formats or Format
        if (path := to.known_path(id_, format_, chosen.only_primary))
    ]
    if options.checksums and folder is not None:
        for path in known:
            _check_not_reserved(path)
        checksums.check(folder)
    if known and (to.file is not None or (batch.single and chosen.formats)):
        check_target(known[0], options.existing)


def _check_store(place: StoreUrl, batch: Batch) -> None:
    """Check that the store can be reached; its prefixes need not exist."""
    if batch.options.checksums:
        raise UsageProblem(
            f"--checksums is for files in a directory, not for {place.scheme}://",
            "--json gives the hash of each object",
        )
    existing = batch.options.existing
    if batch.to.folder_is_used:
        check_target(place, OnExisting.SKIP if existing is OnExisting.REFUSE else existing)


def _check_text(batch: Batch, format_: Format) -> None:
    if batch.text_only and format_ is Format.XLSX:
        raise UsageProblem(
            "a workbook cannot be shown on a terminal", "use -o FILE, or redirect stdout"
        )


def _check_not_reserved(path: Target) -> None:
    if checksums.is_reserved(path.name):
        raise UsageProblem(
            f"{path} is where --checksums writes the hashes", "use another name with -o or --name"
        )


Found = Sequence[Invocation | NostraError]


class Group(NamedTuple):
    """Invocations to download; `more` returns those that are to be downloaded beside them."""

    found: Found
    more: Callable[[], Found] | None = None


def run(
    service: Service,
    groups: Iterable[Group],
    batch: Batch,
    progress: Progress,
    stdout: Writer,
) -> Iterator[TransferResult | NostraError]:
    """Download the selected results of each group of invocations as it arrives, and as it grows.

    The results come in the order of the plan; an error takes the place of its file. Raises
    AuthProblem and DeadlinePassed, which end the work on all of them.
    """
    claims = Claims()
    planned: list[Item] = []
    finished: list[TransferResult] = []

    def abort() -> None:
        service.give_up()
        store.abort_all()

    def tasks(found: Found, shown: ExitStack) -> list[Task]:
        items = [item for invocation in found for item in _planned(invocation, batch)]
        transfers = [item for item in items if isinstance(item, Item)]
        planned.extend(transfers)
        preload({item.format for item in transfers}, batch.options.level)
        metering = shown.enter_context(progress(len(transfers)))
        return _tasks(service, items, batch, claims, metering, stdout)

    def more_tasks(more: Callable[[], Found], shown: ExitStack) -> list[Task]:
        found = more()
        return tasks(found, shown) if found else []

    try:
        for group in groups:
            with ExitStack() as shown:
                first = tasks(group.found, shown)
                more = partial(more_tasks, group.more, shown) if group.more else None
                # A driver that a signal interrupts could not remove its unfinished object.
                interruptible = not isinstance(batch.to.place, StoreUrl)
                for result in concurrency.run(
                    first, batch.jobs, abort, more, interruptible=interruptible
                ):
                    if isinstance(result, TransferResult):
                        finished.append(result)
                    yield result
    except BaseException as error:
        store.note_leftovers(error)
        if isinstance(error, Signalled) and _would_refuse(batch, planned):
            error.add_note("Some files are there already: add --skip-existing to leave them out.")
        with suppress(NostraError):
            _record(batch, finished)
        raise
    _record(batch, finished)


def _would_refuse(batch: Batch, planned: Sequence[Item]) -> bool:
    """Return whether the same command would find files that it does not replace."""
    paths = [item.path for item in planned if isinstance(item.path, Path)]
    return batch.options.existing is OnExisting.REFUSE and any(map(os.path.exists, paths))


def _record(batch: Batch, finished: Sequence[TransferResult]) -> None:
    """Make the finished files durable and write SHA256SUMS; raises FileProblem."""
    folder = batch.local_folder
    if folder is None or not finished:
        return
    sync_folder(folder)
    if batch.options.checksums:
        sums = {r.item.path.name: r.sha256 for r in finished if r.item.path and r.sha256}
        checksums.record(folder, sums)


def _tasks(
    service: Service,
    items: Sequence[Item | NostraError],
    batch: Batch,
    claims: Claims,
    metering: Metering,
    stdout: Writer,
) -> list[Task]:
    def transfer(item: Item, claim: Claim) -> TransferResult:
        try:
            claim.check_twins()
            with metering(item.label) as meter:
                return download(service, item, batch.options, meter, stdout)
        finally:
            claim.ended.set()

    def task(item: Item | NostraError) -> Task:
        if isinstance(item, NostraError):
            return lambda: item
        claim = capture_error(item.invocation, partial(_claim, item, batch, claims))
        if isinstance(claim, NostraError):
            return lambda: claim
        return partial(capture_error, item.invocation, partial(transfer, item, claim))

    return [task(item) for item in items]


def _claim(item: Item, batch: Batch, claims: Claims) -> Claim:
    """Reserve the path of an item that can be written to it."""
    if item.path is None:
        _check_text(batch, item.format)
    elif batch.options.checksums:
        _check_not_reserved(item.path)
    return claims.claim(item.path)


def _planned(invocation: Invocation | NostraError, batch: Batch) -> Sequence[Item | NostraError]:
    if isinstance(invocation, NostraError):
        return [invocation]
    found = capture_error(invocation.id, partial(choose, invocation, batch.selection, batch.to))
    items = [found] if isinstance(found, NostraError) else found
    return [i.about(invocation.id) if isinstance(i, NostraError) else i for i in items]
