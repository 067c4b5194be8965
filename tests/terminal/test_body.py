"""`nostra download -o -` to a terminal: neutralised text, and never a workbook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import NOSTRA
from tests.sandbox.calling import faulty
from tests.terminal import terminal

HOSTILE = "ID,Group\r\n\x1b]0;title\x07\u202e,\t\x9b2J\u00e9\r\n"
SHOWN = "ID,Group\r\n\\x1b]0;title\\x07\\u202e,\t\\x9b2J\u00e9\r\n"


def show(toml: str, home: Path, cwd: Path, *args: str) -> tuple[int, bytes]:
    """Run a download to a terminal; return its exit code and what the terminal was sent."""
    with faulty(toml) as sandbox:
        nostra = runner_for(sandbox, home, cwd)
        command = [NOSTRA, "download", "demo-dedup", "-o", "-", *args]
        with terminal(command, nostra.env, cwd) as shown:
            return shown.read_to_end(), shown.seen


def test_text_on_a_terminal_is_neutralised(home: Path, tmp_path: Path) -> None:
    fault = f'[[fault]]\npath = "*/csv"\nbody = {json.dumps(HOSTILE)}\n'
    code, seen = show(fault, home, tmp_path, "-f", "csv", "-q")
    assert (code, seen.decode()) == (0, SHOWN)


def test_text_in_a_pipe_is_unchanged(home: Path, tmp_path: Path) -> None:
    fault = f'[[fault]]\npath = "*/csv"\nbody = {json.dumps(HOSTILE)}\n'
    with faulty(fault) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "demo-dedup", "-f", "csv", "-o", "-")
    assert (ended.code, ended.out) == (0, HOSTILE)


@pytest.mark.parametrize("args", [("-f", "xlsx"), ()])
def test_a_workbook_is_never_shown_on_a_terminal(
    home: Path, tmp_path: Path, args: tuple[str, ...]
) -> None:
    """Nor where nothing else is available and no format was asked for."""
    status = {
        "id": "demo-dedup",
        "status": "completed",
        "invocationResults": {
            "r": {
                "primaryResult": True,
                "status": "completed",
                "jsonAvailable": False,
                "csvAvailable": False,
                "xlsxAvailable": True,
            }
        },
    }
    body = json.dumps(json.dumps(status))
    fault = f'[[fault]]\npath = "*/demo-dedup"\nbody = {body}\n'
    code, seen = show(fault, home, tmp_path, *args)
    assert code == 2, seen
    assert b"a workbook cannot be shown on a terminal" in seen
    assert b"PK" not in seen
