"""Every block of a page is run by a test; every link leads somewhere; every page is listed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from nostra_cli import DOCS_URL
from nostra_cli.cli import commands
from nostra_cli.config.settings import TABLE
from nostra_cli.errors import ExitCode
from tests.docs.pages import PAGES, README, ROOT, anchors, block, links, page, read_blocks
from tests.docs.sessions import FILE, SESSION, rewrite

PROJECT_URL = DOCS_URL.removesuffix("/blob/main/docs")
SESSIONS = [path for path in PAGES if any(b.mark == SESSION for b in read_blocks(path))]
CONTENTS = ROOT / "docs" / "README.md"
MARKS = {
    "session": "sessions.py",
    "session without a token": "sessions.py",
    "install": "test_pages.py",
    "config": "test_blocks.py",
    "config: history": "test_blocks.py",
    "completion": "test_blocks.py",
    "completion: removal": "test_blocks.py",
    "workflow": "test_scripts.py",
    "gitlab job": "test_scripts.py",
    "command: try": "../e2e/test_release.py",
    "command: test": "../e2e/test_release.py",
    "session: s3": "../data/test_stores.py",
    "python: pandas": "../data/test_tools.py",
    "python: polars": "../data/test_tools.py",
    "python: duckdb": "../data/test_tools.py",
    "python: fsspec": "../data/test_tools.py",
    "python: dask": "../data/test_tools.py",
}
"""Which test runs the blocks with a mark."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SESSIONS, ids=name)
def test_sessions(path: Path, tmp_path: Path, home: Path) -> None:
    """If this fails because a message has changed: `python -m tests.docs --write`."""
    assert rewrite(path, tmp_path, home) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_each_block_is_run_by_a_test(path: Path) -> None:
    marks = [one.mark for one in read_blocks(path) if not one.mark.startswith(FILE)]
    assert [mark for mark in marks if mark not in MARKS] == []
    for mark in marks:
        test = (Path(__file__).parent / MARKS[mark]).read_text(encoding="utf-8")
        assert f'"{mark}"' in test


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_each_link_leads_somewhere(path: Path) -> None:
    assert [link for link in links(path) if not leads_somewhere(path, link)] == []


def leads_somewhere(path: Path, link: str) -> bool:
    for prefix in (f"{PROJECT_URL}/blob/main/", f"{PROJECT_URL}/raw/main/"):
        if link.startswith(prefix):
            path, link = ROOT / "x", link.removeprefix(prefix)
    if link.startswith("https://"):
        return True
    file, _, anchor = link.partition("#")
    target = path.parent / file if file else path
    return target.exists() and (not anchor or anchor in anchors(target))


def test_the_links_of_the_readme_work_on_a_package_index() -> None:
    assert [link for link in links(README) if not link.startswith(("https://", "#"))] == []


def test_the_urls_of_the_project_lead_somewhere() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert all(url.startswith(PROJECT_URL) for url in urls.values())
    assert [url for url in urls.values() if not leads_somewhere(README, url)] == []


def test_the_readme_is_short() -> None:
    assert 150 <= len(README.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_contents_list_every_page() -> None:
    pages = {path.name for path in CONTENTS.parent.glob("*.md")} - {CONTENTS.name}
    assert pages <= set(links(CONTENTS))


def test_the_pages_that_help_names_exist() -> None:
    folder = Path(commands.__file__).parent
    named = [
        re.findall(r'^DOCS = "(.*)"$', f.read_text(), re.MULTILINE) for f in folder.glob("*.py")
    ]
    assert sum(map(len, named)) >= 12
    assert [one for found in named for one in found if not page(one).exists()] == []
    assert page("machine-output").exists()


def test_exit_codes_are_those_of_the_enum() -> None:
    rows = "\n".join(f"| {int(code)} | {code.meaning} |" for code in ExitCode)
    table = f"| code | meaning |\n|---|---|\n{rows}\n\n"
    for path in (README, page("scripting")):
        assert table in path.read_text(encoding="utf-8")


def test_the_settings_page_has_every_setting() -> None:
    text = page("settings").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    for row in TABLE:
        names = [row.flag, *(one.name for one in row.variables), *(key.name for key in row.keys)]
        quoted = [f"`{one}`" for one in names if one]
        assert any(all(one in line for one in quoted) for line in lines), row.name


def test_the_guarantees_name_tests_that_exist() -> None:
    text = page("guarantees").read_text(encoding="utf-8")
    table = text.partition("<!-- guarantees -->")[2].partition("\n\n")[0]
    named = re.findall(r"\| `(tests/[a-z_/]+\.py)` \|$", table, re.MULTILINE)
    assert len(named) == table.count("\n") - 2
    assert [one for one in named if not (ROOT / one).is_file()] == []


def install_commands() -> Iterator[str]:
    for path in PAGES:
        for one in read_blocks(path):
            yield from one.text.splitlines() if one.mark == "install" else ()


def test_install_commands_name_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in install_commands():
        for extra in re.findall(r"\[([\w,]+)\]", line):
            assert set(extra.split(",")) <= set(project["optional-dependencies"]), line
        assert re.match(r"(pipx|uv tool|pip|python3? -m pip) (un)?install ", line), line


def test_the_readme_names_what_the_package_has_not() -> None:
    text = README.read_text(encoding="utf-8")
    assert "no telemetry" in text
    assert "No licence has been chosen yet" in text


def test_the_readme_has_the_commands_that_ci_reads() -> None:
    assert "sandbox exec -- nostra download demo" in block(README, "command: try")
    assert "-m pytest -n auto" in block(README, "command: test")
