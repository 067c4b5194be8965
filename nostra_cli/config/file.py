"""Find and read the config file.

Its content is never quoted in a message: it may hold a token.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nostra_cli.errors import UsageProblem

Table = dict[str, object]

MAX_BYTES = 1 << 20
"""The maximum size of a config file."""
READ_SECONDS = 30.0
"""How long a pipe or a device may take to give its content."""
UNKNOWN_FIX = "correct or remove it"
_NO_HOME = Path("~/.config/nostra/config.toml")
_ON_LINUX = "linux" in sys.platform


class ConfigWarning(NamedTuple):
    """A warning about the config file, and its fix."""

    message: str
    fix: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.message}; fix: {self.fix}"


class ConfigFile(NamedTuple):
    """The content of the config file; the values are those of TOML, unchecked."""

    path: Path
    top_level: Table
    """The setting for all profiles: `default_profile`."""
    profiles: Mapping[str, Table]
    warnings: tuple[ConfigWarning, ...] = ()


class Content(NamedTuple):
    """The first bytes of a file, and its mode."""

    content: bytes
    mode: int


def user_folder(env: Mapping[str, str], variable: str, default: str) -> Path:
    """Return the folder that an XDG variable names, else its default below the home directory.

    On Linux this is what platformdirs does; importing that takes longer than reading a file.
    Raises UsageProblem if there is no home directory.
    """
    named = env.get(variable, "")
    return Path(named) if named.strip() else expand_home(default)


def expand_home(path: str) -> Path:
    """Replace a leading ~ or ~USER; raises UsageProblem if there is no such home directory."""
    try:
        return Path(path).expanduser()
    except (OSError, RuntimeError, LookupError) as error:
        hint = "set HOME or NOSTRA_CONFIG" if path.startswith("~/") else "use another path"
        problem = f"no home directory for {path.partition(os.sep)[0]}"
        raise UsageProblem(problem, hint) from error


def config_path(env: Mapping[str, str]) -> Path:
    """Return the path of the config file: NOSTRA_CONFIG, else in platformdirs' user config dir.

    Raises UsageProblem if there is no home directory.
    """
    if named := env.get("NOSTRA_CONFIG"):
        try:
            return expand_home(named)
        except UsageProblem as problem:
            raise UsageProblem(f"NOSTRA_CONFIG: {problem.message}", problem.hint) from problem
    if _ON_LINUX:
        return user_folder(env, "XDG_CONFIG_HOME", "~/.config") / "nostra" / "config.toml"
    import platformdirs

    return Path(platformdirs.user_config_dir("nostra", appauthor=False)) / "config.toml"


def read(env: Mapping[str, str]) -> ConfigFile:
    """Read the config file; a missing one is empty.

    Raises UsageProblem, with file and line, if it cannot be read or parsed.
    """
    try:
        path = config_path(env)
    except UsageProblem:
        if env.get("NOSTRA_CONFIG"):
            raise
        return empty(env)
    try:
        content, mode = read_bounded(path, MAX_BYTES + 1)
        folder_mode = stat.S_IMODE(path.parent.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return ConfigFile(path, {}, {})
    except OSError as error:
        if isinstance(error, PermissionError) and not env.get("NOSTRA_CONFIG"):
            unread = ConfigWarning(f"cannot read {path}: {error.strerror}", f"chmod 600 {path}")
            return ConfigFile(path, {}, {}, (unread,))
        raise UsageProblem(
            f"cannot read the config file {path}: {error.strerror}",
            "fix it, or name another one with NOSTRA_CONFIG",
        ) from error
    # The mode of /dev/null, which stands for no file, is not the user's.
    own = stat.S_IMODE(mode) if stat.S_ISREG(mode) else 0
    loose = [loose_mode("config file", path, own, 0o600)]
    if not env.get("NOSTRA_CONFIG"):
        loose.append(loose_mode("folder", path.parent, folder_mode, 0o700, 0o022))
    return _checked(path, parse(path, content), [found for found in loose if found])


def empty(env: Mapping[str, str]) -> ConfigFile:
    """Return the empty config file, also without a home directory."""
    try:
        path = config_path(env)
    except UsageProblem:
        path = _NO_HOME
    return ConfigFile(path, {}, {})


def read_bounded(path: Path, limit: int) -> Content:
    """Read at most `limit` bytes; of a pipe or a device for at most READ_SECONDS.

    Raises OSError, also TimeoutError.
    """
    if stat.S_ISREG(path.stat().st_mode):
        return _read(path, limit)
    from nostra_cli.concurrency import call_within

    try:
        # Opening a named pipe blocks until another process writes to it.
        return call_within(READ_SECONDS, partial(_read, path, limit))
    except TimeoutError:
        reason = f"no end of its content within {READ_SECONDS:g} s"
        raise TimeoutError(errno.ETIMEDOUT, reason) from None


def _read(path: Path, limit: int) -> Content:
    with path.open("rb") as file:
        return Content(file.read(limit), os.fstat(file.fileno()).st_mode)


def parse(path: Path, content: bytes) -> Table:
    """Return the config file's content as TOML has it.

    Raises UsageProblem, with file and line, if it is not TOML.
    """
    if len(content) > MAX_BYTES:
        raise UsageProblem(f"the config file {path} is larger than 1 MiB", "is it the right file?")
    import tomllib  # some 20 ms, only if there is a file

    try:
        return tomllib.loads(content.removeprefix(codecs.BOM_UTF8).decode())
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
    hint = f"fix it: the format is TOML, https://toml.io; the file is {path}"
    raise UsageProblem(f"config file {path}, {problem}", hint)


def _checked(path: Path, document: Table, warnings: list[ConfigWarning]) -> ConfigFile:
    top_level = {key: document.pop(key) for key in ("default_profile",) if key in document}
    profiles = document.pop("profiles", {})
    if not isinstance(profiles, dict):
        raise not_a_table(path, "profiles")
    for name, profile in profiles.items():
        if not isinstance(profile, dict):
            raise not_a_table(path, f"profiles.{name}")
    warnings += [ConfigWarning(f"unknown key {key!r} in {path}", UNKNOWN_FIX) for key in document]
    return ConfigFile(path, top_level, profiles, tuple(warnings))


def loose_mode(
    what: str, path: Path, mode: int, private: int, forbidden: int = 0o077
) -> ConfigWarning | None:
    """Return a warning if the mode of `what` has a `forbidden` bit; the fix makes it `private`."""
    if sys.platform != "win32" and mode & forbidden:
        import shlex

        message = f"the {what} {path} has mode {mode:04o}, others may use it"
        return ConfigWarning(message, f"chmod {private:o} {shlex.quote(str(path))}")
    return None


def not_a_table(path: Path, key: str) -> UsageProblem:
    """Make the error of a key whose value is not a table."""
    return UsageProblem(f"config file {path}: {key} must be a table", "fix or remove it")


def check_name(name: str) -> str:
    """Return the name of a new profile; raises UsageProblem for an invalid one."""
    if not name or not name.isprintable():
        raise UsageProblem(f"{name!r} is not a valid profile name", "choose another one")
    return name


def no_profile(name: str, path: Path, known: Iterable[str], source: str = "") -> UsageProblem:
    """Make the error of a profile that is not among those `known`; `source` names its origin."""
    source = f" (from {source})" if source else ""
    listed = ", ".join(sorted(known)) or "none"
    return UsageProblem(f"no profile {name!r}{source} in {path}", f"profiles there: {listed}")
