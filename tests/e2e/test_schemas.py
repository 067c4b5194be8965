"""What `--json` writes, of every command and every kind of failure, held to the schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from nostra_cli import errors
from nostra_cli.cli.app import COMMANDS
from nostra_cli.errors import NostraError
from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.running import NOSTRA, Ended, Runner
from tests.sandbox.calling import fault, faulty

FOLDER = Path(__file__).parents[2] / "nostra_cli" / "schemas"
SCHEMAS = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in FOLDER.iterdir()
}
KINDS = {
    (kind("").kind, int(kind.code))
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, NostraError)
}


def check(shape: str, value: object) -> None:
    Draft202012Validator(SCHEMAS[shape]).validate(value)


def refused(shape: str, value: object) -> bool:
    return not Draft202012Validator(SCHEMAS[shape]).is_valid(value)


def check_run(command: str, ended: Ended) -> None:
    """Hold all that a run wrote to the schemas: stdout to its command's, stderr line by line."""
    if command == "wait":
        for line in ended.out.splitlines():
            check("wait", json.loads(line))
    elif ended.out:
        check(command, ended.json())
    codes = []
    for line in ended.err.splitlines():
        said = json.loads(line)
        check("error" if "error" in said else "warning", said)
        codes += [said["error"]["code"]] if "error" in said else []
    assert ended.code == (codes[0] if codes else 0)


def objects(schema: object) -> Iterator[dict[str, object]]:
    """Yield every schema within a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from objects(inner)


def test_the_installed_package_has_them() -> None:
    installed = {path.name for path in resources.files("nostra_cli").joinpath("schemas").iterdir()}
    assert installed == {f"{name}.schema.json" for name in SCHEMAS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_closed_except_for_the_service(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    described = list(objects(SCHEMAS[name]))
    if name not in ("status", "wait"):  # there the service has keys of its own
        ours = [one for one in described if "properties" in one]
        assert all(one["additionalProperties"] is False for one in ours)
    for one in described:
        assert "required" in one or one["additionalProperties"]


@pytest.mark.parametrize(
    "args",
    [
        ["status", "demo-dedup", "demo-stuck", "demo-failed", "demo-partial"],
        ["status", "demo-dedup", "nope"],
        ["wait", "demo-dedup", "demo-failed", "demo-partial"],
        ["wait", "demo-dedup", "demo-stuck", "--timeout", "1s"],
        ["results", "demo-partial"],
        ["doctor"],
        ["download", "demo-dedup", "demo-partial", "-f", "all", "--all-results"],
        ["download", "demo-dedup", "demo-demand", "--wait", "--ci"],
        ["preview", "demo-dedup"],
        ["preview", "demo-dedup", "-f", "json", "-n", "1"],
        ["preview", "demo-demand", "--stats"],
        ["config", "list"],
        ["config", "get", "jobs"],
        ["config", "path"],
        ["completion", "zsh"],
    ],
    ids=" ".join,
)
def test_what_a_command_writes(nostra: Runner, args: list[str]) -> None:
    ended = nostra(*args, "--json")
    assert ended.out
    check_run(args[0], ended)


@pytest.mark.parametrize("args", [["set", "jobs", "4"], ["unset", "jobs"]], ids=" ".join)
def test_a_change_of_the_config_file(bare: Runner, args: list[str]) -> None:
    check_run("config", bare("config", *args, "--json"))


def test_login_and_logout(bare: Runner, sandbox: Sandbox) -> None:
    options = ("--profile", "mine", "--base-url", sandbox.base_url, "--json")
    stored = bare("login", *options, stdin=sandbox.token)
    assert stored.json()["checked"] is True
    check_run("login", stored)
    check_run("logout", bare("logout", "--profile", "mine", "--json"))


def test_sandbox(bare: Runner) -> None:
    with subprocess.Popen(
        [NOSTRA, "sandbox", "--json"], env=bare.env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        check("sandbox", json.loads(process.stdout.readline()))
        process.terminate()


def test_every_command_with_json_of_its_own_has_a_schema() -> None:
    assert set(COMMANDS) - set(SCHEMAS) == {"api"}  # whose JSON is that of the service


def test_a_wait_that_saw_changes(home: Path, tmp_path: Path) -> None:
    rule = '[invocation.job]\nstatuses = ["queued", "odd", "canceled"]\n'
    with faulty(rule) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("wait", "job", "--json", "--interval", "0.1s")
    check_run("wait", ended)
    [line] = ended.out.splitlines()
    assert len(json.loads(line)["transitions"]) == 3


def test_files_that_were_there_or_were_resumed(home: Path, tmp_path: Path) -> None:
    with faulty(fault("times = 1\ncut_after = 1000")) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        resumed = nostra("download", "demo-dedup", "-f", "csv", "--json")
        skipped = nostra("download", "demo-dedup", "-f", "csv", "--json", "--skip-existing")
    for ended in (resumed, skipped):
        check_run("download", ended)
    [first], [second] = resumed.json(), skipped.json()
    assert (first["resumed"], first["status"], second["status"]) == (True, "downloaded", "skipped")
    assert first["sha256"] == second["sha256"]


RULES = """
[[fault]]
path = "*/refused"
status = 401

