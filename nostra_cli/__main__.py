"""`python -m nostra_cli`, and the console script."""

import sys

from nostra_cli.cli import main as _main


def main() -> None:
    """Run the command line of this process and end with its exit code."""
    sys.exit(_main())


if __name__ == "__main__":
    main()
