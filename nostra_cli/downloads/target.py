"""The target of a body: a local path, or the URL of an object in a store."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nostra_cli.errors import FileProblem, UsageProblem
from nostra_cli.models import local_name


class OnExisting(StrEnum):
    """What to do with a file that exists already."""

    REFUSE = "refuse"
    OVERWRITE = "overwrite"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """An object, or a prefix of objects, in a store that fsspec knows; joined as a Path is."""

    url: str

    def __truediv__(self, name: str) -> StoreUrl:
        scheme, _, rest = self.url.partition("://")
        return StoreUrl(f"{scheme}://{rest.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The part after the last slash."""
        return self.url.rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """The scheme, which selects the driver."""
        return self.url.partition("://")[0]


Target = Path | StoreUrl


def check_regular(path: Path) -> bool:
    """Return whether a file exists, a regular one.

    Raises FileProblem for a directory, a symbolic link, a FIFO or a device, and OSError.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        kind = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link"}.get(
            stat.S_IFMT(mode), "not a regular file"
        )
        raise FileProblem(
            f"{path} is {kind} (not replaced)", "name a file with -o, or use -o - for stdout"
        )
    return True


def parse_target(text: str) -> Target:
    """Parse a path or a URL; raises UsageProblem for a URL with a password."""
    if "\0" in text:
        raise UsageProblem(f"{text!r} is not a path", "take out the NUL character")
    scheme, found, rest = text.partition("://")
    if not (
        found
        and len(scheme) > 1
        and scheme.isascii()
        and scheme.replace("+", "").replace("-", "").isalnum()
    ):
        return Path(local_name(text))
    if ":" in rest.partition("/")[0].rpartition("@")[0]:
        raise UsageProblem(
            f"the {scheme}:// URL contains a password, which every user of this machine can see",
            "remove it from the URL and use the settings of the store's driver",
        )
    return StoreUrl(text)
