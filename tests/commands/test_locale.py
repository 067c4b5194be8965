"""Names and JSON are UTF-8 where the locale is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import Runner
from tests.sandbox.calling import faulty

if sys.platform == "win32":
    pytest.skip("no such locale", allow_module_level=True)

ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
RESULT = (
    '{"primaryResult": true, "status": "completed", "jsonAvailable": false,'
    ' "csvAvailable": true, "xlsxAvailable": false}'
)
SCENARIO = f"""
[[fault]]
path = "*/csv"
body = "a,b\\n1,2\\n"
[[fault]]
path = "/api/invocation/*"
body = '{{"status": "completed", "invocationResults": {{"é": {RESULT}}}}}'
"""


@pytest.fixture
def ascii_nostra(home: Path, tmp_path: Path) -> Iterator[Runner]:
    """`nostra` in a locale without any accented letter."""
    with faulty(SCENARIO) as sandbox:
        runner = runner_for(sandbox, home, tmp_path)
        yield Runner(tmp_path, {**runner.env, **ASCII_ONLY})


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("größe", "größe.csv"),
        ("größe -r é --name ñ-{invocation}", "ñ-größe"),
        ("größe -d ö", "ö/größe.csv"),
    ],
)
def test_a_file_has_its_name_in_utf_8(
    ascii_nostra: Runner, tmp_path: Path, words: str, name: str
) -> None:
    ended = ascii_nostra("download", *words.split())
    assert (ended.code, ended.out) == (0, f"{name}\n"), ended.err
    assert (tmp_path / name).is_file()


def test_json_is_json(ascii_nostra: Runner) -> None:
    ended = ascii_nostra("download", "größe", "--json")
    [transfer] = json.loads(ended.out)
    assert (transfer["invocation"], transfer["path"]) == ("größe", "größe.csv")


def test_an_error_in_json_is_json(ascii_nostra: Runner) -> None:
    ended = ascii_nostra("download", "größe", "-r", "ü", "--json")
    assert json.loads(ended.err)["error"]["message"] == "invocation 'größe' has no result 'ü'"


def test_a_profile_and_a_directory_of_the_config_file_are_found(
    ascii_nostra: Runner, tmp_path: Path
) -> None:
    assert ascii_nostra("config", "set", "dir", "ö", "--profile", "é").code == 0
    ended = ascii_nostra("download", "a", env={"NOSTRA_PROFILE": "é"})
    assert (ended.code, (tmp_path / "ö" / "a.csv").is_file()) == (0, True), ended.err
