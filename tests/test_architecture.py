"""The house: imports only go down, each room keeps to itself, and start-up loads little."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.running import Runner, clean_env

PACKAGE = "nostra_cli"
ROOT = Path(__file__).parents[1] / PACKAGE
# From top to bottom: each may import itself and what comes after it.
LAYERS = [
    "__main__",
    "cli",
    "filesystem",
    "output",
    "doctor",
    "preview",
    "downloads",
    "api",
    "http",
    "config",
    "concurrency",
    "files",
    "signals",
    "units",
    "models",
    "errors",
]
START_UP_LEAVES_OUT = [
    "httpx",
    "httpcore",
    "rich",
    "ijson",
    "platformdirs",
    "ssl",
    "asyncio",
    "nostra_cli.sandbox.server",
    "tomllib",
    "fsspec",
]
STATUS_LEAVES_OUT = [
    "rich",
    "ijson",
    "platformdirs",
    "tomllib",
    "fsspec",
    "nostra_cli.sandbox",
    "nostra_cli.downloads",
    "nostra_cli.api.wait",
    "nostra_cli.concurrency",
    "nostra_cli.output.github",
]


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that can run: not what only a type checker reads."""
    yield node
    below: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if _typing_only(node):
        assert isinstance(node, ast.If)
        below = node.orelse
    for child in below:
        yield from _running(child)


def imported(source: str, package: str) -> set[str]:
    """Read what a module of `package` imports, wherever it does, by absolute names.

    `from a import b` is `a.b`: whether `b` is a module is for the caller to know.
    """
    found: set[str] = set()
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            up = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


@cache
def house() -> dict[str, frozenset[str]]:
    """Return the imports of every module, by its name below the package ('' is the package)."""
    modules = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        folder = ".".join([PACKAGE, *parts[:-1]])
        name = ".".join(parts).removesuffix("__init__").removesuffix(".")
        modules[name] = frozenset(imported(path.read_text(encoding="utf-8"), folder))
    return modules


def own(module: str) -> set[str]:
    """Return the modules of ours that a module imports, by their names below the package."""
    found = set()
    for name in house()[module]:
        if name.split(".")[0] == PACKAGE:
            below = name.removeprefix(PACKAGE).removeprefix(".")
            found.add(below if below in house() else below.rpartition(".")[0])
    return found


def users_of(library: str) -> set[str]:
    """Return the modules that import a library."""
    return {
        module
        for module, names in house().items()
        if any(name.split(".")[0] == library for name in names)
    }


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def client() -> list[str]:
    return [module for module in house() if module and room(module) != "sandbox"]


def cycle_in(edges: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b, c", {"a.b", "c"}),
        ("import a as b", {"a"}),
        ("from a.b import c, d", {"a.b.c", "a.b.d"}),
        ("from . import c", {"p.q.c"}),
        ("from .c import d", {"p.q.c.d"}),
        ("from ..c import d", {"p.c.d"}),
        ("def f():\n if x:\n  import a", {"a"}),
        ("class C:\n try:\n  import a\n except ImportError:\n  import b", {"a", "b"}),
        ("if TYPE_CHECKING:\n import a\nelse:\n import b", {"b"}),
        ("if typing.TYPE_CHECKING:\n from a import b", set()),
        ("if not TYPE_CHECKING:\n import a", {"a"}),
        ("'import a'", set()),
    ],
)
def test_the_reader_of_imports_sees_all_that_run(source: str, names: set[str]) -> None:
    assert imported(source, "p.q") == names


def test_the_finder_of_cycles_finds_one() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}}) == []


def test_every_module_has_its_room() -> None:
    assert {room(module) for module in client()} == set(LAYERS)
    assert own("") == set()


@pytest.mark.parametrize("module", client())
def test_imports_only_go_down(module: str) -> None:
    here = LAYERS.index(room(module))
    sandboxed = {"sandbox"} if module == "cli.commands.sandbox" else set()
    upward = {
        other
        for other in own(module)
        if other and room(other) not in {room(module), *sandboxed, *LAYERS[here + 1 :]}
    }
    assert upward == set()


