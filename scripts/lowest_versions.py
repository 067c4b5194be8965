"""`python -m scripts.lowest_versions [EXTRA...]`: print constraints of the lowest versions.

For `pip install -c`: each requirement of pyproject.toml with a lower bound, at that bound.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

_LOWER_BOUND = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)")


def lowest_versions(requirements: Iterable[str]) -> Iterator[str]:
    """Yield `NAME==VERSION` for each requirement that has a lower bound."""
    for requirement in requirements:
        if found := _LOWER_BOUND.match(requirement):
            yield f"{found[1]}=={found[2]}"


def main() -> None:
    """Print the constraints of the dependencies and of the extras that are named."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(r for name in sys.argv[1:] for r in extras[name])]
    sys.stdout.write("".join(f"{line}\n" for line in lowest_versions(requirements)))


if __name__ == "__main__":
    main()
