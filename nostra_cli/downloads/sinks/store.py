"""Stores that fsspec knows: which one a URL means, and what its driver's errors mean.

fsspec and the drivers are not ours to install: they are loaded when a URL asks for them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Protocol

from nostra_cli.downloads.plan import OnExisting
from nostra_cli.downloads.target import Remote
from nostra_cli.errors import FileProblem, NostraError, UsageProblem

_LONGEST = 200
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD", "CREDENTIAL")
_SHORTEST_SECRET = 8
_HINT = "check the URL, the credentials and the rights; the store's driver has its own settings"


class StoreFile(Protocol):
    """What is needed of a file that is open for writing."""

    closed: bool

    def write(self, data: bytes) -> object:
        """Append all of `data`."""

    def close(self) -> None:
        """Send the rest."""

    def commit(self) -> None:
        """Make it visible, where it was opened without `autocommit`."""

    def discard(self) -> None:
        """Take it back, where it was opened without `autocommit`."""


class Store(Protocol):
    """What is needed of an fsspec filesystem."""

    def exists(self, path: str) -> bool:
        """Tell whether something is there."""

    def size(self, path: str) -> int | None:
        """Tell how many bytes it has."""

    def open(self, path: str, mode: str, *, block_size: int, autocommit: bool) -> StoreFile:
        """Open a file."""

    def mv(self, source: str, target: str) -> None:
        """Give an object another name."""

    def rm_file(self, path: str) -> None:
        """Remove an object."""


def store_of(remote: Remote) -> tuple[Store, str]:
    """Give the store that a URL means, and its own word for the path.

    Raises UsageProblem where fsspec or the driver is not installed, FileProblem where the driver
    cannot begin.
    """
    try:
        from fsspec.core import url_to_fs
        from fsspec.registry import get_filesystem_class
    except ImportError as error:
        raise UsageProblem(
            f"{remote.scheme}:// needs fsspec, which is not installed",
            "pip install 'nostra-cli[fsspec]'",
        ) from error
    if sys.modules.get("anyio", remote) is None:
        del sys.modules["anyio"]  # nostra hides it from httpcore; a driver may need it
    try:
        get_filesystem_class(remote.scheme)
    except ImportError as error:
        raise _no_driver(remote, error) from error
    except ValueError as error:
        raise UsageProblem(f"fsspec knows no {remote.scheme}://", "check the URL") from error
    with store_errors(f"cannot use {remote}"):
        found: tuple[Store, str] = url_to_fs(remote.url)
        return found


def _no_driver(remote: Remote, error: ImportError) -> UsageProblem:
    from fsspec.registry import known_implementations

    package = known_implementations[remote.scheme]["class"].partition(".")[0]
    hint = str(error) if package == "fsspec" else f"pip install {package}"
    cause = error.__cause__
    if package in ("fsspec", getattr(cause, "name", package)):
        return UsageProblem(f"{remote.scheme}:// needs a driver that is not installed", hint)
    why = reason(cause if isinstance(cause, ImportError) else error, os.environ)
    return UsageProblem(f"the driver of {remote.scheme}:// cannot be loaded: {why}", hint)


def occupied(remote: Remote, existing: OnExisting) -> bool:
    """Check the place of an object before it is made; True means: leave it, it is there.

    Raises FileProblem where it is there and must stay, and what `store_of` raises.
    """
    store, path = store_of(remote)
    if existing is OnExisting.OVERWRITE:
        return False
    with store_errors(f"cannot look at {remote}"):
        there = store.exists(path)
    if there and existing is OnExisting.REFUSE:
        raise FileProblem(
            f"{remote} exists and stays as it is", "use --overwrite, --skip-existing or another URL"
        )
    return there


def size_of(remote: Remote) -> int:
    """Tell the size in bytes of an object that is there; raises FileProblem."""
    store, path = store_of(remote)
    with store_errors(f"cannot look at {remote}"):
        return store.size(path) or 0


@contextlib.contextmanager
def store_errors(doing: str) -> Iterator[None]:
    """Turn whatever a driver raises in the block into a FileProblem that begins with `doing`."""
    try:
        yield
    except NostraError:
        raise
    except Exception as error:  # a driver may raise anything
        raise FileProblem(f"{doing}: {reason(error, os.environ)}", _HINT) from error


def reason(error: Exception, env: Mapping[str, str]) -> str:
    """Tell in one line what a driver says, without the secrets that it may have been given."""
    text = " ".join((getattr(error, "strerror", None) or str(error)).split())
    text = re.sub(r"(?<=://)[^/@\s]*@", "", text)
    text = re.sub(r"\?[^\s\"']+", "?***", text)
    for name, value in env.items():
        if len(value) >= _SHORTEST_SECRET and any(word in name.upper() for word in _SECRET_NAMES):
            text = text.replace(value, "***")
    return text[:_LONGEST] or type(error).__name__
