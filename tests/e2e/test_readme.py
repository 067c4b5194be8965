"""Every command and every output of the README; what installs is in test_release.py."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from nostra_cli.errors import ExitCode
from nostra_cli.sandbox.server import serving
from tests.conftest import runner_for
from tests.running import NOSTRA, Runner, clean_env

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "nostra_cli" / "cli" / "completions"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(mark: str) -> list[str]:
    """Give the text of each fenced block behind `<!-- mark -->`."""
    return re.findall(rf"^<!-- {mark} -->\n```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def shell(nostra: Runner, script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script with `nostra` on its PATH, its stderr behind its stdout."""
    path = os.pathsep.join([str(Path(NOSTRA).parent), nostra.env["PATH"]])
    return subprocess.run(
        ["sh", "-c", script, "sh", *args],
        cwd=nostra.cwd,
        env={**nostra.env, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=120,
        check=False,
    )


def steps(session: str) -> list[tuple[str, str]]:
    """Split a session into its commands and what each printed."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_terminal_sessions(home: Path, tmp_path: Path) -> None:
    sessions = [step for session in blocks("session") for step in steps(session)]
    assert len(sessions) >= 9
    with serving() as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        for command, expected in sessions:
            quiet = f"{command} -q" if command == "nostra wait demo" else command
            assert shell(nostra, quiet).stdout == expected, command


@pytest.mark.parametrize(
    ("invocation", "code", "said"),
    [
        ("demo", 0, "300 rows"),
        ("demo-failed", 1, "the job itself failed: demo-failed"),
        ("nope", 1, "no invocation 'nope'"),
    ],
)
def test_script(nostra: Runner, invocation: str, code: int, said: str) -> None:
    [script] = blocks("script")
    ended = shell(nostra, script, invocation)
    assert (ended.returncode, said in ended.stdout) == (code, True), ended.stdout
    assert nostra.files() == (["result.csv"] if code == 0 else [])


def test_script_at_its_deadline(nostra: Runner) -> None:
    [script] = blocks("script")
    ended = shell(nostra, script.replace("--timeout 30m", "--timeout 1s"), "demo-stuck")
    assert (ended.returncode, nostra.files()) == (1, [])
    assert "not finished in time" in ended.stdout


def test_script_on_a_bad_day(nostra: Runner) -> None:
    [scenario], [script] = blocks("scenario"), blocks("script under test")
    (nostra.cwd / "bad-day.toml").write_text(scenario)
    (nostra.cwd / "fetch.sh").write_text(script)
    [session] = blocks("session with scenario")
    for command, expected in steps(session):
        assert shell(nostra, command).stdout == expected


def test_exit_codes_are_those_of_the_enum() -> None:
    rows = "\n".join(f"| {int(code)} | {code.meaning} |" for code in ExitCode)
    assert f"<!-- exit codes -->\n| code | meaning |\n|---|---|\n{rows}\n\n" in README


def test_guarantees_name_tests_that_there_are() -> None:
    table = README.partition("<!-- guarantees -->")[2].partition("\n\n")[0]
    named = re.findall(r"\| `(tests/[a-z_/]+\.py)` \|$", table, re.MULTILINE)
    assert len(named) == table.count("\n") - 2
    assert all((ROOT / name).is_file() for name in named)


def test_config_example_is_read(nostra: Runner, home: Path) -> None:
    [example] = blocks("config")
    assert set(tomllib.loads(example)["profiles"]) == {"prod", "test"}
    file = home / "config.toml"
    file.write_text(example.replace('"..."', f'"{nostra.env["NOSTRA_TOKEN"]}"'))
    file.chmod(0o600)
    env = {"NOSTRA_CONFIG": str(file), "NOSTRA_TOKEN": ""}
    ended = nostra("download", "demo-dedup", env=env)
    assert (ended.code, ended.out, ended.err) == (0, "demo-dedup.csv\n", "")


def test_completion_is_put_where_shells_look(home: Path) -> None:
    [block] = blocks("completion")
    ended = shell(Runner(ROOT, clean_env(home)), f"set -e\n{block}")
    assert (ended.returncode, ended.stdout) == (0, "")
    placed = {
        ".local/share/bash-completion/completions/nostra": "nostra.bash",
        ".zfunc/_nostra": "_nostra",
        ".config/fish/completions/nostra.fish": "nostra.fish",
    }
    for path, source in placed.items():
        assert (home / path).read_bytes() == (SCRIPTS / source).read_bytes()


def test_history_is_switched_off(nostra: Runner, home: Path) -> None:
    [example] = blocks("config: history")
    (home / "config.toml").write_text(example)
    ended = nostra("status", "demo-dedup", env={"NOSTRA_CONFIG": str(home / "config.toml")})
    assert ended.code == 0
    assert "unknown key" not in ended.err
