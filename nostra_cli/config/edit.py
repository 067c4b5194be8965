"""Change the config file: atomically, for its owner alone, and with the rest of it kept."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nostra_cli.config.file import (
    MAX_BYTES,
    Table,
    check_name,
    config_path,
    no_profile,
    not_a_table,
    parse,
)
from nostra_cli.config.settings import DEFAULT_PROFILE, TABLE
from nostra_cli.errors import FileProblem, UsageProblem, file_errors
from nostra_cli.files import draft_path, rewrite

_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a profile: `changed` is False if nothing was to do.

    `keys` are the keys of the profile after it.
    """

    path: Path
    profile: str
    changed: bool
    keys: tuple[str, ...] = ()


def put(env: Mapping[str, str], profile: str | None, values: Mapping[str, object]) -> Change:
    """Store values under their keys in a profile, which is made if it is missing.

    `profile` None is the default profile of the file. Raises UsageProblem for a file that is not
    TOML (it is unchanged) and for two keys of one setting, FileProblem for a file that cannot be
    written.
    """

    def edit(document: Table, path: Path) -> str:
        name = _chosen(document, profile)
        table = _subtable(_subtable(document, path, "profiles"), path, name, "profiles.")
        for row in TABLE:
            keys = {key.name for key in row.keys}
            if keys & set(values) and (others := keys & set(table) - set(values)):
                fix = f"remove it first: nostra config unset {min(others)}"
                raise UsageProblem(f"profile {name!r} already has a {min(others)}", fix)
        table.update(values)
        return name

    return _change(env, edit)


def drop(env: Mapping[str, str], profile: str | None, name: str) -> Change:
    """Remove a key from a profile, or `default_profile`; nothing is written if it is missing."""

    def edit(document: Table, path: Path) -> str:
        chosen = _chosen(document, profile)
        profiles = _subtable(dict(document), path, "profiles")
        table = _subtable(profiles, path, chosen, "profiles.") if chosen in profiles else {}
        (document if name == "default_profile" else table).pop(name, None)
        return chosen

    return _change(env, edit)


def choose(env: Mapping[str, str], name: str) -> Change:
    """Make a profile of the file its default one; raises as `put` does."""

    def edit(document: Table, path: Path) -> str:
        known = _subtable(dict(document), path, "profiles")
        if name not in known:
            raise no_profile(name, path, known)
        document["default_profile"] = name
        return name

    return _change(env, edit)


def _chosen(document: Table, profile: str | None) -> str:
    if profile is None:
        named = document.get("default_profile")
        return named if isinstance(named, str) else DEFAULT_PROFILE
    return check_name(profile)


def _subtable(table: Table, path: Path, key: str, above: str = "") -> Table:
    """Return the table under a key, made if missing; raises UsageProblem for another value."""
    found = table.setdefault(key, {})
    if not isinstance(found, dict):
        raise not_a_table(path, above + key)
    return found


def _change(env: Mapping[str, str], edit: Callable[[Table, Path], str]) -> Change:
    path = config_path(env)
    change = Change(path, "", changed=False)

    def edited() -> bytes | None:
        nonlocal change
        content = _read(path)
        document = parse(path, content)
        profile = edit(document, path)
        profiles = document.get("profiles")
        table = profiles.get(profile) if isinstance(profiles, dict) else None
        keys = tuple(table) if isinstance(table, dict) else ()
        change = Change(path, profile, document != parse(path, content), keys)
        return _toml(path, document) if change.changed else None

    with file_errors(path):
        target = Path(os.path.realpath(path))  # a link stays, its target is written
        edited()
        # A draft that a killed process left may hold a token.
        if not change.changed and not os.path.lexists(draft_path(target)):
            _tighten(target, 0o600)
            return change  # no lock, no folder: it may be one that cannot be written
        _make_private(target.parent)
        if not env.get("NOSTRA_CONFIG"):
            _tighten(path.parent, 0o700)
        busy = FileProblem(f"another process is changing {target}", "let it finish, then try again")
        rewrite(target, edited, busy, _LOCK_SECONDS, 0o600)
    return change


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileProblem(
                f"{path} is not a regular file", "name another one with NOSTRA_CONFIG"
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return b""


def _toml(path: Path, document: Table) -> bytes:
    import tomli_w

    try:
        content = tomli_w.dumps(document).encode()
    except (ValueError, RecursionError) as error:
        raise UsageProblem(
            f"config file {path}: a text that is not Unicode, or too long a number",
            "give another value, or fix the file",
        ) from error
    parse(path, content)  # what cannot be read is not written
    return content


def _make_private(folder: Path) -> None:
    """Make a folder and its missing parents, each for its owner alone."""
    if folder.is_dir():
        return
    _make_private(folder.parent)
    with contextlib.suppress(FileExistsError):  # another process was faster
        folder.mkdir(0o700)
        folder.chmod(0o700)  # whatever the umask is


def _tighten(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(mode)
