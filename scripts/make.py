"""`python -m scripts.make`: write every file that is made from the app, after a change of it."""

from __future__ import annotations

import importlib


def main() -> None:
    """Write them: the table first, as the others are made with it."""
    for name in ("make_words", "make_man", "make_help"):
        # Imported in turn: a table that cannot be read is no reason not to write another.
        importlib.import_module(f"scripts.{name}").main()


if __name__ == "__main__":
    main()
