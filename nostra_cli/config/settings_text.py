"""Settings as text: what is typed to change one, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from nostra_cli.config import file as config_file
from nostra_cli.config.file import Change
from nostra_cli.config.profiles import PROFILE_KEYS, TYPE_WORDS, Value
from nostra_cli.config.settings import NOT_SET, Flags, Setting, Settings, check_value, named_profile
from nostra_cli.config.tokens import Token, redacted
from nostra_cli.errors import UsageProblem

_DEFAULT_PROFILE = "default_profile"
_KEYS = (_DEFAULT_PROFILE, *PROFILE_KEYS)
_VARIABLES = {
    "token": ("NOSTRA_TOKEN", "NOSTRA_TOKEN_FILE"),
    "base_url": ("NOSTRA_BASE_URL",),
    _DEFAULT_PROFILE: ("NOSTRA_PROFILE",),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as it may be shown: no token. `value` is None where nothing is set."""

    key: str
    value: str | int | float | None
    origin: str

    @property
    def text(self) -> str:
        """The value as the config file has it; empty where nothing is set."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return "" if self.value is None else str(self.value)


def shown(settings: Settings) -> list[Shown]:
    """Give every effective setting; durations are in seconds, sizes in bytes."""
    found = []
    for name, setting in settings._asdict().items():
        if isinstance(setting, Setting):
            found.append(Shown(name, _plain(setting), setting.origin))
    return found


def _plain(setting: Setting[object]) -> str | int | float | None:
    value = setting.value
    if isinstance(value, Token):
        return redacted(value)
    if setting.origin == NOT_SET:
        return "absent"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, int | float) else str(value)


def pick(settings: Settings, key: str) -> Shown:
    """Give one effective setting; raises UsageProblem for one that there is not, or is not set."""
    by_key = {item.key: item for item in shown(settings)}
    item = by_key.get("profile" if key == _DEFAULT_PROFILE else key)
    if item is None:
        _unknown(key, by_key)
    if item.value is None or item.origin == NOT_SET:
        how = "nostra login" if key == "token" else f"nostra config set {key} VALUE"
        raise UsageProblem(f"{key} is not set", f"to set it: {how}")
    return item


def store(flags: Flags, env: Mapping[str, str], key: str, text: str) -> Change:
    """Store what was typed for a key of the config file; raises UsageProblem, FileProblem."""
    if key == "token":
        raise UsageProblem(
            "a token is not set like this: ps and the history of the shell would show it",
            "use nostra login, which asks for it or reads it from stdin",
        )
    if key == _DEFAULT_PROFILE:
        return config_file.choose(env, text)
    value = from_text(key, text)
    return config_file.put(env, _profile(flags, env), {key: value})


def forget(flags: Flags, env: Mapping[str, str], key: str) -> Change:
    """Remove a key from the config file; raises UsageProblem, FileProblem."""
    if key == _DEFAULT_PROFILE:
        return config_file.choose(env, None)
    if key not in PROFILE_KEYS:
        _unknown(key, _KEYS)
    return config_file.drop(env, _profile(flags, env), key)


def _profile(flags: Flags, env: Mapping[str, str]) -> str | None:
    named = named_profile(flags, env)
    return named.value if named else None


def from_text(key: str, text: str) -> Value:
    """Give what the config file holds for a key of a profile; raises UsageProblem."""
    types = PROFILE_KEYS.get(key)
    if types is None:
        _unknown(key, _KEYS)
    value: Value | None = text or None
    if types == (bool,):
        value = {"true": True, "false": False}.get(text)
    elif types == (int,):
        value = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
    if value is None:
        raise UsageProblem(
            f"{key} must be {TYPE_WORDS[types[0]]}" + ("" if text else " that is not empty"),
            f"to go back to the default: nostra config unset {key}",
        )
    check_value(key, value)
    return value


def in_front(key: str, env: Mapping[str, str]) -> str | None:
    """Give the variable of the environment that comes before what the file has, if it is set."""
    return next((name for name in _VARIABLES.get(key, ()) if env.get(name)), None)


def _unknown(key: str, known: Iterable[str]) -> NoReturn:
    import difflib

    there = list(known)
    near = difflib.get_close_matches(key, there, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(there)}"
    raise UsageProblem(f"there is no setting {key!r}", hint)
