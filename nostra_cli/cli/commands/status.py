"""`nostra status`."""

from collections.abc import Iterator
from typing import Annotated

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import Ci, Ids, option
from nostra_cli.cli.stdin import read_ids
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, NostraError

EXAMPLES = (
    "nostra status 4711 4712",
    "nostra status 4711 --exit-status && echo completed",
    "nostra status - --json < ids.txt",
)
CODES = OF_AN_INVOCATION
DOCS = "waiting"

ExitStatus = Annotated[
    bool, option("--exit-status", "Exit 0 if completed, 5 if failed, 9 if in progress")
]


def status(
    context: typer.Context, ids: Ids, exit_status: ExitStatus = False, ci: Ci = None
) -> ExitCode:
    """Show the status of invocations."""
    from nostra_cli.models import Invocation, Outcome
    from nostra_cli.output.views import STATUSES

    session: Session = context.obj
    codes = {
        Outcome.COMPLETED: ExitCode.DONE,
        Outcome.FAILED: ExitCode.FAILED,
        Outcome.IN_PROGRESS: ExitCode.NOT_READY,
    }
    wanted = read_ids(ids)
    outcomes: list[ExitCode] = []

    def statuses() -> Iterator[Invocation | NostraError]:
        with session.service() as service:
            for item in service.invocations(wanted, session.settings.jobs.value):
                code = codes[item.outcome] if isinstance(item, Invocation) else item.code
                outcomes.append(code)
                yield item

    with session.ci(ci, "status", wanted):
        code = session.out.show(STATUSES, statuses())
    return next(filter(None, outcomes), code) if exit_status else code
