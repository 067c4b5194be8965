"""`nostra logout`."""

import os
from typing import TYPE_CHECKING

from nostra_cli.errors import ExitCode

if TYPE_CHECKING:
    from nostra_cli.cli.context import Session

EXAMPLES = ("nostra logout", "nostra logout --profile test")
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)


def logout(session: "Session") -> ExitCode:
    """Remove a token from the config file.

    The rest of the profile stays. The service is not asked: it goes on to take the token.
    """
    from nostra_cli.config.settings_text import forget, in_front

    change = forget(session.shared.flags, os.environ, "token")
    if change.changed:
        session.out.info(f"the token of profile {change.profile!r} is removed from {change.path}")
    else:
        session.out.info(f"no token is stored for profile {change.profile!r} in {change.path}")
    if variable := in_front("token", os.environ):
        session.out.warn(f"{variable} is still set: nostra goes on to use that token")
    session.out.report(
        {"profile": change.profile, "path": str(change.path), "removed": change.changed}
    )
    return ExitCode.DONE
