"""What can be looked at without a network: the settings, the config file and its modes."""

from __future__ import annotations

import shlex
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from nostra_cli.config import loose_mode
from nostra_cli.doctor.finding import Finding, fine, warning, wrong
from nostra_cli.errors import AuthProblem, UsageProblem
from nostra_cli.settings import Setting, Settings, Token

_LEAST_TO_SHOW = 12
"""Of a longer token the last four characters are shown."""

Problems = Mapping[str, UsageProblem]


def config_file(
    settings: Settings, problems: Problems, env: Mapping[str, str]
) -> Iterator[Finding]:
    """Look at the config file, its mode and its folder's, and what it says."""
    path = settings.config.path
    mode = _mode(path)
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
    """Look at the folder's mode; in one that the user chose, others may read."""
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
    for field in fields(settings):
        setting = getattr(settings, field.name)
        if not isinstance(setting, Setting):
            continue
        problem = problems.get(field.name)
        if problem is None:
            yield _setting(field.name, setting, settings)
        elif field.name == "profile" and "config" in problems:
            yield warning("profile", "not looked up: see config_file", "mend the config file first")
        else:
            yield wrong(field.name, problem)


def _setting(name: str, setting: Setting[object], settings: Settings) -> Finding:
    value = setting.value
    if name != "token":
        return fine(name, _shown(value), setting.origin)
    if not isinstance(value, Token):
        try:
            settings.require_token()
        except AuthProblem as problem:
            return wrong("token", problem)
    return fine("token", shown_token(settings.token.value), setting.origin)


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown_token(token: Token | None) -> str:
    """Tell that there is a token, and of a long one by which end to know it again."""
    if token is None:
        return "not set"
    if len(token.value) <= _LEAST_TO_SHOW:
        return "present"
    return f"present, it ends in {token.value[-4:]}"
