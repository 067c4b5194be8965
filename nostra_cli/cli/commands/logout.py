"""`nostra logout`."""

import os

import typer

from nostra_cli.cli.context import Session
from nostra_cli.errors import ExitCode

EXAMPLES = ("nostra logout", "nostra logout --profile test")
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)
DOCS = "settings"


def logout(context: typer.Context) -> ExitCode:
    """Remove a token from the config file.

    The other settings of the profile are kept, and the token stays valid: the service is not asked.
    """
    import shlex

    from nostra_cli.config.text import forget, overriding_variable

    session: Session = context.obj
    change = forget(session.shared.flags, os.environ, "token")
    out, profile = session.out, repr(change.profile)
    if change.changed:
        out.info(f"Removed the token of profile {profile} from {change.path}.")
    else:
        out.info(f"No token is stored for profile {profile} in {change.path}.")
    if change.keys:
        out.info(f"The profile keeps {', '.join(change.keys)}. To remove all of it:")
        names = shlex.join([*change.keys, "--profile", change.profile])
        out.info(f"nostra config unset {names}")
    if variable := overriding_variable("token", os.environ):
        out.warn(f"{variable} is still set: nostra continues to use that token")
    out.report({"profile": change.profile, "path": str(change.path), "removed": change.changed})
    return ExitCode.DONE
