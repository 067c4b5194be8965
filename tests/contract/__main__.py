"""`python -m tests.contract`: the contract as a table."""

from __future__ import annotations

from tests.contract.general import COMMANDS, EVERY_COMMAND, EXIT_CODES, SETTINGS
from tests.contract.single import DOWNLOAD, RESULTS, STATUS_WAIT

CONTRACT = {
    f"{section}.{number}": promise
    for section, promises in {
        "commands": COMMANDS,
        "every-command": EVERY_COMMAND,
        "settings": SETTINGS,
        "status-wait": STATUS_WAIT,
        "results": RESULTS,
        "download": DOWNLOAD,
        "exit-codes": EXIT_CODES,
    }.items()
    for number, promise in enumerate(promises, 1)
}


def main() -> None:
    """Print each promise, and under it its tests."""
    for name, promise in CONTRACT.items():
        print(f"{name}: {promise.text}")  # noqa: T201 - this is what it is for
        for test in promise.tests:
            print(f"    {test}")  # noqa: T201
    print(f"{len(CONTRACT)} promises")  # noqa: T201


if __name__ == "__main__":
    main()
