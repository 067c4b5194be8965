"""`nostra doctor`."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from nostra_cli.cli.context import Session
from nostra_cli.errors import ExitCode, NostraError, UsageProblem

if TYPE_CHECKING:
    from nostra_cli.doctor.check import Check

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

    Checks the config file, every setting, proxy and certificate authorities; then resolves the
    host name, connects, and sends one request with the token. A terminal gets the problems, with
    -v all checks. Exits 0 if there are no errors, else with the code of the first one.
    """
    from functools import partial

    from nostra_cli.config.masking import mask_token
    from nostra_cli.config.settings import load
    from nostra_cli.doctor.checks import run_checks

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

    def checks() -> Iterator["Check"]:
        with session.out.progress.busy("checking the connection"):
            for check in run_checks(settings, token, problems, os.environ, trace):
                codes.append(check.code)
                yield check

    shown = session.out.checks(checks())
    return next(filter(None, codes), shown)
