"""`python -m tests.random --count N --seed S`: N scenarios from seed S on; exit 1 if one fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.random.check import Children, problems_of, repeat_line
from tests.random.scenario import generate


def failures(seeds: Sequence[int]) -> list[str]:
    """Run the scenarios of these seeds in turn; return a description of each failure."""
    found = []
    with Children() as children:
        for seed in seeds:
            run = generate(seed)
            problems = problems_of(run, children)
            if problems:
                kind = "terminal" if run.terminal else "files"
                head = f"{repeat_line(run)}  # nostra {' '.join(run.argv)} ({kind})"
                found.append("\n  ".join([head, *problems]))
                sys.stderr.write(found[-1] + "\n")
    return found


def main() -> int:
    """Parse the options, run the scenarios; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    parts = [seeds[first :: given.workers] for first in range(min(given.workers, given.count))]
    with ThreadPoolExecutor(given.workers) as pool:
        found = [line for lines in pool.map(failures, parts) for line in lines]
    sys.stdout.write(f"{len(seeds)} scenarios, {len(found)} failed\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
