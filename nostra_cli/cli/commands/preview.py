"""`nostra preview`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from nostra_cli.cli.params import Target, is_path, option, read_id
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.cli.context import Session
    from nostra_cli.models import Format
    from nostra_cli.preview.reading import Preview

EXAMPLES = (
    "nostra preview 4711",
    "nostra preview 4711 -n 3 --json | jq .rows",
    "nostra preview ./result.csv --stats",
)
CODES = OF_AN_INVOCATION
_MOST_ROWS = 10_000


class FormatChoice(StrEnum):
    """What `--format` takes."""

    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MOST_ROWS):
        raise ValueError(f"{text!r} is not a number of rows from 0 to {_MOST_ROWS}")
    return int(text)


ResultId = Annotated[
    str | None, option("-r", "--result", metavar="RESULT_ID", help="Result; else the primary one.")
]
Rows = Annotated[
    int, option("-n", "--rows", metavar="ROWS", help="Show so many rows.", parser=_count)
]
WithStats = Annotated[bool, option("--stats", help="Read all of it, and show what is in it.")]
Wanted = Annotated[
    FormatChoice | None,
    option("-f", "--format", help="Format; else csv, json or xlsx, the first there is."),
]


def preview(
    session: "Session",
    id_: Target,
    result: ResultId = None,
    rows: Rows = 10,
    stats: WithStats = False,
    format_: Wanted = None,
) -> ExitCode:
    """Show the first rows of a result.

    Reads no more than it shows: one request and less than a megabyte, however large the result
    is. With --stats all of it is read: types, empty cells, distinct values, ranges and means. A
    path such as ./result.csv is a local file.
    """
    from nostra_cli.models import Format

    chosen = Format(format_) if format_ is not None else None
    if is_path(id_):
        found = _of_file(session, id_, chosen, result, rows, stats)
    else:
        found = _of_service(session, read_id(id_), chosen, result, rows, stats)
    session.out.preview(found)
    return ExitCode.DONE


def _of_file(
    session: "Session",
    name: str,
    chosen: "Format | None",
    result: str | None,
    rows: int,
    stats: bool,
) -> "Preview":
    from nostra_cli.preview.local import look_at_file
    from nostra_cli.preview.reading import Reading

    if result is not None:
        raise UsageProblem("-r is for an invocation, not for a file", "give an id, or leave it out")
    return look_at_file(name, chosen, Reading(rows, stats), session.out.transfers)


def _of_service(
    session: "Session",
    id_: str,
    chosen: "Format | None",
    result: str | None,
    rows: int,
    stats: bool,
) -> "Preview":
    from nostra_cli.models import is_segment
    from nostra_cli.preview.remote import PreviewOptions, look, mentioning_file

    if result is not None and not is_segment(result):
        raise UsageProblem(f"-r {result!r} is not a result id", "see nostra results ID")
    wanted = PreviewOptions(id_, result, chosen, rows, stats, session.low_speed)
    with mentioning_file(id_), session.service(session.deadline()) as service:
        return look(service, wanted, session.out.transfers)
