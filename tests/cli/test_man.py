"""`man/nostra.1`: equal to the app, complete and valid roff."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nostra_cli.cli.app import COMMANDS
from nostra_cli.errors import ExitCode
from scripts import make_man

PAGE = make_man.TARGET
PACKAGE = Path(__file__).parents[2] / "nostra_cli"


def test_the_man_page_matches_the_app() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_man.text()


def plain() -> str:
    """Return the formatted page."""
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=100n", str(PAGE)],
        capture_output=True,
        check=True,
    )
    assert done.stderr.decode() == ""
    return done.stdout.decode()


def test_the_man_page_is_valid_roff_and_complete() -> None:
    page = plain()
    for word in (*(f"nostra {name}" for name in COMMANDS), "--format json|csv|xlsx|all"):
        assert word in page
    for code in ExitCode:
        assert re.search(rf"^ +{int(code)} +{re.escape(code.meaning)}$", page, re.MULTILINE)
    assert "nostra download 4711 -f csv -o - | head -3\n" in page
    assert "~/.config/nostra/config.toml" in page


def test_man_shows_it() -> None:
    if shutil.which("man") is None:
        pytest.skip("man is not installed")
    shown = subprocess.run(["man", "--warnings", "-l", str(PAGE)], capture_output=True, check=True)
    assert (shown.stderr, b"NOSTRA(1)" in shown.stdout) == (b"", True)


def test_every_variable_is_named() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r'"(NOSTRA_[A-Z_]+)"', sources))
    assert len(used) > 5
    assert {name for name in used if name not in PAGE.read_text(encoding="utf-8")} == set()


@pytest.mark.parametrize("text", ["-a", ".a", "a\\b", "it's", "~^`", "a\n.b"])
def test_text_is_escaped_for_roff(text: str) -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    page = f".TH X 1\n.nf\n{make_man.escaped(text)}\n"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-P-cbou", "-ww"],
        input=page.encode(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert all(line in done.stdout.decode() for line in text.split("\n"))