def test_no_command_imports_another() -> None:
    commands = [module for module in house() if module.startswith("cli.commands.")]
    assert len(commands) > 5
    among = {module: {other for other in own(module) if other in commands} for module in commands}
    assert {module for module, others in among.items() if others} == set()


def test_only_the_transport_knows_httpx() -> None:
    assert {room(module) for module in users_of("httpx") | users_of("httpcore")} == {"http"}


def test_only_the_output_knows_rich() -> None:
    assert {room(module) for module in users_of("rich")} == {"output"}


def test_the_output_knows_values_and_nothing_that_acts() -> None:
    known = {other for module in house() if room(module) == "output" for other in own(module)}
    assert {room(other) for other in known} == {"output", "models", "errors", "signals", "units"}


def test_the_sandbox_shares_nothing_with_the_client() -> None:
    modules = [module for module in house() if room(module) == "sandbox"]
    assert len(modules) > 5
    shared = {other for module in modules for other in own(module) if room(other) != "sandbox"}
    assert shared == set()


def test_no_import_comes_back() -> None:
    edges = {module: own(module) - {module} for module in house()}
    # A package comes before its modules, and holds nothing.
    packages = tuple(
        name for name in house() if (ROOT / name.replace(".", "/") / "__init__.py").exists()
    )
    assert all(own(name) == set() for name in packages)
    assert cycle_in(edges) == []


def loaded(stderr: str) -> set[str]:
    """Read what `python -X importtime` tells."""
    lines = [line for line in stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def too_many(modules: set[str], left_out: Iterable[str]) -> list[str]:
    return sorted(
        module
        for module in modules
        for name in left_out
        if module == name or module.startswith(f"{name}.")
    )


# Not named by it: what `importlib.import_module` loads itself, but all that is imported there is.
IMPORTS_SHOWN = (sys.executable, "-X", "importtime", "-m", PACKAGE)


@pytest.mark.parametrize("line", ["nostra ", "nostra download x -f ", "nostra status "])
def test_completion_leaves_out_what_it_does_not_need(line: str, tmp_path: Path) -> None:
    request = {
        "_NOSTRA_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": line,
    }
    modules = loaded(Runner(tmp_path, clean_env(tmp_path, **request))(command=IMPORTS_SHOWN).err)
    assert "typer" in modules
    assert too_many(modules, START_UP_LEAVES_OUT) == []


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["download", "--help"]])
def test_start_up_leaves_out_what_it_does_not_need(arguments: list[str], tmp_path: Path) -> None:
    ended = Runner(tmp_path, clean_env(tmp_path))(*arguments, command=IMPORTS_SHOWN)
    assert ended.code == 0
    assert ended.out
    modules = loaded(ended.err)
    assert PACKAGE in modules
    assert too_many(modules, START_UP_LEAVES_OUT) == []


def test_a_piped_status_leaves_out_what_it_does_not_need(nostra: Runner) -> None:
    ended = nostra("status", "demo", command=IMPORTS_SHOWN)
    assert "demo" in ended.out
    modules = loaded(ended.err)
    assert {"httpx", f"{PACKAGE}.api.client"} <= modules
    assert too_many(modules, STATUS_LEAVES_OUT) == []


def test_what_is_imported_is_declared() -> None:
    """Not only by a dependency, which may do without it one day."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["fsspec"], *extras["preview"]]
    names = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in declared}
    used = {name.split(".")[0] for found in house().values() for name in found}
    assert used - sys.stdlib_module_names - {PACKAGE} <= names


def test_threads_are_started_in_one_place() -> None:
    """All but the main thread leave the signals alone."""
    starting = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if "threading.Thread(" in path.read_text(encoding="utf-8")
    }
    assert starting == {"sandbox/server.py", "signals.py"}
