"""Remember used ids for completion: one small file in the user's state directory.

It holds the service's origin, ids, statuses and formats; never a token. Errors
are ignored: no command depends on it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from nostra_cli.config.credentials import is_loopback
from nostra_cli.config.file import user_folder
from nostra_cli.errors import NostraError

if TYPE_CHECKING:
    from nostra_cli.models import Invocation

MAX_IDS = 200
MAX_RESULTS = 20
_WITH_RESULTS = 20
_MAX_ID_LENGTH = 200
_MAX_BYTES = 1 << 22


class Entry(NamedTuple):
    """An id that was used, as last seen; `results` are formats by id, the primary first.

    A tuple: made in a third of the time of a data class, and JSON as it is.
    """

    origin: str
    id: str
    status: str
    results: Mapping[str, str]


def history_path(env: Mapping[str, str]) -> Path:
    """Return the path of the history, in platformdirs' user state dir; raises UsageProblem."""
    if "linux" in sys.platform:
        return user_folder(env, "XDG_STATE_HOME", "~/.local/state") / "nostra" / "history.json"
    import platformdirs

    return Path(platformdirs.user_state_dir("nostra", appauthor=False)) / "history.json"


def origin_of(base_url: str) -> str | None:
    """Return scheme, host and port of a base URL; None for this machine, as with a sandbox."""
    url = urlsplit(base_url)
    if not url.hostname or is_loopback(url.hostname):
        return None
    return f"{url.scheme}://{url.netloc}".casefold()


def read(env: Mapping[str, str]) -> list[Entry]:
    """Read the entries, the newest first; none if the file cannot be read."""
    import json

    try:
        path = history_path(env)
        if not path.is_file():  # a pipe would block
            return []
        with path.open("rb") as file:
            return [_checked(entry) for entry in json.loads(file.read(_MAX_BYTES))]
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, NostraError):
        return []


def _checked(raw: Any) -> Entry:
    entry = Entry(*raw)
    words = (*entry[:3], *entry.results, *entry.results.values())
    if not all(isinstance(word, str) for word in words):
        raise TypeError
    return entry


def record(env: Mapping[str, str], base_url: str, seen: Iterable[Invocation]) -> None:
    """Add the seen invocations as the newest entries, and keep the newest of all."""
    origin = origin_of(base_url)
    new = [_entry(origin, one) for one in seen if len(one.id) <= _MAX_ID_LENGTH] if origin else []
    if not new:
        return
    before = read(env)
    names = {entry.id for entry in new}
    old = [entry for entry in before if entry.origin != origin or entry.id not in names]
    after = [*new, *old][:MAX_IDS]
    # Older ones without their results: the file is read and written in less than a millisecond.
    after[_WITH_RESULTS:] = [entry._replace(results={}) for entry in after[_WITH_RESULTS:]]
    if after != before:
        with suppress(OSError, NostraError):
            _write(history_path(env), after)


def _entry(origin: str, invocation: Invocation) -> Entry:
    results = {
        result.id: " ".join(sorted(result.formats))
        for result in invocation.results[:MAX_RESULTS]
        if len(result.id) <= _MAX_ID_LENGTH and not result.problem
    }
    return Entry(origin, invocation.id, invocation.status[:_MAX_ID_LENGTH], results)


def _write(path: Path, entries: list[Entry]) -> None:
    import json

    text = json.dumps(entries)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except OSError:  # also if a killed process with that number left it
        new.unlink(missing_ok=True)
