"""The blocks of the pages that are no sessions: the config files and the completion scripts."""

from __future__ import annotations

import tomllib
from pathlib import Path

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.docs.pages import ROOT, block, page
from tests.docs.sessions import run_shell
from tests.running import Runner, clean_env

SCRIPTS = ROOT / "nostra_cli" / "cli" / "completions"


def test_the_config_file_is_read(nostra: Runner, home: Path) -> None:
    example = block(page("settings"), "config")
    assert set(tomllib.loads(example)["profiles"]) == {"prod", "test"}
    file = home / "config.toml"
    file.write_text(example.replace('"..."', f'"{nostra.env["NOSTRA_TOKEN"]}"'))
    file.chmod(0o600)
    env = {"NOSTRA_CONFIG": str(file), "NOSTRA_TOKEN": ""}
    ended = nostra("download", "demo-dedup", env=env)
    assert (ended.code, ended.out, ended.err) == (0, "demo-dedup.csv\n", "")


def test_the_completion_scripts_are_put_where_shells_look(home: Path) -> None:
    script = block(page("completion"), "completion")
    ended = run_shell(Runner(ROOT, clean_env(home)), f"set -e\n{script}")
    assert (ended.returncode, ended.stdout) == (0, "")
    placed = {
        ".local/share/bash-completion/completions/nostra": "nostra.bash",
        ".zfunc/_nostra": "_nostra",
        ".config/fish/completions/nostra.fish": "nostra.fish",
    }
    for path, source in placed.items():
        assert (home / path).read_bytes() == (SCRIPTS / source).read_bytes()
    assert (home / ".bashrc").read_text() == 'eval "$(nostra completion bash)"\n'
    removal = block(page("completion"), "completion: removal")
    assert run_shell(Runner(ROOT, clean_env(home)), removal).returncode == 0
    assert [path for path in placed if (home / path).exists()] == []


def test_the_history_is_switched_off(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    nostra = runner_for(sandbox, home, tmp_path)
    file = home / "config.toml"
    file.write_text(block(page("completion"), "config: history"))
    file.chmod(0o600)
    ended = nostra("config", "get", "history", env={"NOSTRA_CONFIG": str(file)})
    assert (ended.out, ended.err) == ("false\n", "")
