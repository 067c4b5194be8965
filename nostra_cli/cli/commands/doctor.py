"""`nostra doctor`."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nostra_cli.errors import ExitCode, UsageProblem

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


def doctor(session: "Session") -> ExitCode:
    """Find out what is wrong with the settings or the way to the service.

    Shows every setting with its origin, the config file, proxies and certificate authorities;
    then looks up the name, connects, and sends one request with the token. Exits 0 if there are
    no errors, else with the code that the first of them gives to other commands.
    """
    from nostra_cli.config.settings import load
    from nostra_cli.doctor.checks import examine
    from nostra_cli.output.views import FINDINGS

    problems: dict[str, UsageProblem] = {}
    settings = load(session.shared.flags, os.environ, problems)
    if settings.token.value is not None:
        session.out.mask(settings.token.value.value)
    trace = session.out.trace if session.shared.verbose else None
    codes: list[ExitCode] = []

    def found() -> Iterator["Finding"]:
        for finding in examine(settings, problems, os.environ, trace):
            codes.append(finding.code)
            yield finding

    code = session.out.show(FINDINGS, found())
    return next(filter(None, codes), code)
