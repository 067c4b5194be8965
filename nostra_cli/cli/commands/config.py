"""`nostra config list|get|set|unset|path`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nostra_cli.errors import ExitCode

if TYPE_CHECKING:
    from nostra_cli.cli.context import Session
    from nostra_cli.config.file import Change

EXAMPLES = (
    "nostra config list",
    "nostra config set format csv --profile test",
    "nostra config set default_profile test",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)

Key = Annotated[str, typer.Argument(metavar="KEY", help="A setting: see nostra config list.")]
Value = Annotated[str, typer.Argument(metavar="VALUE", help="What it is to be.")]


def config(context: typer.Context) -> None:
    """See and change settings.

    An option comes before the environment, that before the profile in the config file, and that
    before the default; a profile that --profile names comes before the environment.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def list_(session: "Session") -> ExitCode:
    """List the settings that are in effect, and where each comes from.

    Of the token only that it is there, and the end of a long one.
    """
    from nostra_cli.config.settings_text import shown
    from nostra_cli.output.views import SETTINGS

    return session.out.show(SETTINGS, shown(session.settings))


def get(session: "Session", key: Key) -> ExitCode:
    """Show the value of one setting that is in effect.

    Exits 2 where it is not set.
    """
    from nostra_cli.config.settings_text import pick
    from nostra_cli.output.views import SETTING

    return session.out.show(SETTING, [pick(session.settings, key)])


def set_(session: "Session", key: Key, value: Value) -> ExitCode:
    """Store a setting in a profile of the config file.

    A profile that is not there yet is made; default_profile says which one is used. The token is
    stored by nostra login.
    """
    from nostra_cli.config.settings_text import in_front, store

    change = store(session.shared.flags, os.environ, key, value)
    _tell(session, key, change, f"{key} = {value} is stored in")
    if variable := in_front(key, os.environ):
        session.out.warn(f"{variable} is set and comes first")
    return ExitCode.DONE


def unset(session: "Session", key: Key) -> ExitCode:
    """Remove a setting from a profile of the config file."""
    from nostra_cli.config.settings_text import forget

    change = forget(session.shared.flags, os.environ, key)
    done = "is removed from" if change.changed else "is not set in"
    _tell(session, key, change, f"{key} {done}")
    return ExitCode.DONE


def _tell(session: "Session", key: str, change: "Change", done: str) -> None:
    where = "" if key == "default_profile" else f" profile {change.profile!r} of"
    session.out.info(f"{done}{where} {change.path}")
    session.out.report(
        {
            "key": key,
            "profile": change.profile,
            "path": str(change.path),
            "changed": change.changed,
        }
    )


def path(session: "Session") -> ExitCode:
    """Show where the config file is, or would be."""
    from nostra_cli.config.profiles import config_path
    from nostra_cli.output.views import PATH

    return session.out.show(PATH, [config_path(os.environ)])


SUBCOMMANDS = {"list": list_, "get": get, "set": set_, "unset": unset, "path": path}
