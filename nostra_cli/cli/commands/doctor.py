"""`nostra doctor`."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from nostra_cli.errors import ExitCode, NostraError, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.cli.context import Session
    from nostra_cli.doctor.finding import Finding

EXAMPLES = (
    "nostra doctor",
    "nostra doctor --profile prod",
    "nostra doctor --json | jq '.[] | select(.status != \"ok\")'",
)
CODES = (
    ExitCode.DONE,
    ExitCode.USAGE,
    ExitCode.AUTH,
    ExitCode.SERVICE,
    ExitCode.CORRUPT,
)
DOCS = "doctor"


def doctor(context: typer.Context) -> ExitCode:
    """Check the settings and the connection to the service.

    Shows every setting with its origin, the config file, proxies and certificate authorities;
    then resolves the host name, connects, and sends one request with the token. Exits 0 if there
    are no errors, else with the code of the first one.
    """
    from functools import partial

    from nostra_cli.config.masking import mask_token
    from nostra_cli.config.settings import load
    from nostra_cli.doctor.checks import examine
    from nostra_cli.output.views import FINDINGS

    session: Session = context.obj
    found: dict[str, UsageProblem] = {}
    settings = load(session.shared.flags, os.environ, found)
    problems: dict[str, NostraError] = {**found}
    token = None
    try:
        token = settings.require_token(show_stderr=not session.shared.json)
        session.out.mask(partial(mask_token, token.value))
    except NostraError as problem:
        problems.setdefault("token", problem)
    trace = session.out.trace if session.shared.verbose else None
    codes: list[ExitCode] = []

    def findings() -> Iterator["Finding"]:
        with session.out.progress.busy("checking the connection"):
            for finding in examine(settings, token, problems, os.environ, trace):
                codes.append(finding.code)
                yield finding

    code = session.out.show(FINDINGS, findings())
    return next(filter(None, codes), code)
