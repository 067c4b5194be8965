"""`nostra download`."""

import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nostra_cli.cli.params import Ci, Ids, Interval, Timeout, option, read_ids
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, NostraError, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.api.client import Service
    from nostra_cli.cli.context import Session
    from nostra_cli.downloads.batch import Request
    from nostra_cli.downloads.plan import Destination, OnExisting, Selection
    from nostra_cli.downloads.transfer import Done
    from nostra_cli.models import Invocation
    from nostra_cli.output.console import Output

EXAMPLES = (
    "nostra download 4711 --wait --timeout 2h -f csv",
    "nostra download 4711 4712 --all-results -f all -d results",
    "nostra download 4711 -f csv -o - | head -3",
)
CODES = OF_AN_INVOCATION


class FormatChoice(StrEnum):
    """What `--format` takes."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    ALL = "all"


class VerifyChoice(StrEnum):
    """What `--verify` takes."""

    AUTO = "auto"
    FULL = "full"
    OFF = "off"


Formats = Annotated[
    list[FormatChoice] | None,
    option("-f", "--format", help="Format, repeatable; else by the name given to -o, else any."),
]
Results = Annotated[
    list[str] | None,
    option("-r", "--result", metavar="RESULT_ID", help="Result, repeatable; else the primary one."),
]
AllResults = Annotated[bool, option("--all-results", help="Every result of the invocation.")]
OutputFile = Annotated[
    str | None,
    option("-o", "--output", metavar="FILE", help="Write this one file, or URL; - is stdout."),
]
Dir = Annotated[
    str | None,
    option(
        "-d", "--dir", metavar="DIR", help="Write files here, or to a URL; else in this folder."
    ),
]
Name = Annotated[
    str | None,
    option("--name", metavar="TEMPLATE", help="Name files by {invocation}, {result}, {format}."),
]
Overwrite = Annotated[
    bool, option("--overwrite", help="Replace an existing file, once the new one is whole.")
]
SkipExisting = Annotated[bool, option("--skip-existing", help="Leave an existing file, and go on.")]
Wait = Annotated[bool, option("--wait", help="First wait until the invocation is completed.")]
Jobs = Annotated[
    int | None,
    option("-j", "--jobs", metavar="N", help="Transfer N files at once; by default 8."),
]
NoResume = Annotated[
    bool,
    option("--no-resume", help="Do not go on with what an earlier run left; never done for a URL."),
]
Checksums = Annotated[
    bool, option("--checksums", help="Write the files' hashes to SHA256SUMS, too.")
]
Verify = Annotated[VerifyChoice, option("--verify", help="How closely to look at what comes.")]


def download(  # the options of the command
    session: "Session",
    ids: Ids,
    formats: Formats = None,
    results: Results = None,
    all_results: AllResults = False,
    output: OutputFile = None,
    folder: Dir = None,
    name: Name = None,
    overwrite: Overwrite = False,
    skip_existing: SkipExisting = False,
    wait: Wait = False,
    timeout: Timeout = None,
    interval: Interval = None,
    jobs: Jobs = None,
    no_resume: NoResume = False,
    verify: Verify = VerifyChoice.AUTO,
    checksums: Checksums = False,
    ci: Ci = None,
) -> ExitCode:
    """Download results to files, or to stdout.

    Prints the path of each finished file. A file appears under its name only when it is whole
    and verified. -d and -o take the URL of a store, too (s3://bucket/prefix), with
    nostra-cli[fsspec] and the store's driver; there, a run that ends early leaves nothing, and
    the next one begins afresh.
    """
    from nostra_cli.downloads import batch
    from nostra_cli.downloads.transfer import DownloadOptions
    from nostra_cli.downloads.verify.level import Level
    from nostra_cli.output.views import DOWNLOADS

    wanted = read_ids(ids)
    with session.ci(ci, "download", wanted):
        manner = DownloadOptions(
            _existing(overwrite, skip_existing),
            Level(verify),
            resume=not no_resume,
            checksums=checksums,
            hashing=checksums or session.shared.json,
            low_speed=session.low_speed,
        )
        request = batch.Request(
            tuple(wanted),
            _selection(session, formats or [], results or [], all_results, output),
            _destination(session, output, folder, name),
            manner,
            session.jobs(jobs),
        )
        _check_stdout(session, request)
        batch.check_before(request)

        def downloaded() -> Iterator["Done | NostraError"]:
            out = session.out
            with session.service(session.deadline(timeout)) as service:
                groups = _groups(out, service, request, wait, interval)
                for done in batch.run(service, groups, request, out.progress.transfers, out.data):
                    if isinstance(done, NostraError) or done.item.path is not None:
                        yield done

        return session.out.show(DOWNLOADS, downloaded())


def _check_stdout(session: "Session", request: "Request") -> None:
    from nostra_cli.models import Format

    if not (request.single or request.to.folder_is_used):
        raise UsageProblem("-o takes one file, but several are asked for", "use -d DIR instead")
    if not request.to.stdout:
        return
    if request.manner.checksums:
        raise UsageProblem("--checksums is for files, not for stdout", "use -o FILE or -d DIR")
    if session.out.to_github:
        raise UsageProblem(
            "a body on stdout could hold what GitHub Actions takes for commands",
            "use -o FILE, or --no-ci and a pipe",
        )
    if session.out.data.terminal and Format.XLSX in request.selection.formats:
        raise UsageProblem("a workbook is not for a terminal", "redirect stdout, or use -o FILE")


def _groups(
    out: "Output",
    service: "Service",
    request: "Request",
    wait: bool,
    interval: float | None,
) -> Iterator[Sequence["Invocation | NostraError"]]:
    """Give the invocations that can be downloaded together: all, or each when its wait is over."""
    from nostra_cli.api.wait import Waiting

    ids, jobs = request.ids, request.jobs
    if not wait:
        yield list(service.invocations(ids, jobs))
        return
    with out.progress.waiting(len(ids)) as watcher:
        waiting = Waiting(
            ids, service.invocation, service.retrier, watcher, interval, jobs, service.give_up
        )
        for item in waiting.run():
            yield [item if isinstance(item, NostraError) else item.invocation]


def _selection(
    session: "Session",
    formats: Sequence[FormatChoice],
    results: Sequence[str],
    all_results: bool,
    output: str | None,
) -> "Selection":
    from nostra_cli.downloads.plan import Selection
    from nostra_cli.models import Format, is_segment

    for result in results:
        if not is_segment(result):
            raise UsageProblem(f"-r {result!r} is not a result id", "see nostra results ID")
    if results and all_results:
        raise UsageProblem("-r and --all-results exclude each other", "give one of them")
    chosen = tuple(Format(f) for f in dict.fromkeys(formats) if f is not FormatChoice.ALL)
    if not formats:
        suffix = Path(output).suffix.lower().removeprefix(".") if output else ""
        named = Format(suffix) if suffix in set(Format) else session.settings.format.value
        chosen = (named,) if named else ()
    every = FormatChoice.ALL in formats
    return Selection(chosen, every, tuple(dict.fromkeys(results)), all_results)


def _destination(
    session: "Session", output: str | None, folder: str | None, name: str | None
) -> "Destination":
    from nostra_cli.downloads.naming import check_template
    from nostra_cli.downloads.plan import Destination
    from nostra_cli.downloads.target import target_of

    if output is not None and (folder is not None or name is not None):
        raise UsageProblem("-o excludes -d and --name", "give the whole path to -o, or use -d")
    if output == "-":
        if session.shared.json:
            raise UsageProblem("-o - and --json both want stdout", "give one of them")
        return Destination(stdout=True)
    if output is not None:
        if not Path(output).name or output[-1] in ("/", os.sep):
            raise UsageProblem(f"-o {output!r} is not a file name", "use -d for a directory")
        return Destination(file=target_of(output))
    if folder == "":
        raise UsageProblem("-d '' is not a directory", "leave it out for the current one")
    return Destination(
        folder=target_of(folder if folder is not None else session.settings.dir.value),
        template=check_template(name) if name is not None else None,
    )


def _existing(overwrite: bool, skip_existing: bool) -> "OnExisting":
    from nostra_cli.downloads.plan import OnExisting

    if overwrite and skip_existing:
        raise UsageProblem("--overwrite and --skip-existing exclude each other", "give one of them")
    if overwrite:
        return OnExisting.OVERWRITE
    return OnExisting.SKIP if skip_existing else OnExisting.REFUSE
