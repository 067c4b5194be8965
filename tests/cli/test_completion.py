"""The completion scripts in real shells, and the candidates of `nostra`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.cli import app
from nostra_cli.cli.app import COMMANDS
from nostra_cli.cli.commands.completion import SCRIPTS
from nostra_cli.config import history
from nostra_cli.models import Format, Invocation, Result
from tests.running import NOSTRA, Runner, clean_env
from tests.terminal import Terminal, terminal

FOLDER = Path(__file__).parents[2] / "nostra_cli" / "cli" / "completions"
SERVICE = "https://nostradamus.u-hopper.com"
PRIMARY, OTHER = "5f0c:1", "a7e9"
FORMATS = frozenset({Format.JSON, Format.CSV})
REQUEST = {"_NOSTRA_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    """Make an environment with profiles and a history of two services."""
    path = os.pathsep.join([str(Path(NOSTRA).parent), os.environ["PATH"]])
    config = home / "config.toml"
    state = home / "state"
    env = clean_env(home, NOSTRA_CONFIG=str(config), XDG_STATE_HOME=str(state), PATH=path)
    env |= {"TERM": "dumb", "PS1": "> "}
    config.write_text(
        f'[profiles.prod]\nbase_url = "{SERVICE}"\n[profiles.test]\n["profiles"."a b"]'
    )
    config.chmod(0o600)
    results = (
        Result(PRIMARY, True, "completed", FORMATS),
        Result(OTHER, False, "completed", FORMATS),
    )
    job = Invocation("job:a:4711", "completed", results, {})
    history.record(env, "https://else.example", [Invocation("elsewhere", "running", (), {})])
    history.record(env, SERVICE, [Invocation("4712", "running", (), {}), job])
    return env


@pytest.fixture
def answer(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return the response to a completion script at the end of a line, in this process."""
    for name, value in {**env, **REQUEST}.items():
        monkeypatch.setenv(name, value)

    def ask(line: str) -> str:
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        return app.complete(line)

    return ask


