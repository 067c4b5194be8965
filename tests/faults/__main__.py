"""`python -m tests.faults`: the catalogue as a table."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.faults.catalogue import LINES, TABLE


def load() -> None:
    """Import the tests of this folder, which register the lines they cover."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.faults.{path.stem}")


def main() -> None:
    """Print each line of the catalogue with its tests."""
    load()
    for line, text in LINES.items():
        print(f"{line}: {text}")  # noqa: T201 - this is what it is for
        for name in TABLE[line]:
            print(f"    {name}")  # noqa: T201
    print(f"{len(LINES)} lines, {sum(map(len, TABLE.values()))} cases")  # noqa: T201


if __name__ == "__main__":
    main()
