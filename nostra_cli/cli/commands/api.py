"""`nostra api`."""

from functools import partial
from typing import Annotated

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.params import argument, option
from nostra_cli.cli.stdin import read_data
from nostra_cli.errors import ExitCode, UsageProblem
from nostra_cli.models import decode_text

EXAMPLES = (
    "nostra api api/collection --query limit=10",
    "nostra api api/invocation -d @invocation.json",
    "nostra api api/collection -i -H 'Accept-Language: it'",
)
CODES = (
    ExitCode.DONE,
    ExitCode.USAGE,
    ExitCode.AUTH,
    ExitCode.NOT_FOUND,
    ExitCode.SERVICE,
    ExitCode.CORRUPT,
    ExitCode.FILE,
    ExitCode.DEADLINE,
)
DOCS = "api"

Path = Annotated[
    str, argument("PATH", "Path such as /api/collection, or a URL of the same service")
]
Method = Annotated[
    str | None, option("-X, --method METHOD", "HTTP method (default: GET; POST with -d)")
]
Data = Annotated[
    str | None, option("-d, --data @FILE|-|TEXT", "Request body; - reads it from stdin")
]
Header = Annotated[
    list[str] | None, option("-H, --header 'NAME: VALUE'", "Request header (repeatable)")
]
Include = Annotated[bool, option("-i, --include", "Response status and headers before the body")]
Query = Annotated[list[str] | None, option("--query KEY=VALUE", "Query parameter (repeatable)")]


def api(
    context: typer.Context,
    path: Path,
    method: Method = None,
    data: Data = None,
    header: Header = None,
    include: Include = False,
    query: Query = None,
) -> ExitCode:
    """Send a request to any other endpoint of the service.

    With the token, the retries and the errors of the other commands. Writes the body of the
    response: the bytes as they come into a pipe, indented JSON on a terminal. A POST or a PATCH
    is sent once, everything else is retried while the service is not available.
    """
    from nostra_cli.api.parsing import parse_value
    from nostra_cli.api.request import build_request
    from nostra_cli.output.response import show_response

    session: Session = context.obj
    if include and session.shared.json:
        raise UsageProblem("-i and --json both want stdout", "give one of them")
    base_url = session.settings.base_url.value
    _ = session.token  # before stdin is read
    content = None if data is None else partial(read_data, data)
    request = build_request(base_url, decode_text(path), method, content, header or (), query or ())
    parse = partial(parse_value, what=request.name)
    with (
        session.service() as service,
        service.send(request, session.low_speed) as response,
    ):
        if response.error is None or include:
            show_response(session.out, response.head if include else (), response.chunks, parse)
        if response.error is not None:
            raise response.error
    return ExitCode.DONE
