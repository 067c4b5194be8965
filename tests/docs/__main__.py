"""`python -m tests.docs [--write]`: run the sessions of all pages; with --write, update them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs.pages import PAGES, ROOT
from tests.docs.sessions import rewrite


def main() -> None:
    """Name each page whose outputs have changed; exit 1 if there is one and it is not written."""
    chosen = [path for path in PAGES if path.stem in sys.argv[1:]] or PAGES
    changed = 0
    for path in chosen:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
            text = rewrite(path, Path(folder), Path(home))
        if text != path.read_text(encoding="utf-8"):
            changed += 1
            sys.stdout.write(f"{path.relative_to(ROOT)} has changed\n")
            if "--write" in sys.argv:
                path.write_text(text, encoding="utf-8")
    sys.exit("--write" not in sys.argv and changed > 0)


if __name__ == "__main__":
    main()
