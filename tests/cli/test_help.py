"""Every `--help`: as it was last reviewed, with examples that run; usage errors with hints."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nostra_cli import DOCS_URL, __version__
from nostra_cli.cli.app import COMMANDS, parse
from nostra_cli.cli.help import GET_STARTED
from nostra_cli.cli.main import main
from nostra_cli.errors import ExitCode
from nostra_cli.sandbox.server import Sandbox
from scripts import make_help
from tests.output.screens import Stream
from tests.running import NOSTRA, Ended, Runner, check_invariants
from tests.terminal import terminal

SIGNALS = {ExitCode.HANGUP, ExitCode.INTERRUPT, ExitCode.PIPE, ExitCode.TERMINATE}
# What stands for something of a person's own, in the examples.
STANDING_FOR = {"4711": "demo-dedup", "4712": "demo-demand", "demo --wait": "demo-dedup --wait"}
EXAMPLES = [
    (name, example)
    for name in COMMANDS
    for example in importlib.import_module(f"nostra_cli.cli.commands.{name}").EXAMPLES
]


def test_every_help_has_its_snapshot() -> None:
    assert {make_help.file_of(name) for name in make_help.names()} == set(
        make_help.FOLDER.iterdir()
    )


@pytest.mark.parametrize("name", make_help.names())
def test_help_is_as_it_was_last_reviewed(name: str) -> None:
    assert make_help.file_of(name).read_text(encoding="utf-8") == make_help.help_of(name)


@pytest.mark.parametrize("name", make_help.names())
def test_help_fits_80_columns(name: str) -> None:
    text = make_help.file_of(name).read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 80


def test_help_of_status_fits_24_rows_with_the_prompt_below() -> None:
    assert len(make_help.file_of("status").read_text(encoding="utf-8").splitlines()) <= 23


def shown(*argv: str) -> str:
    """Return the help of a command line, in this process."""
    text = parse(argv)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("name", make_help.names())
def test_help_lines_name_the_thing_without_a_full_stop(name: str) -> None:
    rows = [line for line in shown(*name.split(), "--help").splitlines() if line[:1] == " "]
    assert [line for line in rows if line.endswith(".") and not line.endswith("...")] == []


@pytest.mark.parametrize("name", make_help.names())
def test_help_on_40_columns_wraps_everything_but_command_lines(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for line in shown(*name.split(), "--help").splitlines():
        typed = line.startswith(("  nostra", "    nostra", "  --", "  -", "  eval", "  ["))
        assert len(line) <= 40 or typed or "https://" in line or "|" in line, line


@pytest.mark.parametrize("columns", ["1", "0", "-3", "x", "9" * 30])
def test_help_on_a_terminal_of_an_odd_width(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert "--exit-status" in shown("status", "--help")


def test_help_on_200_columns_stays_within_100(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    widths = {len(line) for line in shown("download", "--help").splitlines()}
    assert 80 < max(widths) <= 100


HEADINGS = ["Usage", "Examples", "Options", "Exit codes", "Docs"]


def test_headings_are_bold_if_requested() -> None:
    text = parse(["status", "--help"], bold=True)
    assert isinstance(text, str)
    assert re.findall("\x1b\\[1m(.*?):\x1b\\[0m", text) == HEADINGS


@pytest.mark.parametrize(
    ("env", "bold"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_headings_are_bold_on_a_terminal(nostra: Runner, env: dict[str, str], bold: bool) -> None:
    with terminal([NOSTRA, "--help"], {**nostra.env, **env}, nostra.cwd) as screen:
        assert screen.read_to_end() == 0
    assert (b"\x1b[1mCommands:\x1b[0m" in screen.seen) is bold


COLOUR_LAST = ["--help --color {}", "--color={} -h", "--nope --color {}", "--color={}"]


@pytest.mark.parametrize("rest", COLOUR_LAST)
@pytest.mark.parametrize(("when", "coloured"), [("never", False), ("always", True)])
def test_color_holds_for_help_and_usage_errors(
    rest: str, when: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdout, stderr = Stream(terminal=True), Stream(terminal=True)
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "xterm" if when == "never" else "dumb")
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    main(["status", *rest.format(when).split()])
    assert ("\x1b[" in stdout.text + stderr.text) is coloured


def test_a_pipe_gets_no_escape_codes(nostra: Runner) -> None:
    assert "\x1b" not in nostra("status", "--help", env={"FORCE_COLOR": "1"}).out


def test_each_command_names_its_page() -> None:
    for name in COMMANDS:
        page = importlib.import_module(f"nostra_cli.cli.commands.{name}").DOCS
        assert f"Docs: {DOCS_URL}/{page}.md\n" in shown(name, "--help")


def test_the_page_about_json_is_named() -> None:
    assert "docs/machine-output.md" in shown("wait", "--help")


def test_help_knows_the_exit_codes_of_the_command() -> None:
    expected = "Exit codes: 0, 2, 3, 4, 5, 6, 7, 8, 124 (nostra --help explains them)\n"
    assert expected in shown("wait", "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_codes_are_those_of_the_enum(name: str) -> None:
    codes = importlib.import_module(f"nostra_cli.cli.commands.{name}").CODES
    assert set(codes) <= set(ExitCode) - SIGNALS - {ExitCode.BUG}
    assert list(codes) == sorted(set(codes))
    assert {ExitCode.DONE, ExitCode.USAGE} <= set(codes)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_two_or_three_examples(name: str) -> None:
    examples = [example for command, example in EXAMPLES if command == name]
    assert 2 <= len(examples) <= 3
    assert all(f"nostra {name}" in example for example in examples)


@pytest.fixture
def desk(nostra: Runner, sandbox: Sandbox, home: Path) -> Runner:
    """Return `nostra` in a folder with the files that the examples name."""
    profile = f'base_url = "{sandbox.base_url}"\ntoken = "{sandbox.token}"\n'
    config = home / ".config" / "nostra" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"[profiles.prod]\n{profile}[profiles.test]\n{profile}")
    config.chmod(0o600)
    files = {
        "ids.txt": "demo-dedup\ndemo-demand\n",
        "token.txt": f"{sandbox.token}\n",
        "invocation.json": '{"collectionId": "c", "invocationType": "boosting", "args": {}}',
        "result.csv": "ID,Group\nC1,1\n",
        "bad-day.toml": '[[fault]]\npath = "*/csv"\ntimes = 1\nstatus = 503\n',
        "fetch.sh": "nostra download demo-dedup -f csv\n",
    }
    (nostra.cwd / "results").mkdir()
    for folder in (
        ".local/share/bash-completion/completions",
        ".zfunc",
        ".config/fish/completions",
    ):
        (home / folder).mkdir(parents=True)
    for name, text in files.items():
        (nostra.cwd / name).write_text(text)
    return nostra


@pytest.mark.parametrize(
    "example",
    dict.fromkeys([*(line for _, line in EXAMPLES), *(line for line, _ in GET_STARTED)]),
)
def test_examples_run(desk: Runner, tmp_path: Path, example: str) -> None:
    """Run an example in a shell, with a token on stdin; it has to succeed."""
    token = desk.env["NOSTRA_TOKEN"]
    line = example
    service = {"https://nostradamus.example.com": desk.env["NOSTRA_BASE_URL"]}
    for word, stands_for in {**STANDING_FOR, **service}.items():
        line = line.replace(word, stands_for)
    jq = tmp_path / "bin" / "jq"  # examples may name it; it is not ours to test
    jq.parent.mkdir()
    jq.write_text("#!/bin/sh\nexec cat\n")
    jq.chmod(0o755)
    path = os.pathsep.join([str(Path(NOSTRA).parent), str(jq.parent), desk.env["PATH"]])
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=desk.cwd,
        env={**desk.env, "PATH": path},
        input=f"{token}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    check_invariants(Ended(done.returncode, done.stdout, done.stderr), token)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr or "> ~/" in example


def test_without_arguments_the_commands_fit_24_rows_with_the_prompt_below(nostra: Runner) -> None:
    ended = nostra()
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.out.splitlines()) <= 23
    assert all(f"\n  {name} " in ended.out for name in COMMANDS)


@pytest.mark.parametrize("typed", [["-h"], ["--help"], ["--version", "--help"]])
def test_the_overview_is_the_same_for_each_way_to_request_it(
    nostra: Runner, typed: list[str]
) -> None:
    ended = nostra(*typed)
    assert (ended.code, ended.out, ended.err) == (0, shown("--help"), "")


@pytest.mark.parametrize("more", [[], ["status"], ["status", "a"]])
def test_version_whatever_command_follows(more: list[str]) -> None:
    assert parse(["--version", *more]) == f"nostra {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "expected_text"),
    [
        ("dowload x", "did you mean download? see nostra --help"),
        ("Status x", "did you mean status? see nostra --help"),
        ("frobnicate", "see nostra --help"),
        ("--versoin", "did you mean --version? see nostra --help"),
        ("-q status x", "options go after the command; see nostra --help"),
        ("config -q list", "options go after the command; see nostra config --help"),
        ("download x --formt csv", "did you mean --format? see nostra download --help"),
        ("download x --format xslx", "did you mean xlsx? see nostra download --help"),
        ("download x -f excel", "did you mean xlsx? see nostra download --help"),
        ("download x -f CVS", "did you mean csv? see nostra download --help"),
        ("download x -f q", "see nostra download --help"),
        ("download x --verify ful", "did you mean full? see nostra download --help"),
        ("status x --color alwys", "did you mean always? see nostra status --help"),
        ("status x --zzz", "see nostra status --help"),
        ("download x --xlsx", "did you mean -f xlsx? see nostra download --help"),
        ("download x --csv", "did you mean -f csv? see nostra download --help"),
        ("preview x --xlsx", "did you mean -f xlsx? see nostra preview --help"),
        ("download x --full", "did you mean --verify full? see nostra download --help"),
        ("download x --overwite", "did you mean --overwrite? see nostra download --help"),
        ("completion fsh", "did you mean fish? see nostra completion --help"),
        ("completion", "see nostra completion --help"),
        ("status x --timeout", "see nostra status --help"),
        ("results x y", "see nostra results --help"),
        ("config lst", "did you mean list? see nostra config --help"),
        ("config list --jsno", "did you mean --json? see nostra config list --help"),
        ("config frobnicate", "see nostra config --help"),
        ("wait", "see nostra wait --help"),
        ("wait ..", "see nostra wait --help"),
        ("wait -", "see nostra wait --help"),
        ("wait x --timeout abc", "see nostra wait --help"),
    ],
)
def test_a_similar_name_is_suggested(nostra: Runner, typed: str, expected_text: str) -> None:
    words = typed.split()
    ended = nostra(*words)
    assert (ended.code, ended.out) == (2, "")
    error, hint = ended.err.splitlines()
    assert (error[:7], hint) == ("error: ", f"hint: {expected_text}")
    described = nostra(*words, "--json").error
    assert (described["code"], described["kind"], described["hint"]) == (2, "usage", expected_text)
    assert error == f"error: {described['message']}"


def test_an_option_without_its_value_names_the_help_of_its_command(nostra: Runner) -> None:
    assert nostra("wait", "x", "--timeout").err.splitlines() == [
        "error: option '--timeout' requires an argument",
        "hint: see nostra wait --help",
    ]


@pytest.mark.parametrize("arguments", ["--version", "--help", "status --help"])
@pytest.mark.parametrize(
    ("stdout", "expected_text"),
    [("> /dev/full", "error: cannot write to stdout"), (">&-", "error: stdout is closed")],
)
def test_a_full_stdout_causes_no_traceback(
    nostra: Runner, arguments: str, stdout: str, expected_text: str
) -> None:
    done = subprocess.run(
        f"{NOSTRA} {arguments} {stdout}",
        shell=True,
        env=dict(nostra.env),
        capture_output=True,
        text=True,
        check=False,
    )
    check_invariants(Ended(done.returncode, done.stdout, done.stderr), "")
    assert done.returncode == 8
    assert done.stderr.startswith(expected_text)
