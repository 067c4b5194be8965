"""`nostra results`."""

from collections.abc import Iterator

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import Id
from nostra_cli.cli.stdin import read_id
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, NostraError

EXAMPLES = (
    "nostra results 4711",
    "nostra results 4711 --json",
    "nostra results 4711 | cut -f 1",
)
CODES = OF_AN_INVOCATION
DOCS = "downloading"


def results(context: typer.Context, id_: Id) -> ExitCode:
    """List the results of an invocation.

    Shows the formats of each result. Exits 9 if the invocation is still in progress, 5 if it
    failed.
    """
    from nostra_cli.models import Result, check_completed, malformed
    from nostra_cli.output.views import RESULTS

    session: Session = context.obj
    wanted = read_id(id_)

    def listed() -> Iterator[Result | NostraError]:
        with session.service() as service:
            invocation = service.invocation(wanted)
        check_completed(invocation)
        for result in invocation.results:
            yield malformed(wanted, result) or result

    return session.out.show(RESULTS, listed())
