"""`nostra login`."""

import os
from typing import TYPE_CHECKING

from nostra_cli.cli.params import read_secret
from nostra_cli.errors import ExitCode, with_note

if TYPE_CHECKING:
    from nostra_cli.cli.context import Session

EXAMPLES = (
    "nostra login",
    "nostra login --profile test --base-url https://nostradamus.example.com",
    "nostra login < token.txt",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.AUTH, ExitCode.FILE)
_SECONDS = 30.0


def login(session: "Session") -> ExitCode:
    """Store a token in the config file.

    Asks for it, unseen; where stdin is no terminal, reads it from there. It is tried once: a token
    that the service refuses is not stored. A profile that is not there yet is made.
    """
    from nostra_cli.config import file as config_file
    from nostra_cli.config.settings import login_target
    from nostra_cli.config.settings_text import in_front
    from nostra_cli.config.tokens import check_token

    target = login_target(session.shared.flags, os.environ)
    profile, base_url = target.profile.value, target.base_url.value
    token = check_token(read_secret(f"Token for {base_url}: "), "as given")
    deadline = session.deadline(_SECONDS)
    with with_note("nothing is stored"), session.service_at(base_url, token, deadline) as service:
        problem = service.check_token()
    kept = {"base_url": base_url} if target.apart else {}
    change = config_file.put(os.environ, profile, {"token": token.value, **kept})
    say = session.out
    say.info(f"the token of profile {profile!r} is stored in {change.path}, in plain text")
    if kept:
        say.info(f"base_url = {base_url} ({target.base_url.origin}) is stored with it")
    if problem is not None:
        say.warn(f"the token could not be checked: {problem.message}")
    if variable := in_front("token", os.environ):
        say.warn(f"{variable} is set and comes first, unless --profile is given")
    say.report(
        {
            "profile": profile,
            "path": str(change.path),
            "base_url": base_url,
            "checked": problem is None,
        }
    )
    return ExitCode.DONE
