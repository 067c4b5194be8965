"""`python -m scripts.make`: write every file that is made from the app, after a change of it."""

from __future__ import annotations

from scripts import make_help, make_man


def main() -> None:
    """Write the man page and the snapshots of the help."""
    make_man.main()
    make_help.main()


if __name__ == "__main__":
    main()
