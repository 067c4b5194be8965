"""`nostra login`."""

import os

import typer

from nostra_cli.cli.context import Session
from nostra_cli.cli.prompt import read_secret
from nostra_cli.errors import ExitCode, with_note

EXAMPLES = (
    "nostra login",
    "nostra login --profile test --base-url https://nostradamus.example.com",
    "nostra login < token.txt",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.AUTH, ExitCode.FILE)
DOCS = "settings"
_SECONDS = 30.0


def login(context: typer.Context) -> ExitCode:
    """Store a token in the config file.

    Prompts for it without echo, or reads it from stdin if that is not a terminal. The token is
    tried with one request: one that the service refuses is not stored. A missing profile is made.
    """
    from nostra_cli.config import edit
    from nostra_cli.config.credentials import check_token
    from nostra_cli.config.settings import login_target
    from nostra_cli.config.text import overriding_variable

    session: Session = context.obj
    target = login_target(session.shared.flags, os.environ)
    profile, base_url = target.profile.value, target.base_url.value
    token = check_token(read_secret(f"Token for {base_url}: "))
    deadline = session.deadline(_SECONDS)
    with with_note("nothing was stored"), session.service_at(base_url, token, deadline) as service:
        problem = service.check_token()
    more = {"base_url": base_url} if target.keep_base_url else {}
    change = edit.put(os.environ, profile, {"token": token.value, **more})
    out = session.out
    out.info(f"Stored the token of profile {profile!r} in {change.path} (plain text, mode 0600).")
    if more:
        out.info(f"Stored base_url = {base_url} with it ({target.base_url.origin}).")
    if problem is not None:
        out.warn(f"the token could not be checked: {problem.message}")
    if variable := overriding_variable("token", os.environ):
        out.warn(f"{variable} is set and comes first, unless --profile is given")
    out.report(
        {
            "profile": profile,
            "path": str(change.path),
            "base_url": base_url,
            "checked": problem is None,
        }
    )
    return ExitCode.DONE