[[fault]]
path = "*/bad"
status = 400

[[fault]]
path = "*/page"
page = "Log in"
"""
FAILURES = [
    ("usage", ["status"]),
    ("usage", ["results", "x", "--bogus"]),
    ("usage", ["download", "x", "-o", "-"]),
    *(("auth", [name, "refused"]) for name in ("status", "wait", "results", "download")),
    ("not_found", ["wait", "nope"]),
    ("not_found", ["download", "demo-dedup", "-r", "none"]),
    ("failed", ["wait", "demo-failed"]),
    ("service", ["status", "bad"]),
    ("corrupt", ["results", "page"]),
    ("file", ["download", "demo-dedup", "-d", "/dev/null/x"]),
    ("not_ready", ["download", "demo-stuck"]),
    ("deadline", ["download", "demo-stuck", "--wait", "--timeout", "0.2s"]),
]


@pytest.fixture(scope="module")
def failing() -> Iterator[Sandbox]:
    with faulty(RULES) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("kind", "args"), FAILURES, ids=[" ".join(args) for _, args in FAILURES])
def test_a_failure_is_one_object(
    failing: Sandbox, home: Path, tmp_path: Path, kind: str, args: list[str]
) -> None:
    ended = runner_for(failing, home, tmp_path)(*args, "--json")
    check_run(args[0], ended)
    assert ended.error["kind"] == kind
    assert ended.out == "" or args == ["wait", "demo-failed"]


def test_a_bug_is_one_object(nostra: Runner) -> None:
    broken = (
        "import sys; from nostra_cli.api import client;"
        "from nostra_cli.cli.main import main; client.Service.invocation = None;"
        "sys.exit(main(['status', 'x', '--json']))"
    )
    command = [sys.executable, "-c", broken]
    done = subprocess.run(
        command, env=nostra.env, capture_output=True, text=True, timeout=60, check=False
    )
    check_run("status", Ended(done.returncode, done.stdout, done.stderr))
    assert (done.returncode, json.loads(done.stderr)["error"]["kind"]) == (1, "bug")


def test_a_warning_is_one_object(nostra: Runner, home: Path) -> None:
    file = home / "c.toml"
    file.write_text("unheard = 1\n")
    file.chmod(0o600)
    ended = nostra("results", "demo-dedup", "--json", env={"NOSTRA_CONFIG": str(file)})
    check_run("results", ended)
    assert "unheard" in json.loads(ended.err)["warning"]


def test_every_kind_of_error_is_in_the_schema() -> None:
    pairs = SCHEMAS["error"]["properties"]["error"]["oneOf"]
    known = [(pair["properties"]["kind"], pair["properties"]["code"]) for pair in pairs]
    signals = {("signal", code) for code in (129, 130, 143)}
    assert {(kind["const"], code["const"]) for kind, code in known} == KINDS | signals


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("error", {"error": {"code": 4, "kind": "file", "message": "a", "hint": ""}}),
        ("error", {"error": {"code": 4, "kind": "not_found", "message": "a"}}),
        ("warning", {"warning": "a", "more": 1}),
        ("results", [{"result": "a", "primary": True}]),
        ("status", [{"status": "completed", "invocation": "a", "outcome": "completed"}]),
        ("wait", {"status": "x", "invocation": "a", "outcome": "failed", "at": "now"}),
    ],
)
def test_another_shape_is_refused(shape: str, value: object) -> None:
    assert refused(shape, value)


def test_each_key_of_a_download_is_needed_and_there_are_no_others(nostra: Runner) -> None:
    [entry] = nostra("download", "demo-dedup", "-f", "csv", "--json").json()
    assert list(entry) == [
        *("invocation", "result", "format", "path", "bytes", "sha256"),
        *("seconds", "resumed", "status"),
    ]
    assert all(refused("download", [{k: entry[k] for k in entry if k != key}]) for key in entry)
    assert refused("download", [{**entry, "more": 1}])
