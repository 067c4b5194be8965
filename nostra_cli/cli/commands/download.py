"""`nostra download`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostra_cli.cli import completion
from nostra_cli.cli.context import Session
from nostra_cli.cli.params import Ci, Ids, Interval, Timeout, number, one_of, option, result_id
from nostra_cli.cli.stdin import read_ids
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, NostraError, UsageProblem
from nostra_cli.models import decode_text

if TYPE_CHECKING:
    from nostra_cli.api.client import Service
    from nostra_cli.api.schedule import Waited
    from nostra_cli.downloads.batch import Batch, Group
    from nostra_cli.downloads.plan import Destination, Selection
    from nostra_cli.downloads.target import OnExisting
    from nostra_cli.downloads.transfer import TransferResult
    from nostra_cli.models import Invocation
    from nostra_cli.output.console import Output

EXAMPLES = (
    "nostra download 4711 --wait --timeout 2h -f csv",
    "nostra download 4711 4712 --all-results -f all -d results",
    "nostra download 4711 -f csv -o - | head -3",
)
CODES = OF_AN_INVOCATION
DOCS = "downloading"


Formats = Annotated[
    list[str] | None,
    option(
        "-f, --format json|csv|xlsx|all",
        "Repeatable (default: suffix of -o, or first available)",
        **one_of("json", "csv", "xlsx", "all"),
    ),
]
Results = Annotated[list[str] | None, result_id("Result, repeatable (default: the primary one)")]
AllResults = Annotated[bool, option("--all-results", "All results of the invocation")]
OutputFile = Annotated[
    str | None,
    option(
        "-o, --output FILE", "Output file or store URL; - for stdout", complete=completion.files
    ),
]
Dir = Annotated[
    str | None,
    option(
        "-d, --dir DIR",
        "Output directory or store URL (default: .)",
        complete=completion.directories,
    ),
]
Name = Annotated[
    str | None, option("--name TEMPLATE", "File name with {invocation}, {result}, {format}")
]
Overwrite = Annotated[
    bool, option("--overwrite", "Replace existing files once the new ones are complete")
]
SkipExisting = Annotated[bool, option("--skip-existing", "Keep existing files without an error")]
Wait = Annotated[bool, option("--wait", "Wait until the invocations are completed")]
Jobs = Annotated[
    int | None,
    option("-j, --jobs N", "Parallel transfers, 1 to 64 (default: 8)", parser=number(1, 64)),
]
NoResume = Annotated[bool, option("--no-resume", "Ignore partial files of an earlier run")]
Checksums = Annotated[bool, option("--checksums", "Also write SHA256SUMS, for sha256sum -c")]
Verify = Annotated[
    str,
    option("--verify auto|full|off", "Depth of the format check", **one_of("auto", "full", "off")),
]


def download(  # the options of the command
    context: typer.Context,
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
    verify: Verify = "auto",
    checksums: Checksums = False,
    ci: Ci = None,
) -> ExitCode:
    """Download results to files, or to stdout.

    Prints the path of each finished file. A file appears under its name only when it is complete
    and verified. -d and -o also take the URL of a store (s3://bucket/prefix), with
    nostra-cli[fsspec] and the driver of the store; uploads are not resumed.
    """
    from nostra_cli.downloads.batch import Batch, check_before, run
    from nostra_cli.downloads.transfer import DownloadOptions
    from nostra_cli.downloads.verify.level import Level
    from nostra_cli.output.views import DOWNLOADS

    session: Session = context.obj
    wanted = read_ids(ids)
    with session.ci(ci, "download", wanted):
        options = DownloadOptions(
            Level(verify),
            existing=_existing(overwrite, skip_existing),
            resume=not no_resume,
            checksums=checksums,
            hashing=checksums or session.shared.json,
            low_speed=session.low_speed,
        )
        batch = Batch(
            tuple(wanted),
            _selection(session, formats or [], results or [], all_results, output),
            _destination(session, output, folder, name),
            options,
            jobs or session.settings.jobs.value,
            text_only=session.out.data.terminal,
        )
        _check_stdout(session, batch)
        check_before(batch)

        def downloaded() -> Iterator["TransferResult | NostraError"]:
            out = session.out
            with session.service(timeout) as service, out.body() as stdout:
                groups = _groups(out, service, batch, wait, interval)
                for result in run(service, groups, batch, out.progress.transfers, stdout):
                    if isinstance(result, NostraError) or result.item.path is not None:
                        yield result

        return session.out.show(DOWNLOADS, downloaded())


def _check_stdout(session: Session, batch: "Batch") -> None:
    if not (batch.single or batch.to.folder_is_used):
        raise UsageProblem("-o takes one file, but several are selected", "use -d DIR instead")
    if not batch.to.stdout:
        return
    if batch.options.checksums:
        raise UsageProblem("--checksums is for files, not for stdout", "use -o FILE or -d DIR")
    if session.out.to_github:
        raise UsageProblem(
            "a body on stdout could hold what GitHub Actions takes for commands",
            "use -o FILE, or --no-ci and a pipe",
        )


def _groups(
    out: "Output",
    service: "Service",
    batch: "Batch",
    wait: bool,
    interval: float | None,
) -> Iterator["Group"]:
    """Yield groups of invocations to download: all, or those whose wait has ended."""
    from nostra_cli.api.wait import Waiting
    from nostra_cli.downloads.batch import Group

    ids, jobs = batch.ids, batch.jobs
    if not wait:
        yield Group(list(service.invocations(ids, jobs)))
        return
    with out.progress.waiting(len(ids)) as watcher:
        waiting = Waiting(ids, service, watcher, interval, jobs)
        for first in waiting.run():
            found = _invocations([first, *waiting.take_ended()])
            none_left = len(found) == len(ids)
            yield Group(found, None if none_left else lambda: _invocations(waiting.take_ended()))


def _invocations(ended: "Sequence[Waited | NostraError]") -> "list[Invocation | NostraError]":
    return [end if isinstance(end, NostraError) else end.invocation for end in ended]


def _selection(
    session: Session,
    formats: Sequence[str],
    results: Sequence[str],
    all_results: bool,
    output: str | None,
) -> "Selection":
    from nostra_cli.downloads.plan import Selection
    from nostra_cli.models import Format

    if results and all_results:
        raise UsageProblem("-r and --all-results exclude each other", "use one of them")
    chosen = tuple(Format(f) for f in dict.fromkeys(formats) if f != "all")
    if not formats:
        suffix = Path(output).suffix if output else ""
        named = suffix.lower().removeprefix(".")
        format_ = Format(named) if named in set(Format) else session.settings.format.value
        if suffix and named not in set(Format):
            what = format_ or "the first format available"
            session.out.warn(f"{suffix} is not a result format; -o {output} will contain {what}")
        chosen = (format_,) if format_ else ()
    every = "all" in formats
    return Selection(chosen, every, tuple(dict.fromkeys(results)), all_results)


def _destination(
    session: Session, output: str | None, folder: str | None, name: str | None
) -> "Destination":
    from nostra_cli.downloads.naming import check_template
    from nostra_cli.downloads.plan import Destination
    from nostra_cli.downloads.target import parse_target

    if output is not None and (folder is not None or name is not None):
        raise UsageProblem("-o excludes -d and --name", "give the whole path to -o, or use -d")
    if output == "-":
        if session.shared.json:
            raise UsageProblem("-o - and --json both use stdout", "use one of them")
        return Destination(stdout=True)
    if output is not None:
        if not Path(output).name or output[-1] in ("/", os.sep):
            raise UsageProblem(f"-o {output!r} is not a file name", "use -d for a directory")
        return Destination(file=parse_target(output))
    if folder == "":
        raise UsageProblem("-d '' is not a directory", "leave it out for the current directory")
    return Destination(
        folder=parse_target(folder if folder is not None else session.settings.dir.value),
        template=check_template(decode_text(name)) if name is not None else None,
    )


def _existing(overwrite: bool, skip_existing: bool) -> "OnExisting":
    from nostra_cli.downloads.target import OnExisting

    if overwrite and skip_existing:
        raise UsageProblem("--overwrite and --skip-existing exclude each other", "use one of them")
    if overwrite:
        return OnExisting.OVERWRITE
    return OnExisting.SKIP if skip_existing else OnExisting.REFUSE
