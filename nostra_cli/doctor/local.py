"""What can be looked at without a network: the settings, the config file and its modes."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from nostra_cli.config.file import loose_mode
from nostra_cli.config.settings import Settings
from nostra_cli.config.text import show
from nostra_cli.doctor.finding import Finding, fine, warning, wrong
from nostra_cli.errors import NostraError

Problems = Mapping[str, NostraError]


def config_file(
    settings: Settings, problems: Problems, env: Mapping[str, str]
) -> Iterator[Finding]:
    """Check the config file, its mode and its folder's, and what it says."""
    path = settings.config.path
    mode = _mode(path) if os.path.isfile(path) else None  # noqa: PTH113 - raises nothing
    loose = loose_mode(path, mode) if mode is not None else None
    if "config" in problems:
        yield wrong("config_file", problems["config"])
    elif mode is None:
        yield fine("config_file", f"{path} (there is none)")
    elif not loose:
        yield fine("config_file", f"{path}, mode {mode:04o}")
    if loose:
        yield _warned("config_file", loose)
    for text in settings.config.warnings:
        if text != loose:
            yield _warned("config_file", text)
    yield from _folder(path.parent, bool(env.get("NOSTRA_CONFIG")))


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except (OSError, ValueError):
        return None


def _warned(check: str, text: str) -> Finding:
    detail, _, fix = text.partition("; fix: ")
    return warning(check, detail, fix or "mend it or remove it")


def _folder(folder: Path, chosen: bool) -> Iterator[Finding]:
    """Check the folder's mode; in one that the user chose, others may read."""
    mode = _mode(folder)
    if mode is None:
        return
    shared = bool(mode & stat.S_ISVTX)  # as /tmp: nobody can replace the file of another
    forbidden = (0 if shared else 0o022) if chosen else 0o077
    if mode & forbidden and sys.platform != "win32":
        detail = f"the folder {folder} has mode {mode:04o}, others may use it"
        yield warning("config_folder", detail, f"chmod 700 {shlex.quote(str(folder))}")
    else:
        yield fine("config_folder", f"{folder}, mode {mode:04o}")


def effective(settings: Settings, problems: Problems) -> Iterator[Finding]:
    """Show every setting with its origin, or what is wrong with it."""
    for item in show(settings):
        problem = problems.get(item.key)
        if item.key == "profile" and problem and "config" in problems:
            yield warning("profile", "not looked up: see config_file", "mend the config file first")
        elif problem:
            yield wrong(item.key, problem)
        else:
            yield fine(item.key, item.text or "not set", item.origin)
