"""Open stores through fsspec, and map the errors of their drivers.

fsspec and the drivers are not dependencies: they are loaded when a URL needs them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from nostra_cli.downloads.target import OnExisting, StoreUrl
from nostra_cli.errors import FileProblem, NostraError, Signalled, UsageProblem

HINT = "check the URL, the credentials and the rights; the store's driver has its own settings"
_MAX_REASON = 200
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")
_MIN_SECRET = 8


Store = Any
"""A filesystem of fsspec, which has no types."""


def open_store(url: StoreUrl) -> tuple[Store, str]:
    """Return the store of a URL, and the path in that store.

    Raises UsageProblem without fsspec or the driver, FileProblem if the driver cannot start.
    """
    try:
        from fsspec.core import url_to_fs
        from fsspec.registry import get_filesystem_class
    except ImportError as error:
        raise UsageProblem(
            f"{url.scheme}:// needs fsspec, which is not installed",
            "pip install 'nostra-cli[fsspec]'",
        ) from error
    try:
        get_filesystem_class(url.scheme)
    except ImportError as error:
        raise _no_driver(url, error) from error
    except ValueError as error:
        raise UsageProblem(f"fsspec knows no {url.scheme}://", "check the URL") from error
    _silence_drivers()
    with store_errors(f"cannot use {url}"):
        found: tuple[Store, str] = url_to_fs(url.url)
        return found


def _silence_drivers() -> None:
    """Keep logs and warnings of drivers off stderr; their errors are reported as FileProblem."""
    logging.getLogger().addHandler(logging.NullHandler())  # without any, Python logs to stderr
    warnings.simplefilter("ignore")
    hook = sys.unraisablehook
    if not (isinstance(hook, partial) and hook.func is _report_signal):  # once, for many uploads
        sys.unraisablehook = partial(_report_signal, hook)


def _report_signal(
    hook: Callable[[sys.UnraisableHookArgs], object], raised: sys.UnraisableHookArgs
) -> None:
    """Pass a signal on; all else is a file that is collected when its connection is gone."""
    if isinstance(raised.exc_value, Signalled):
        hook(raised)


def _no_driver(url: StoreUrl, error: ImportError) -> UsageProblem:
    from fsspec.registry import known_implementations

    package = known_implementations[url.scheme]["class"].partition(".")[0]
    hint = str(error) if package == "fsspec" else f"pip install {package}"
    cause = error.__cause__
    if package in ("fsspec", getattr(cause, "name", package)):
        return UsageProblem(f"{url.scheme}:// needs a driver that is not installed", hint)
    why = reason(cause if isinstance(cause, ImportError) else error, os.environ)
    return UsageProblem(f"the driver of {url.scheme}:// cannot be loaded: {why}", hint)


def check_object(url: StoreUrl, existing: OnExisting) -> bool:
    """Check an object before it is written; True if it exists and is to be skipped."""
    store, path = open_store(url)
    if existing is OnExisting.OVERWRITE:
        return False
    with store_errors(f"cannot access {url}"):
        exists = bool(store.exists(path))
    if exists and existing is OnExisting.REFUSE:
        raise FileProblem(
            f"{url} already exists (not overwritten)",
            "use --overwrite, --skip-existing or another URL",
        )
    return exists


def size_of(url: StoreUrl) -> int:
    """Return the size in bytes of an existing object; raises FileProblem."""
    store, path = open_store(url)
    with store_errors(f"cannot access {url}"):
        return int(store.size(path) or 0)


@contextlib.contextmanager
def store_errors(what: str) -> Iterator[None]:
    """Turn whatever a driver raises in the block into a FileProblem that begins with `what`."""
    try:
        yield
    except NostraError:
        raise
    except Exception as error:  # a driver may raise anything
        raise FileProblem(f"{what}: {reason(error, os.environ)}", HINT) from error


def reason(error: Exception, env: Mapping[str, str]) -> str:
    """Describe a driver's error in one line, without secrets."""
    text = " ".join((getattr(error, "strerror", None) or str(error)).split())
    text = re.sub(r"(?<=://)[^/@\s]*@", "", text)
    text = re.sub(r"\?[^\s\"']+", "?***", text)
    for name, value in env.items():
        if len(value) >= _MIN_SECRET and any(word in name.upper() for word in _SECRET_NAMES):
            text = text.replace(value, "***")
    return text[:_MAX_REASON] or type(error).__name__
