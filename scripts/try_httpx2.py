"""Run the suite on a copy in which httpx2 and httpcore2 take the places of httpx and httpcore.

`python -m scripts.try_httpx2 [pytest arguments]`: shows that a successor of httpx is a change of
the imports in nostra_cli/http. Exits with pytest's code.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NAMES = re.compile(r"\b(httpx|httpcore)\b")
_PINS = re.compile(r'"(httpx|httpcore)[<>=][^"]*"')


def main(arguments: list[str]) -> int:
    """Make the copy and its environment, run pytest in it, and return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        _copy(copy)
        count = _rename(copy)
        print(f"{count} lines changed", flush=True)
        venv.create(Path(folder) / "venv", with_pip=True)
        scripts = "Scripts" if sys.platform == "win32" else "bin"
        python = str(Path(folder) / "venv" / scripts / "python")
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-e", ".[test]"], cwd=copy, check=True
        )
        return subprocess.run(
            [python, "-m", "pytest", *arguments], cwd=copy, check=False
        ).returncode


def _copy(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def _rename(copy: Path) -> int:
    """Rename the libraries in the code, its tests and its pins; return the lines of the code."""
    pins = copy / "pyproject.toml"
    pins.write_text(_PINS.sub(r'"\g<1>2>=2.16"', pins.read_text("utf-8")), "utf-8")
    changed = 0
    for path in [*copy.glob("nostra_cli/**/*.py"), *copy.glob("tests/**/*.py")]:
        before = path.read_text("utf-8")
        after = _NAMES.sub(r"\g<1>2", before)
        if after != before:
            path.write_text(after, "utf-8")
            if path.is_relative_to(copy / "nostra_cli"):
                pairs = zip(before.splitlines(), after.splitlines(), strict=True)
                changed += sum(old != new for old, new in pairs)
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
