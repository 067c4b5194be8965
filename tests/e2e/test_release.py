"""From a fresh clone to a release: the commands of the README and docs/ci.md, and what is built.

One test, because environments take the time: one is made in the clone, one for the wheel.
"""

from __future__ import annotations

import email
import os
import re
import shutil
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from nostra_cli import __version__
from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.docs.pages import README, ROOT, block, page
from tests.docs.sessions import run_shell
from tests.running import NOSTRA, Runner, clean_env

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".cache", "build", "dist", "results", ".*_cache", ".hypothesis", "__pycache__"
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_fresh_clone_can_be_tried_tested_and_released(
    sandbox: Sandbox, home: Path, tmp_path: Path
) -> None:
    clone = Path(shutil.copytree(ROOT, tmp_path / "clone", symlinks=True, ignore=LEFT_OUT))
    fresh = {path.relative_to(clone).as_posix() for path in clone.rglob("*") if path.is_file()}
    nostra = Runner(clone, fresh_env(home))
    try_it(nostra)
    try_it(nostra)  # a second time has to work too
    collect_its_tests(nostra)
    run(nostra, ".venv/bin/python -m hatchling build -d dist")
    check_sdist(clone, fresh)
    check_wheel(clone, fresh)
    user = runner_for(sandbox, home, tmp_path)
    follow_the_workflow(Runner(tmp_path, {**fresh_env(home), **user.env}))


def fresh_env(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a new user, who reaches the package index as this machine does."""
    index = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_"))}
    return {**clean_env(home), **index, "PIP_NO_COMPILE": "1", **more}


def run(nostra: Runner, command: str) -> str:
    """Run a shell command that has to work; return what it said."""
    ended = run_shell(nostra, command)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def try_it(nostra: Runner) -> None:
    command = block(README, "command: try")
    files = ["demo.json", "demo.csv", "demo.xlsx"]
    assert "".join(f"results/{name}\n" for name in files) in run(nostra, command)
    assert {path.name for path in (nostra.cwd / "results").iterdir()} == set(files)


def collect_its_tests(nostra: Runner) -> None:
    """Only collect: they are running already."""
    command = block(README, "command: test")
    said = run(nostra, f"PYTEST_ADDOPTS=--collect-only; export PYTEST_ADDOPTS; {command}")
    assert "tests/e2e/test_release.py" in said


def check_sdist(clone: Path, fresh: set[str]) -> None:
    """All that git would have is in it, but for what is of one host, and nothing else."""
    [path] = (clone / "dist").glob("*.tar.gz")
    stem = f"nostra_cli-{__version__}"
    assert path.name == f"{stem}.tar.gz"
    with tarfile.open(path) as archive:
        names = {member.name.removeprefix(f"{stem}/") for member in archive.getmembers()}
    wanted = {name for name in fresh if "/" in name and not name.startswith(".")}
    assert names >= wanted | {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml"}
    assert names - fresh == {"PKG-INFO"}


def check_wheel(clone: Path, fresh: set[str]) -> None:
    """The package and nothing of the tests; its metadata are what an index asks for."""
    [path] = (clone / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        [told] = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(told))
    package = {name for name in fresh if name.startswith("nostra_cli/")}
    inside = {name for name in names if not re.match(r"nostra_cli-[^/]+\.(dist-info|data)/", name)}
    assert inside == package
    assert "nostra_cli/py.typed" in inside
    for script in ("nostra.bash", "_nostra", "nostra.fish", "nostra.ps1"):
        assert f"nostra_cli/cli/completions/{script}" in inside
    assert "nostra_cli/schemas/wait.schema.json" in inside
    assert (metadata["Name"], metadata["Version"]) == ("nostra-cli", __version__)
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# nostra\n")
    assert metadata["Requires-Python"] == f">={PYTHONS[0]}"


def follow_the_workflow(nostra: Runner) -> None:
    """Build the wheel as docs/ci.md says, install it by itself, and download with it."""
    ci = page("ci").read_text(encoding="utf-8")
    [build] = re.findall(r"`(pip wheel [^`]*)`", ci)
    run(Runner(nostra.cwd / "clone", nostra.env), f".venv/bin/{build}")
    (nostra.cwd / "clone" / "vendor").rename(nostra.cwd / "vendor")
    workflow = block(page("ci"), "workflow")
    install, download = re.findall(r" run: (.*)", workflow)
    run(nostra, install)
    assert run(nostra, ".nostra/bin/nostra --version") == f"nostra {__version__}\n"
    assert not (nostra.cwd / ".nostra" / "bin" / "pytest").exists()
    run(nostra, f"INVOCATION=demo-demand; {download}")
    assert {"demo-demand.csv", "demo-demand.xlsx"} < set(nostra.files())


def test_the_version_is_in_one_place() -> None:
    """In a file of the package, which the build and `nostra --version` read."""
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"] == {"path": "nostra_cli/__init__.py"}
    files = [*(ROOT / "nostra_cli").rglob("*.py"), ROOT / "pyproject.toml"]
    found = [file for file in files if f'"{__version__}"' in file.read_text(encoding="utf-8")]
    assert found == [ROOT / "nostra_cli" / "__init__.py"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_classifiers_and_the_matrix_name_the_same_pythons() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [c for c in PROJECT["project"]["classifiers"] if c.startswith(prefix)]
    assert named == [f"Programming Language :: Python :: {version}" for version in PYTHONS]
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"
    matrix = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    [listed] = re.findall(r"python: \[(.*)\]", matrix)
    assert re.findall(r'"([\d.]+)"', listed) == list(PYTHONS)


def test_the_changelog_is_one_that_programs_read() -> None:
    """Keep a Changelog: versions by date, the newest first; its six kinds of changes."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith("# Changelog\n")
    first, *versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert first == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d", line) for line in versions]
    numbers = [tuple(map(int, found.groups())) for found in dated if found]
    assert len(numbers) == len(versions)
    assert numbers == sorted(numbers, reverse=True)
    kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_contributing_names_commands_and_files_that_there_are() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [daily] = re.findall(r"## Daily commands\n\n```sh\n(.*?)```", text, re.DOTALL)
    for line in daily.splitlines():
        for word in re.split(r"[ =&']+", line.partition("#")[0]):
            if word.startswith(".venv/bin/"):
                tool = Path(NOSTRA).with_name(Path(word).name)
                assert tool.exists() or tool.name in ("mypy", "ruff"), word  # these are of [dev]
            elif ("/" in word or word.endswith(".py")) and not word.startswith(".venv-"):
                assert (ROOT / word).exists(), word
        for module in re.findall(r"-m ((?:tests|benchmarks)[.\w]*)", line):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    named = re.findall(r"`(nostra_cli/[\w/.]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
    [house] = re.findall(r"^nostra_cli/\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    known = {path.name for path in (ROOT / "nostra_cli").rglob("*.py")}
    assert sorted(set(re.findall(r"\b(\w+\.py)\b", house)) - known) == []
