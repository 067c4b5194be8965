"""Where one body goes: a path of this machine, or the URL of an object in a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nostra_cli.errors import UsageProblem


@dataclass(frozen=True, slots=True)
class Remote:
    """An object, or a folder of objects, in a store that fsspec knows; joined as a Path is."""

    url: str

    def __truediv__(self, name: str) -> Remote:
        """Give what is called `name` in this folder."""
        scheme, _, rest = self.url.partition("://")
        return Remote(f"{scheme}://{rest.rstrip('/')}/{name}")

    def __str__(self) -> str:
        """Give the URL."""
        return self.url

    @property
    def name(self) -> str:
        """What comes behind the last slash."""
        return self.url.rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """What the store's driver is found by."""
        return self.url.partition("://")[0]


Target = Path | Remote


def target_of(text: str) -> Target:
    """Read a path or a URL as it is typed; raises UsageProblem for a URL with a password in it."""
    scheme, found, rest = text.partition("://")
    if not (
        found
        and len(scheme) > 1
        and scheme.isascii()
        and scheme.replace("+", "").replace("-", "").isalnum()
    ):
        return Path(text)
    if ":" in rest.partition("/")[0].rpartition("@")[0]:
        raise UsageProblem(
            f"the {scheme}:// URL has a password in it, for everybody on this machine to see",
            "take it out, and give it to the store's driver by its own settings",
        )
    return Remote(text)
