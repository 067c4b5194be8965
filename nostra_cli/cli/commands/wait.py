"""`nostra wait`."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import Ci, Ids, Interval, Timeout, option
from nostra_cli.cli.stdin import read_ids
from nostra_cli.errors import OF_AN_INVOCATION, ExitCode, NostraError

EXAMPLES = (
    "nostra wait 4711",
    "nostra wait 4711 4712 --timeout 2h --fail-fast",
    "nostra wait 4711 && nostra results 4711",
)
CODES = tuple(code for code in OF_AN_INVOCATION if code is not ExitCode.NOT_READY)
DOCS = "waiting"

Any = Annotated[bool, option("--any", "Return at the first final invocation")]
FailFast = Annotated[bool, option("--fail-fast", "Return at the first failure")]


def wait(
    context: typer.Context,
    ids: Ids,
    timeout: Timeout = None,
    interval: Interval = None,
    any_: Any = False,
    fail_fast: FailFast = False,
    ci: Ci = None,
) -> ExitCode:
    """Wait until every invocation is final.

    Exits 0 if all are completed, 5 if one failed, 124 if --timeout passed first.
    """
    from nostra_cli.api.schedule import Waited
    from nostra_cli.api.wait import Waiting
    from nostra_cli.models import failure_of
    from nostra_cli.output.views import WAITED

    session: Session = context.obj
    wanted = read_ids(ids)
    with (
        session.ci(ci, "wait", wanted),
        session.service(timeout) as service,
        session.out.progress.waiting(len(wanted)) as watcher,
    ):
        waiting = Waiting(wanted, service, watcher, interval, session.settings.jobs.value)

        def final() -> Iterator[Waited | NostraError]:
            with closing(waiting.run()) as items:
                for item in items:
                    yield item
                    failure = failure_of(item.invocation) if isinstance(item, Waited) else item
                    if failure is not None and failure is not item:
                        yield failure
                    if (any_ and isinstance(item, Waited)) or (fail_fast and failure is not None):
                        return

        def in_order(finished: Sequence[Waited]) -> list[Waited]:
            found = {one.invocation.id: one for one in (*finished, *waiting.unfinished())}
            return [found[id_] for id_ in wanted if id_ in found]

        return session.out.show(WAITED, final(), in_order)
