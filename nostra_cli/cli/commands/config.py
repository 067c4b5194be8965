"""`nostra config list|get|set|unset|path`."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nostra_cli.cli.completion import setting_keys
from nostra_cli.cli.context import Session
from nostra_cli.cli.params import argument
from nostra_cli.config.text import KEYS
from nostra_cli.errors import ExitCode

if TYPE_CHECKING:
    from nostra_cli.config.edit import Change

EXAMPLES = (
    "nostra config list",
    "nostra config set format csv --profile test",
    "nostra config set token_command 'pass show nostra'",
)
CODES = (ExitCode.DONE, ExitCode.USAGE, ExitCode.FILE)
DOCS = "settings"

_KEYS = ", ".join(KEYS)


Name = Annotated[
    str, argument("KEY", "Setting, as nostra config list names it", complete=setting_keys)
]
Key = Annotated[str, argument("KEY", f"One of {_KEYS}", complete=setting_keys)]
Keys = Annotated[list[str], argument("KEY...", f"Any of {_KEYS}", complete=setting_keys)]
Value = Annotated[str, argument("VALUE", "New value")]


def config(context: typer.Context) -> None:
    """Show and change settings.

    Order of precedence: option, environment variable, profile in the config file, default. A
    profile named by --profile comes before the environment.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), color=context.color)


def list_(context: typer.Context) -> ExitCode:
    """List the effective settings and where each comes from.

    Of a token, at most its end is shown; a token_command is not run.
    """
    from nostra_cli.config.text import show
    from nostra_cli.output.views import SETTINGS

    session: Session = context.obj
    return session.out.show(SETTINGS, show(session.settings))


def get(context: typer.Context, key: Name) -> ExitCode:
    """Show the effective value of one setting.

    Exits 2 if it is not set.
    """
    from nostra_cli.config.text import pick
    from nostra_cli.output.views import SETTING

    session: Session = context.obj
    return session.out.show(SETTING, [pick(session.settings, key)])


def set_(context: typer.Context, key: Key, value: Value) -> ExitCode:
    """Store a setting in a profile of the config file.

    A missing profile is made; default_profile says which one is used. Tokens are stored by
    nostra login.
    """
    from nostra_cli.config.text import overriding_variable, store

    session: Session = context.obj
    change = store(session.shared.flags, os.environ, key, value)
    _report(session, key, change, f"Stored {key} = {value} in")
    if variable := overriding_variable(key, os.environ):
        session.out.warn(f"{variable} is set and comes first")
    return ExitCode.DONE


def unset(context: typer.Context, keys: Keys) -> ExitCode:
    """Remove settings from a profile of the config file."""
    from nostra_cli.config.text import check_keys, forget

    session: Session = context.obj
    check_keys(keys)
    for key in dict.fromkeys(keys):
        change = forget(session.shared.flags, os.environ, key)
        done = f"Removed {key} from" if change.changed else f"{key} is not set in"
        _report(session, key, change, done)
    return ExitCode.DONE


def _report(session: Session, key: str, change: "Change", done: str) -> None:
    where = "" if key == "default_profile" else f"profile {change.profile!r} of "
    session.out.info(f"{done} {where}{change.path}.")
    session.out.report(
        {
            "key": key,
            "profile": change.profile,
            "path": str(change.path),
            "changed": change.changed,
        }
    )


def path(context: typer.Context) -> ExitCode:
    """Show the path of the config file."""
    from nostra_cli.config.file import config_path
    from nostra_cli.output.views import PATH

    session: Session = context.obj
    return session.out.show(PATH, [config_path(os.environ)])


SUBCOMMANDS = {"list": list_, "get": get, "set": set_, "unset": unset, "path": path}
