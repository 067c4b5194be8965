"""`nostra preview`."""

from typing import TYPE_CHECKING, Annotated

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import Target, is_path, number, one_of, option, result_id
from nostra_cli.cli.stdin import read_id
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.preview.first_rows import Preview, PreviewOptions

EXAMPLES = (
    "nostra preview 4711",
    "nostra preview 4711 -n 3 --json | jq .rows",
    "nostra preview ./result.csv --stats",
)
CODES = OF_AN_INVOCATION
DOCS = "preview"


ResultId = Annotated[str | None, result_id("Result (default: the primary one)")]
Rows = Annotated[int, option("-n, --rows N", "Number of rows", parser=number(0, 10_000))]
WithStats = Annotated[bool, option("--stats", "Statistics of each column, from the whole result")]
FormatOption = Annotated[
    str | None,
    option(
        "-f, --format csv|json|xlsx",
        "Format (default: the first available of csv, json, xlsx)",
        **one_of("csv", "json", "xlsx"),
    ),
]


def preview(
    context: typer.Context,
    id_: Target,
    result: ResultId = None,
    rows: Rows = 10,
    stats: WithStats = False,
    format_: FormatOption = None,
) -> ExitCode:
    """Show the first rows of a result.

    Reads no more than it shows: one request and less than a megabyte, however large the result
    is. --stats reads all of it: types, empty cells, distinct values, ranges and means. xlsx and
    --stats need nostra-cli[preview].
    """
    from nostra_cli.models import Format
    from nostra_cli.preview.first_rows import PreviewOptions

    session: Session = context.obj
    options = PreviewOptions(Format(format_) if format_ is not None else None, rows, stats)
    if is_path(id_):
        found = _preview_file(session, id_, result, options)
    else:
        found = _preview_result(session, read_id(id_), result, options)
    session.out.preview(found)
    return ExitCode.DONE


def _preview_file(
    session: Session, name: str, result: str | None, options: "PreviewOptions"
) -> "Preview":
    from nostra_cli.preview.local import preview_file

    if result is not None:
        raise UsageProblem("-r takes an invocation, not a local file", "leave it out")
    with session.out.progress.busy(f"reading {name}"):
        return preview_file(name, options)


def _preview_result(
    session: Session, id_: str, result: str | None, options: "PreviewOptions"
) -> "Preview":
    from nostra_cli.preview.remote import preview_result, suggest_file

    with suggest_file(id_), session.service() as service:
        low_speed, progress = session.low_speed, session.out.progress
        with progress.busy(f"reading {id_}"):
            return preview_result(service, id_, result, options, low_speed, progress.transfers)
