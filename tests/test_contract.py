"""No promise of the contract is without a test, and every test it names is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from nostra_cli.cli.main import COMMANDS
from nostra_cli.errors import ExitCode
from tests.contract.__main__ import CONTRACT

HERE = Path(__file__).parent


@cache
def named_in(file: str) -> frozenset[str]:
    """Read the names of a module's tests, also of those that only some systems have."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return frozenset(name for name in names if name.startswith("test_"))


def test_no_promise_is_without_a_test() -> None:
    assert [name for name, promise in CONTRACT.items() if not promise.tests] == []


def test_every_test_that_is_named_is_there() -> None:
    named = {test for promise in CONTRACT.values() for test in promise.tests}
    missing = {t for t in named if t.partition("::")[2] not in named_in(t.partition("::")[0])}
    assert missing == set()


def test_every_exit_code_and_every_command_is_in_it() -> None:
    said = " ".join(p.text for name, p in CONTRACT.items() if name.startswith("exit-codes."))
    assert [code for code in ExitCode if str(int(code)) not in said] == []
    promised = " ".join(p.text for name, p in CONTRACT.items() if name.startswith("commands."))
    assert [command for command in COMMANDS if command not in promised] == []
