"""Check the settings, the config file and its modes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from nostra_cli.config.file import loose_mode
from nostra_cli.config.settings import Settings
from nostra_cli.config.text import show
from nostra_cli.doctor.check import Check, failed, passed, warning
from nostra_cli.errors import NostraError

Problems = Mapping[str, NostraError]


def config_file(settings: Settings, problems: Problems, env: Mapping[str, str]) -> Iterator[Check]:
    """Check the config file, its content, its mode and that of its folder."""
    path, chosen = settings.config.path, bool(env.get("NOSTRA_CONFIG"))
    folder, mode = path.parent, _mode(path.parent)
    loose = loose_mode("folder", folder, mode or 0, 0o700, _forbidden_bits(mode or 0, chosen))
    warnings = [one for one in settings.config.warnings if one != loose]
    if "config" in problems:
        yield failed("config_file", problems["config"])
    elif not os.path.isfile(path):  # noqa: PTH113 - raises nothing
        yield passed("config_file", f"{path} (not found)")
    elif not warnings:
        yield passed("config_file", f"{path}, mode {_mode(path) or 0:04o}")
    for one in warnings:
        yield warning("config_file", one.message, one.fix)
    if loose:
        yield warning("config_folder", loose.message, loose.fix)
    elif mode is not None:
        yield passed("config_folder", f"{folder}, mode {mode:04o}")


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except (OSError, ValueError):
        return None


def _forbidden_bits(mode: int, chosen: bool) -> int:
    """Return what the mode of a folder may not have; others may read one that the user chose."""
    if not chosen:
        return 0o077
    return 0 if mode & stat.S_ISVTX else 0o022  # as /tmp: users cannot replace files of others


def effective(settings: Settings, problems: Problems) -> Iterator[Check]:
    """Report every setting with its origin, or what is wrong with it."""
    for item in show(settings):
        problem = problems.get(item.key)
        if item.key == "profile" and problem and "config" in problems:
            yield warning("profile", "not checked: see config_file", "fix the config file first")
        elif problem:
            yield failed(item.key, problem)
        else:
            yield passed(item.key, item.text or "not set", item.origin)
