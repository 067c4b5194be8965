"""The config file: where it is, what it may hold, and reading it.

Its content is never quoted in a message: it may hold a token.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from nostra_cli.errors import UsageProblem

Value = str | int | float | bool
Profile = Mapping[str, Value]

DEFAULT_PROFILE = "default"
PROFILE_KEYS: Mapping[str, tuple[type, ...]] = {
    "token": (str,),
    "base_url": (str,),
    "format": (str,),
    "dir": (str,),
    "jobs": (int,),
    "timeout": (str, int, float),
    "ci": (bool,),
    "history": (bool,),
}
TYPE_WORDS: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
}
LARGEST = 1 << 20
"""Bytes: what is read of a config file, and written."""
_LARGEST_NUMBER = 1 << 53
_ON_LINUX = "linux" in sys.platform


class Config(NamedTuple):
    """What the config file says; `warnings` is for the person who owns it."""

    path: Path
    default_profile: str | None
    profiles: Mapping[str, Profile]
    warnings: tuple[str, ...] = ()


def config_path(env: Mapping[str, str]) -> Path:
    """Tell where the config file is: NOSTRA_CONFIG, else platformdirs' user config dir."""
    if named := env.get("NOSTRA_CONFIG"):
        return Path(named)
    if _ON_LINUX:
        # What platformdirs says there; loading it takes longer than reading the file.
        base = env.get("XDG_CONFIG_HOME", "")
        folder = Path(base) if base.strip() else Path("~/.config").expanduser()
        return folder / "nostra" / "config.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("nostra", appauthor=False)) / "config.toml"


def read(env: Mapping[str, str]) -> Config:
    """Read the config file; a missing one is an empty one.

    Raises UsageProblem, with file and line, for what cannot be read or understood.
    """
    path = config_path(env)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return Config(path, None, {})
    except OSError as error:
        if isinstance(error, PermissionError) and not env.get("NOSTRA_CONFIG"):
            return Config(path, None, {}, (f"cannot read {path}: {error.strerror}",))
        raise UsageProblem(
            f"cannot read the config file {path}: {error.strerror}",
            "mend it, or name another with NOSTRA_CONFIG",
        ) from error
    # /dev/null is a way to say that there is none: its mode is none of ours.
    own = stat.S_IMODE(mode) if stat.S_ISREG(mode) else 0
    return _checked(path, parse(path, content), own)


def parse(path: Path, content: bytes) -> dict[str, object]:
    """Give the config file's content as TOML has it, the keys unchecked.

    Raises UsageProblem, with file and line, for what is not TOML.
    """
    if len(content) > LARGEST:
        raise UsageProblem(f"the config file {path} is larger than 1 MiB", "is it the right file?")
    import tomllib  # some 20 ms, only where there is a file

    hint = f"mend it: the format is TOML, https://toml.io; the file is {path}"
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"line {line}: not UTF-8"
    except tomllib.TOMLDecodeError as error:
        # Its text may quote a key or a value, so only the position is taken from it.
        found = re.search(r"line (\d+), column (\d+)", str(error))
        if found:
            problem = f"line {found[1]}, column {found[2]}: not valid TOML"
        else:
            line = content.rstrip(b"\n").count(b"\n") + 1
            problem = f"line {line}: not valid TOML, at the end of the file"
    except RecursionError:
        problem = "line 1: nested too deeply"
    except ValueError:  # Python reads no number of more than 4,300 digits
        problem = "line 1 or later: a number is too long"
    raise UsageProblem(f"config file {path}, {problem}", hint)


def _checked(path: Path, document: dict[str, object], mode: int) -> Config:
    loose = loose_mode(path, mode)
    warnings: list[str] = [loose] if loose else []
    default = document.pop("default_profile", None)
    if not (default is None or isinstance(default, str)):
        raise wrong_type(path, "default_profile", "a string")
    tables = document.pop("profiles", {})
    if not isinstance(tables, dict):
        raise wrong_type(path, "profiles", "a table")
    warnings += [f"unknown key {key!r} in {path}" for key in document]
    profiles = {name: _profile(path, name, table, warnings) for name, table in tables.items()}
    return Config(path, default, profiles, tuple(warnings))


def loose_mode(path: Path, mode: int) -> str | None:
    """Say what is wrong with a config file's mode and how to mend it; None if nothing is."""
    if sys.platform != "win32" and mode & 0o077:
        says = f"the config file {path} has mode {mode:04o}, others may use it"
        return f"{says}; fix: chmod 600 {path}"
    return None


def _profile(path: Path, name: str, table: object, warnings: list[str]) -> Profile:
    if not isinstance(table, dict):
        raise wrong_type(path, f"profiles.{name}", "a table")
    profile: dict[str, Value] = {}
    for key, value in table.items():
        types = PROFILE_KEYS.get(key)
        if types is None:
            warnings.append(f"unknown key {key!r} in profile {name!r} of {path}")
        elif isinstance(value, str | int | float) and type(value) in types and _is_sane(value):
            profile[key] = value
        else:
            raise wrong_type(path, f"profiles.{name}.{key}", TYPE_WORDS[types[0]])
    return profile


def _is_sane(value: Value) -> bool:
    return not isinstance(value, int) or abs(value) < _LARGEST_NUMBER


def wrong_type(path: Path, key: str, wanted: str) -> UsageProblem:
    """Make the error of a key whose value is not `wanted` (words)."""
    return UsageProblem(
        f"config file {path}: {key} must be {wanted}", f"mend the key {key} in that file"
    )


def check_name(name: str) -> str:
    """Give the name of a new profile back; raises UsageProblem for one that nobody could type."""
    if not name or not name.isprintable():
        raise UsageProblem(f"{name!r} cannot be the name of a profile", "choose another one")
    return name


def no_profile(name: str, path: Path, there: Iterable[str], whence: str = "") -> UsageProblem:
    """Make the error of a profile that is not `there`; `whence` may say who named it."""
    known = ", ".join(sorted(there)) or "none"
    return UsageProblem(f"no profile {name!r}{whence} in {path}", f"profiles there: {known}")
