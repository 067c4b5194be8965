"""`nostra sandbox`."""

import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from nostra_cli.cli import completion
from nostra_cli.cli.context import Session
from nostra_cli.cli.params import argument, number, option
from nostra_cli.errors import ExitCode, UsageProblem, thread_errors, usage_errors
from nostra_cli.units import parse_size

EXAMPLES = (
    "nostra sandbox exec -- nostra download demo --wait",
    "nostra sandbox exec --scenario bad-day.toml -- sh fetch.sh",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)
DOCS = "sandbox"


def _complete_words(ctx: typer.Context, incomplete: str) -> list[str]:
    return completion.files(incomplete) if ctx.params.get("words") else ["exec"]


Words = Annotated[
    list[str] | None,
    argument("[exec -- COMMAND...]", "Command to run with the sandbox", complete=_complete_words),
]
Port = Annotated[
    int, option("--port N", "Port to listen on (default: a free one)", parser=number(0, 65_535))
]
LargeSize = Annotated[
    int | None,
    option(
        "--large-size SIZE", "Size of demo-large: 500MB, 4GiB (default: 100MB)", parser=parse_size
    ),
]
ScenarioFile = Annotated[
    Path | None,
    option(
        "--scenario FILE",
        "Inject the faults described in this TOML file",
        complete=completion.files,
    ),
]


def sandbox(
    context: typer.Context,
    words: Words = None,
    port: Port = 0,
    large_size: LargeSize = None,
    scenario: ScenarioFile = None,
) -> int:
    """Run a local stand-in for the service.

    To try nostra and to test pipelines. Prints the variables to export and serves until
    interrupted; or runs COMMAND with them and exits with its exit code. Invocations: demo,
    demo-dedup, demo-demand, demo-partial, demo-failed, demo-stuck, demo-large.
    """
    from nostra_cli.sandbox import child, server
    from nostra_cli.sandbox import scenario as scenarios

    session: Session = context.obj
    size = large_size if large_size is not None else server.LARGE_BYTES
    if words and (words[0] != "exec" or len(words) == 1):
        what = "COMMAND is missing" if words[0] == "exec" else f"unexpected argument: {words[0]}"
        raise UsageProblem(what, "nostra sandbox exec -- COMMAND...")
    with ExitStack() as stack:
        with usage_errors("the sandbox cannot start", "see nostra sandbox --help"):
            faults = scenarios.load(scenario) if scenario else None
            with thread_errors():
                running = stack.enter_context(server.serving(port, size, faults))
        if words:
            with usage_errors(f"cannot run {words[1]!r}", "is it on the PATH?"):
                process = stack.enter_context(
                    child.started(words[1:], running.base_url, running.token)
                )
            return child.wait(process)
        variables = {"NOSTRA_BASE_URL": running.base_url, "NOSTRA_TOKEN": running.token}
        if session.shared.json:
            session.out.document(dict(variables))
        else:
            for name, value in variables.items():
                session.out.line(f"export {name}={shlex.quote(value)}")
        ids = ", ".join(running.ids)
        session.out.info(f"serving until interrupted (Ctrl-C); it knows: {ids}")
        child.sleep()
    return ExitCode.DONE
