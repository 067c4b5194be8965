"""`nostra status`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from nostra_cli.errors import ExitCode, NostraError
from nostra_cli.models import Invocation, Outcome
from nostra_cli.options import Ids, read_ids
from nostra_cli.output.views import STATUSES
from nostra_cli.session import Session
from nostra_cli.waiting import ask_each

_CODES = {
    Outcome.COMPLETED: ExitCode.DONE,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.IN_PROGRESS: ExitCode.NOT_READY,
}


def status(
    session: Session,
    ids: Ids,
    exit_status: Annotated[
        bool,
        typer.Option(
            "--exit-status", help="Exit 0 if completed, 5 if failed, 9 if still in progress."
        ),
    ] = False,
) -> ExitCode:
    """Show the status of invocations.

    One request for each. Exits 0 if it could be read, whatever it is, unless told --exit-status.
    """
    wanted = read_ids(ids)
    outcomes: list[ExitCode] = []

    def asked() -> Iterator[Invocation | NostraError]:
        with session.service(session.deadline()) as service:
            for item in ask_each(service.invocation, wanted):
                final = _CODES[item.outcome] if isinstance(item, Invocation) else item.code
                outcomes.append(final)
                yield item

    code = session.out.show(STATUSES, asked())
    return next(filter(None, outcomes), code) if exit_status else code