@pytest.fixture
def candidates(answer: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Return the candidates at the end of a line; for files their placeholder."""

    def ask(line: str) -> list[str]:
        rows = [row.partition("\t") for row in answer(line).splitlines()]
        return [text if text in ("<files>", "<directories>") else word for word, _, text in rows]

    return ask


CASES: list[tuple[str, list[str]]] = [
    ("nostra ", list(COMMANDS)),
    ("nostra dow", ["download"]),
    ("nostra zz", []),
    ("nostra -", ["--version", "--help"]),
    ("nostra zz ", []),
    ("/x/y/nostra wait --time", ["--timeout"]),
    ("nostra wait --timeout ", []),
    ("nostra wait --timeout 5 --time", []),
    ("nostra wait --timeout=5 --time", []),
    ("nostra download -f csv --form", ["--format"]),
    ("nostra config ", ["list", "get", "set", "unset", "path"]),
    ("nostra config l", ["list"]),
    ("nostra config --", ["--help"]),
    ("nostra config list --pro", ["--profile"]),
    ("nostra config get f", ["format"]),
    ("nostra config set jobs ", []),
    ("nostra results 4712 ", []),
    ("nostra wait x --no", ["--no-ci"]),
    ("nostra download -f", ["-f"]),
    ("nostra download x -f ", ["json", "csv", "xlsx", "all"]),
    ("nostra download x -fcsv -j 4 --jo", []),
    ("nostra download x --format=", [f"--format={f}" for f in ("json", "csv", "xlsx", "all")]),
    ("nostra download x --verify f", ["full"]),
    ("nostra download x -o ", ["<files>"]),
    ("nostra download x --output=a", ["<files>"]),
    ("nostra download x -d ", ["<directories>"]),
    ("nostra preview ", ["4712", "job:a:4711"]),
    ("nostra preview ./res", ["<files>"]),
    ("nostra preview results/", ["<files>"]),
    ("nostra sandbox --scenario ", ["<files>"]),
    ("nostra sandbox ", ["exec"]),
    ("nostra sandbox exec -- ", ["<files>"]),
    ("nostra status --profile ", ["prod", "test"]),
    ("nostra status --profile=p", ["--profile=prod"]),
    ("nostra status ", ["4712", "job:a:4711"]),
    ("nostra status --profile prod ", ["4712", "job:a:4711"]),
    ("nostra status 4712 j", ["job:a:4711"]),
    ("nostra status 4712 'job:a", ["job:a:4711"]),
    ("nostra completion f", ["fish"]),
    ("nostra status --profile nope 4", []),
    ("nostra status --base-url https://else.example ", ["elsewhere"]),
    ("nostra status -- ", ["4712", "job:a:4711"]),
    ("nostra results 4712 4", []),
    ("nostra download job:a:4711 -r ", [PRIMARY, OTHER]),
    ("nostra download 'job:a:4711' -r 5", [PRIMARY]),
    ("nostra download 4712 -r ", []),
    ("", []),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_candidates(candidates: Callable[[str], list[str]], line: str, expected: list[str]) -> None:
    assert candidates(line) == expected


@pytest.mark.parametrize("line", ["nostra download -", "nostra config set jobs 4 --"])
def test_options_are_offered_by_their_long_names(
    candidates: Callable[[str], list[str]], line: str
) -> None:
    found = candidates(line)
    assert {"--color", "--json", "--help"} < set(found)
    assert all(word.startswith("--") for word in found)


def test_each_candidate_is_a_line_with_its_help(answer: Callable[[str], str]) -> None:
    lines = answer("nostra download 4712 --").splitlines()
    assert len(lines) > 15
    assert all(len(line.split("\t")) == 2 for line in lines)


@pytest.mark.parametrize("broken", ["config", "history", "home", "line"])
def test_completion_is_silent_if_anything_fails(
    env: dict[str, str], tmp_path: Path, broken: str
) -> None:
    home = Path(env["HOME"])
    more = {**REQUEST, "_TYPER_COMPLETE_ARGS": "nostra status 4"}
    if broken == "config":
        (home / "config.toml").write_text("x = ")
    elif broken == "history":
        (home / "state/nostra/history.json").write_text("[1]")
    elif broken == "home":
        more |= {"HOME": "/dev/null", "XDG_STATE_HOME": "", "NOSTRA_CONFIG": ""}
    else:
        del more["_TYPER_COMPLETE_ARGS"]
    ended = Runner(tmp_path, {**env, **more})()
    assert (ended.code, ended.out, ended.err) == (0, "", "")


@given(st.text("nostra -'\"\\=:dowlf\u00e9\n", max_size=40))
def test_any_line_can_be_completed(line: str) -> None:
    nowhere = {"NOSTRA_CONFIG": "/nowhere/config.toml", "XDG_STATE_HOME": "/nowhere"}
    typed = {**nowhere, **REQUEST, "_TYPER_COMPLETE_ARGS": f"nostra {line}"}
    with mock.patch.dict(os.environ, typed):
        rows = app.complete(f"nostra {line}").split("\n")
    assert rows.pop() == ""
    assert all(row.partition("\t")[0].isprintable() for row in rows)


def test_a_token_file_is_not_read(
    candidates: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOSTRA_TOKEN_FILE", "/nowhere/token")  # it could be a pipe, to read once
    assert candidates("nostra status 4") == ["4712"]


# What is typed, with the key that completes, and what has to be on the line then.
TYPED = [
    ("nostra dow\t", "nostra download "),
    ("nostra wait --time\t", "nostra wait --timeout "),
    ("nostra download x -f xl\t", "nostra download x -f xlsx "),
    ("nostra download x --format=xl\t", "nostra download x --format=xlsx "),
    ("nostra status --profile pr\t", "nostra status --profile prod "),
    ("nostra status 47\t", "nostra status 4712 "),
    ("nostra status job:\t", "nostra status job:a:4711 "),
    ("nostra download job:a:4711 -r 5f\t", f"nostra download job:a:4711 -r {PRIMARY} "),
    ("nostra download x -o some\t", "nostra download x -o some file.csv "),
    ("nostra download x -d fol\t", "nostra download x -d folder/"),
]


def wanted(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


def typed(screen: Terminal, keys: str, expected: str) -> None:
    """Type on the command line of the shell, return the result, and clear the line."""
    screen.seen = b""
    os.write(screen.fd, keys.encode())
    plain = expected.replace("some file", "some\\ file")
    screen.read_until(plain.encode())
    os.write(screen.fd, b"\x15")


@pytest.mark.parametrize(
    ("shell", "start"),
    [
        (["bash", "--norc", "-i"], "source"),
        (["zsh", "-f", "-i"], "PS1='> '; autoload -U compinit; compinit -D -u; source"),
    ],
)
def test_shells_complete(shell: list[str], start: str, env: dict[str, str], tmp_path: Path) -> None:
    wanted(shell[0])
    (tmp_path / "some file.csv").touch()
    (tmp_path / "folder").mkdir()
    script = FOLDER / ("nostra.bash" if shell[0] == "bash" else "_nostra")
    with terminal(shell, env, tmp_path) as screen:
        os.write(screen.fd, f"{start} {script}; echo rea''dy\n".encode())
        screen.read_until(b"ready")
        for keys, expected in TYPED:
            typed(screen, keys, expected)


def test_bash_completes_without_readline(env: dict[str, str], tmp_path: Path) -> None:
    wanted("bash")
    script = f"""
        source {FOLDER / "nostra.bash"}
        COMP_WORDS=(nostra download x --verify ''); COMP_CWORD=4
        $(complete -p nostra | sed 's/.*-F \\([^ ]*\\) .*/\\1/') nostra
        echo "${{COMPREPLY[@]}}"
    """
    assert ran(["bash", "--norc", "-c", script], env, tmp_path) == "auto full off\n"


def ran(command: list[str], env: Mapping[str, str], cwd: Path) -> str:
    done = subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_zsh_completes_from_its_fpath(env: dict[str, str], tmp_path: Path) -> None:
    wanted("zsh")
    start = f"PS1='> '; fpath=({FOLDER} $fpath); autoload -U compinit; compinit -D -u"
    with terminal(["zsh", "-f", "-i"], env, tmp_path) as screen:
        os.write(screen.fd, f"{start}; echo rea''dy\n".encode())
        screen.read_until(b"ready")
        for keys, expected in TYPED[:1]:
            typed(screen, keys, expected)


def test_fish_completes(env: dict[str, str], tmp_path: Path) -> None:
    wanted("fish")
    (tmp_path / "some file.csv").touch()
    (tmp_path / "folder").mkdir()
    lines = [keys.removesuffix("\t") for keys, _ in TYPED]
    script = f"source {FOLDER / 'nostra.fish'}\n"
    script += "".join(f"complete -C '{line}'\n" for line in lines)
    candidates_shown = ran(["fish", "--no-config", "-c", script], env, tmp_path).splitlines()
    assert candidates_shown == [
        "download\tDownload results to files, or to stdout",
        "--timeout\tDeadline: 90, 90s, 15m, 2h (default: none)",
        "xlsx",
        "--format=xlsx",
        "prod",
        "4712\trunning",
        "job:a:4711\tcompleted",
        f"{PRIMARY}\tcsv json",
        "some file.csv",
        "folder/\tDirectory",
    ]


def test_powershell_completes(env: dict[str, str], tmp_path: Path) -> None:
    wanted("pwsh")
    script = f". {FOLDER / 'nostra.ps1'}\n" + "".join(
        f"$l = '{line}'; (TabExpansion2 $l $l.Length).CompletionMatches.CompletionText\n"
        for line in ("nostra dow", "nostra wait --time", "nostra status ", "nostra status job:")
    )
    candidates_shown = ran(["pwsh", "-NoProfile", "-Command", script], env, tmp_path).split()
    assert candidates_shown == ["download", "--timeout", "4712", "job:a:4711", "job:a:4711"]


def test_a_status_reaches_the_terminal_without_its_control_characters(
    env: dict[str, str], answer: Callable[[str], str]
) -> None:
    status = "\x1b]0;title\x07run\u202ening\x9b2J\tx"
    history.record(env, SERVICE, [Invocation("4713", status, (), {})])
    assert answer("nostra status 4713") == "4713\t]0;title run ning 2J x\n"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_nostra_prints_the_script_of_a_shell(nostra: Runner, shell: str) -> None:
    ended = nostra("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (FOLDER / SCRIPTS[shell]).read_text(encoding="utf-8")


def test_every_script_has_its_shell() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SCRIPTS.values())


def test_an_unknown_shell_is_a_usage_error_with_the_choices(nostra: Runner) -> None:
    ended = nostra("completion", "csh")
    assert (ended.code, ended.out) == (2, "")
    assert "'csh' is not one of bash, zsh, fish, powershell" in ended.err


def test_the_script_is_one_json_object_with_json(nostra: Runner) -> None:
    printed = nostra("completion", "fish", "--json").json()
    assert printed == {"shell": "fish", "script": (FOLDER / "nostra.fish").read_text("utf-8")}
