"""`completions/`: equal to what the app would write, and working in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.make_completions import scripts

from .running import NOSTRA, clean_env

FOLDER = Path(__file__).parent.parent / "completions"


def run(shell: str, *args: str, home: Path) -> str:
    """Run a shell that has `nostra` on its PATH."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    env = clean_env(home)
    env["PATH"] = os.pathsep.join([str(Path(NOSTRA).parent), env["PATH"]])
    done = subprocess.run(
        [shell, *args], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_files_are_those_of_the_app() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(scripts())
    for name, text in scripts().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nostra", "dow"], ["download"]),
        (["nostra", "download", "x", "--verify", ""], ["auto", "full", "off"]),
        (["nostra", "download", "x", "-f", ""], ["json", "csv", "xlsx", "all"]),
        (["nostra", "wait", "--time"], ["--timeout"]),
        (["nostra", "config", "l"], ["list"]),
        (["nostra", "config", "get", "jobs", "--pro"], ["--profile"]),
    ],
)
def test_bash_completes(home: Path, words: list[str], expected: list[str]) -> None:
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
        source {FOLDER / "nostra.bash"}
        COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
        $(complete -p nostra | sed 's/.*-F \\([^ ]*\\) .*/\\1/') nostra
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert run("bash", "--norc", "-c", script, home=home).split() == expected


def test_fish_completes(home: Path) -> None:
    script = f"source {FOLDER / 'nostra.fish'}; complete -C 'nostra dow'"
    assert run("fish", "-c", script, home=home).split()[0] == "download"


def test_zsh_takes_the_script(home: Path) -> None:
    script = f"autoload -U compinit; compinit -D; source {FOLDER / '_nostra'}; echo $_comps[nostra]"
    assert run("zsh", "-f", "-c", script, home=home) == "_nostra_completion\n"
