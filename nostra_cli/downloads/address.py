"""Results as paths: what `nostra://` is followed by."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, unquote

from nostra_cli.downloads.plan import Selection
from nostra_cli.models import Format, is_segment


@dataclass(frozen=True, slots=True)
class Address:
    """What a path means: without a format it is a folder, without a result the primary one."""

    invocation: str
    result: str | None
    format: Format | None

    @property
    def selection(self) -> Selection:
        """What `nostra download` would be asked for."""
        formats = (self.format,) if self.format else ()
        return Selection(formats, results=(self.result,) if self.result is not None else ())


def address_of(path: str) -> Address:
    """Read a path; raises NotImplementedError for the root, FileNotFoundError for no path."""
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
        _missing(
            path, "a path is <invocation>, <invocation>/<result>.<format> or <invocation>.<format>"
        )
    return Address(ids[0], ids[1] if slash else None, format_)


def encoded(identifier: str) -> str:
    """Write an id as a path has it; `address_of` reads it back."""
    text = quote(identifier, safe="")
    stem, dot, suffix = text.rpartition(".")
    return f"{stem}%2E{suffix}" if dot and suffix in set(Format) else text


def _missing(path: str, why: str) -> NoReturn:
    raise FileNotFoundError(errno.ENOENT, why, path)
