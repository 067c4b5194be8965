"""The ids that were used, for completion: one small file in the user's state directory.

It holds the service's origin, ids, statuses and formats; never a token. What cannot be read or
written is passed over in silence: nothing depends on it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from nostra_cli.config.base_url import is_loopback

if TYPE_CHECKING:
    from nostra_cli.models import Invocation

MOST_IDS = 200
_MOST_RESULTS = 20
_WITH_RESULTS = 20
_LONGEST_ID = 200
_LARGEST = 1 << 22


class Entry(NamedTuple):
    """An id that was used, as it was seen last; `results` are formats by id, the primary first.

    A tuple: made in a third of the time of a data class, and JSON as it is.
    """

    origin: str
    id: str
    status: str
    results: Mapping[str, str]


def history_path(env: Mapping[str, str]) -> Path:
    """Tell where the history is: platformdirs' user state dir."""
    if "linux" in sys.platform:
        # What platformdirs says there; loading it takes longer than reading the file.
        base = env.get("XDG_STATE_HOME", "")
        folder = Path(base) if base.strip() else Path("~/.local/state").expanduser()
        return folder / "nostra" / "history.json"
    import platformdirs

    return Path(platformdirs.user_state_dir("nostra", appauthor=False)) / "history.json"


def origin_of(base_url: str) -> str | None:
    """Give the scheme, host and port of a base URL; None for this machine, as with a sandbox."""
    url = urlsplit(base_url)
    if not url.hostname or is_loopback(url.hostname):
        return None
    return f"{url.scheme}://{url.netloc}".casefold()


def read(env: Mapping[str, str]) -> list[Entry]:
    """Read what was used, the newest first; nothing where that cannot be read."""
    import json

    try:
        with history_path(env).open("rb") as file:
            return [_checked(entry) for entry in json.loads(file.read(_LARGEST))]
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError):
        return []


def _checked(raw: Any) -> Entry:
    entry = Entry(*raw)
    words = (*entry[:3], *entry.results, *entry.results.values())
    if not all(isinstance(word, str) for word in words):
        raise TypeError
    return entry


def record(env: Mapping[str, str], base_url: str, seen: Iterable[Invocation]) -> None:
    """Put what was seen before all that is there, and keep the newest of it."""
    origin = origin_of(base_url)
    new = [_entry(origin, one) for one in seen if len(one.id) <= _LONGEST_ID] if origin else []
    if not new:
        return
    before = read(env)
    names = {entry.id for entry in new}
    old = [entry for entry in before if entry.origin != origin or entry.id not in names]
    after = [*new, *old][:MOST_IDS]
    # Older ones without their results: the file is read and written in less than a millisecond.
    after[_WITH_RESULTS:] = [entry._replace(results={}) for entry in after[_WITH_RESULTS:]]
    if after != before:
        with suppress(OSError, RuntimeError):
            _write(history_path(env), after)


def _entry(origin: str, invocation: Invocation) -> Entry:
    results = {
        result.id: " ".join(sorted(result.formats))
        for result in invocation.results[:_MOST_RESULTS]
        if len(result.id) <= _LONGEST_ID
    }
    return Entry(origin, invocation.id, invocation.status[:_LONGEST_ID], results)


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
    except OSError:  # also when it is there: another process of that number was killed
        new.unlink(missing_ok=True)
