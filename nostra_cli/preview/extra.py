"""Load the libraries of the extra `nostra-cli[preview]`, if they are installed."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from nostra_cli.errors import UsageProblem

_INSTALL = (
    "run pip install 'nostra-cli[preview]' (with uv: uv tool install, with pipx: pipx install -f)"
)


def load_extra(module: str, need: str) -> Any:
    """Import a module that `need` (an option or a format) requires.

    Raises UsageProblem, with the line that installs it, if it cannot be imported.
    """
    try:
        found: ModuleType = importlib.import_module(module)
    except ImportError as error:
        package = module.replace("_", "-")
        raise UsageProblem(f"{need} needs {package}, which is not installed", _INSTALL) from error
    return found
