"""Convert settings to shown text, and typed text to settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from nostra_cli.config import edit
from nostra_cli.config.credentials import Token, TokenCommand, redact
from nostra_cli.config.edit import Change
from nostra_cli.config.schema import Key, Setting, Sources
from nostra_cli.config.settings import NOT_SET, TABLE, Flags, Settings
from nostra_cli.errors import UsageProblem
from nostra_cli.models import decode_text

KEYS: Mapping[str, tuple[Setting[Any], Key]] = {
    key.name: (row, key) for row in TABLE for key in row.keys
}
"""The setting that each key of the config file sets, and the key, by its name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting without secrets. `value` is None if nothing is set."""

    key: str
    value: str | int | float | None
    origin: str

    @property
    def text(self) -> str:
        """The value as the config file has it; empty if nothing is set."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return "" if self.value is None else str(self.value)


def show(settings: Settings) -> list[Shown]:
    """Return every effective setting; durations are in seconds, sizes in bytes."""
    return [
        Shown(name, _plain(setting.value, setting.origin), setting.origin)
        for name, setting in settings.values.items()
    ]


def _plain(value: object, origin: str) -> str | int | float | None:
    if isinstance(value, Token):
        return redact(value)
    if isinstance(value, TokenCommand):
        return "(from token_command)"
    if origin == NOT_SET:
        return "absent"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, int | float) else str(value)


def pick(settings: Settings, name: str) -> Shown:
    """Return one effective setting by its name or its key in the config file.

    Raises UsageProblem if there is no such setting, or if it is not set.
    """
    by_name = {item.key: item for item in show(settings)}
    item = by_name.get(KEYS[name][0].name if name in KEYS else name)
    if item is None:
        _unknown(name, by_name)
    command = settings.token.value
    if name == "token_command":
        import shlex

        words = shlex.join(command.words) if isinstance(command, TokenCommand) else None
        item = Shown(name, words, item.origin)
    if item.value is None or item.origin == NOT_SET:
        how = "nostra login" if name == "token" else f"nostra config set {name} VALUE"
        raise UsageProblem(f"{name} is not set", f"to set it: {how}")
    return item


def store(flags: Flags, env: Mapping[str, str], name: str, text: str) -> Change:
    """Store a typed value under a key of the config file; raises UsageProblem, FileProblem."""
    if name == "token":
        raise UsageProblem(
            "a token is not set like this: ps and the shell's history would show it",
            "use nostra login, which asks for it or reads it from stdin",
        )
    if name == "default_profile":
        return edit.choose(env, text)
    return edit.put(env, _profile(flags, env), {name: from_text(name, text)})


def check_keys(names: Iterable[str]) -> None:
    """Raise UsageProblem for a name that is not a key of the config file."""
    for name in names:
        if name not in KEYS:
            _unknown(name, KEYS)


def forget(flags: Flags, env: Mapping[str, str], name: str) -> Change:
    """Remove a key from the config file; raises UsageProblem, FileProblem."""
    return edit.drop(env, _profile(flags, env), name)


def _profile(flags: Flags, env: Mapping[str, str]) -> str | None:
    """Return the profile that --profile or NOSTRA_PROFILE names; None leaves it to the file."""
    return flags.profile if flags.profile is not None else env.get("NOSTRA_PROFILE") or None


def from_text(name: str, text: str) -> object:
    """Convert a typed value to the value in the config file; raises UsageProblem."""
    check_keys([name])
    row, key = KEYS[name]
    value = key.kind.from_text(decode_text(text))
    fix = f"to go back to the default: nostra config unset {name}"
    if not key.kind.accepts(value):
        raise UsageProblem(f"{name} must be {key.kind.words}", fix)
    Sources(None, {}, {name: value}, "not stored", fix=fix).value(row)
    return value


def overriding_variable(name: str, env: Mapping[str, str]) -> str | None:
    """Return the variable that is set and comes before a key of the config file, if any."""
    row, _ = KEYS[name]
    return next((one.name for one in row.variables if env.get(one.name)), None)


def _unknown(name: str, known: Iterable[str]) -> NoReturn:
    import difflib

    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"settings: {', '.join(names)}"
    raise UsageProblem(f"no setting {name!r}", hint)
