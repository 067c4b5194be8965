"""`nostra wait`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from nostra_cli.errors import ExitCode, Failed, NostraError
from nostra_cli.models import Invocation, Outcome
from nostra_cli.options import Ids, Interval, Timeout, read_ids
from nostra_cli.output.views import WAITED
from nostra_cli.session import Session
from nostra_cli.waiting import Waiting


def wait(
    session: Session,
    ids: Ids,
    timeout: Timeout = None,
    interval: Interval = None,
    any_: Annotated[
        bool, typer.Option("--any", help="Return at the first final invocation.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Return at the first failure.")
    ] = False,
) -> ExitCode:
    """Wait until every invocation is final.

    Exits 0 if all are completed, 5 if one failed, 124 if --timeout passed first.
    """
    wanted = read_ids(ids)

    def waited() -> Iterator[Invocation | NostraError]:
        spinner = session.out.spinner()
        deadline = session.deadline(timeout)
        with session.service(deadline) as service, session.out.showing(spinner):
            waiting = Waiting(service.invocation, deadline, spinner, interval)
            for item in waiting.run(wanted):
                yield item
                failure = failure_of(item)
                if failure is not None and failure is not item:
                    yield failure
                if (any_ and isinstance(item, Invocation)) or (fail_fast and failure is not None):
                    return

    return session.out.show(WAITED, waited())


def failure_of(item: Invocation | NostraError) -> NostraError | None:
    """Give what went wrong with a final invocation, None where nothing did."""
    if isinstance(item, NostraError):
        return item
    if item.outcome is Outcome.FAILED:
        return Failed(
            f"invocation {item.id!r} ended in error (status {item.status!r})", "start it again"
        )
    return None
