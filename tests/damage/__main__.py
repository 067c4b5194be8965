"""`python -m tests.damage --count N --seed S`: N cases from seed S on; exit 1 if one fails."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.damage.check import failures


def _played(seeds: range) -> list[str]:
    return list(failures(seeds))


def main() -> int:
    """Play what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    parts = [seeds[first :: given.workers] for first in range(min(given.workers, given.count))]
    failed = 0
    with ProcessPoolExecutor(given.workers) as pool:
        for lines in pool.map(_played, parts):
            failed += len(lines)
            sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(seeds)} cases, {failed} failed\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
