"""scripts/mutation.py: which changes it makes, and that it tells noticed from unnoticed ones."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.mutation import ROOT, Kind, Outcome, choose, find, judge_all, mutants, ordered_tests

SOURCE = b'''
"""Doc."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import x
def f(a: "int" = 3) -> bool:
    log("\xc3\xa9")  ; g(a)
    if a < 5 < 7:
        return f"{a == 1}"
    return a is not None and not (
        a
        in b
    )
'''


def changed(source: bytes) -> list[tuple[Kind, str, str]]:
    return [(m.kind, m.before, m.after) for m in mutants("a.py", source)]


def test_calls_comparisons_and_numbers_are_changed() -> None:
    assert changed(SOURCE) == [
        (Kind.NUMBER, "3", "4"),
        (Kind.CALL, 'log("é")', "pass"),
        (Kind.CALL, "g(a)", "pass"),
        (Kind.NUMBER, "5", "6"),
        (Kind.NUMBER, "7", "8"),
        (Kind.COMPARISON, "a is not None", "(a is None)"),
        (Kind.COMPARISON, "a\n        in b", "(a not in b)"),
    ]


@pytest.mark.parametrize("name", ["cli/app.py", "downloads/stream.py", "http/retry.py"])
def test_every_mutant_is_another_valid_module(name: str) -> None:
    source = (ROOT / "nostra_cli" / name).read_bytes()
    found = list(mutants(name, source))
    trees = {ast.dump(ast.parse(mutant.apply(source))) for mutant in found}
    assert len(trees) == len(found) > 0
    assert ast.dump(ast.parse(source)) not in trees


def test_the_same_seed_chooses_the_same_mutants_of_all_kinds() -> None:
    found = find(ROOT, "nostra_cli/**/*.py")
    chosen = choose(found, 12, seed=3)
    assert chosen == choose(found, 12, seed=3)
    assert chosen != choose(found, 12, seed=4)
    assert [mutant.kind for mutant in chosen].count(Kind.CALL) == 4
    assert len(set(chosen)) == 12


def test_fewer_are_chosen_where_there_are_no_more() -> None:
    assert len(choose(list(mutants("a.py", b"x = 1 < 2\n")), 40, seed=0)) == 3


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("nostra_cli/units.py", "tests/test_units.py"),
        ("nostra_cli/http/redirects.py", "tests/http/test_redirects.py"),
        ("nostra_cli/doctor/checks.py", "tests/doctor/test_connectivity.py"),
        ("nostra_cli/sandbox/__init__.py", "tests/sandbox/test_child.py"),
    ],
)
def test_the_tests_of_a_module_and_of_its_room_come_first(path: str, first: str) -> None:
    tests = ordered_tests(path, ROOT)
    assert tests[0] == first
    assert sorted(tests) == sorted(
        str(test.relative_to(ROOT)) for test in ROOT.glob("tests/**/test_*.py")
    )


def test_a_test_that_always_fails_notices_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    (root / "nostra_cli").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "nostra_cli" / "__init__.py").touch()
    (root / "nostra_cli" / "a.py").write_text("def f(): return 1\ndef g(): return 2\n")
    (root / "tests" / "test_a.py").write_text(
        "from nostra_cli.a import f\ndef test_f(): assert f() == 1\n"
    )
    (root / "tests" / "test_always.py").write_text("def test_red(): assert False\n")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["slow"]\n')
    outcomes = judge_all(root, find(root, "nostra_cli/*.py"), jobs=1, seconds=60)
    assert outcomes == [Outcome.NOTICED, Outcome.SURVIVED]
    assert capsys.readouterr().out.splitlines() == [
        "noticed: nostra_cli/a.py:1: number plus one: 1 -> 2  [tests/test_a.py::test_f]",
        "SURVIVED: nostra_cli/a.py:2: number plus one: 2 -> 3",
    ]
