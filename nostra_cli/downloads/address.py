"""Results as paths of `nostra://` URLs and as entries of a listing."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from nostra_cli.downloads.plan import Item, Selection
from nostra_cli.models import Format, Invocation, is_segment

Entry = dict[str, str | int | bool | None]
"""The description of a file or a directory in fsspec's form."""


@dataclass(frozen=True, slots=True)
class Address:
    """The result that a path names: no format means a folder, no result the primary one."""

    invocation: str
    result: str | None
    format: Format | None

    @property
    def selection(self) -> Selection:
        """The same as the options of `nostra download`."""
        formats = (self.format,) if self.format else ()
        return Selection(formats, results=(self.result,) if self.result is not None else ())


def address_of(path: str) -> Address:
    """Parse a path; raises NotImplementedError for the root, FileNotFoundError if malformed."""
    if not path:
        raise NotImplementedError(
            "the service has no list of invocations: name one, as in nostra://<invocation>"
        )
    folder, slash, last = path.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    format_ = Format(suffix) if dot and suffix in set(Format) else None
    name = stem if format_ else last
    try:
        ids = [unquote(text, errors="strict") for text in ([folder, name] if slash else [name])]
    except UnicodeDecodeError:
        ids = [""]
    if not all(map(is_segment, ids)) or "/" in folder or (slash and format_ is None):
        why = "a path is <invocation>, <invocation>/<result>.<format> or <invocation>.<format>"
        raise FileNotFoundError(errno.ENOENT, why, path)
    return Address(ids[0], ids[1] if slash else None, format_)


def entries_of(path: str, invocation: Invocation) -> Iterator[Entry]:
    """Yield the entries of the files that `path`, the folder of an invocation, has."""
    for result in invocation.results:
        for format_ in Format:
            if format_ in result.formats and not result.failed:
                name = f"{path}/{_encode(result.id)}.{format_}"
                yield entry_of(name, Item(invocation.id, result, format_, None, by_id=True))


def entry_of(name: str, item: Item) -> Entry:
    """Return the entry of a file; its size is not known yet."""
    return {
        "name": name,
        "size": None,
        "type": "file",
        "invocation": item.invocation,
        "result": item.result.id,
        "format": str(item.format),
        "primary": item.result.primary,
    }


def _encode(identifier: str) -> str:
    """Encode an id for a path; `address_of` decodes it."""
    text = quote(identifier, safe="")
    stem, dot, suffix = text.rpartition(".")
    return f"{stem}%2E{suffix}" if dot and suffix in set(Format) else text
