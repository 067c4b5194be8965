"""token_command: how the token is read, and every way in which the command can fail."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nostra_cli.cli.interrupts import Signals
from nostra_cli.config import credentials
from nostra_cli.config.credentials import TokenCommand
from nostra_cli.errors import (
    AuthProblem,
    ExitCode,
    FileProblem,
    NostraError,
    Signalled,
    UsageProblem,
)
from nostra_cli.sandbox.server import Sandbox
from tests.output.screens import Screen
from tests.running import NOSTRA, Runner

if sys.platform == "win32":
    pytest.skip("commands of POSIX", allow_module_level=True)

from tests.terminal import terminal

SECRET = "s3cr3t-t0ken-of-mine"


def run(script: str) -> str:
    return TokenCommand(("sh", "-c", script)).run("a hint", show_stderr=False).value


def failure(*words: str) -> NostraError:
    with pytest.raises(NostraError) as caught:
        TokenCommand(words).run("a hint", show_stderr=False)
    assert SECRET not in caught.value.message + caught.value.hint
    assert caught.value.hint == "a hint"
    return caught.value


@pytest.mark.parametrize(
    "script",
    [
        f"echo {SECRET}",
        f"printf {SECRET}",
        f"printf '  {SECRET}\\r\\nuser: me\\n'",
        f"echo {SECRET}; head -c 60000 /dev/zero",
        f"printf '{SECRET}\\n\\377\\376'",
    ],
)
def test_the_first_line_is_the_token(script: str) -> None:
    assert run(script) == SECRET


def test_a_child_that_stays_in_the_background_is_not_waited_for() -> None:
    began = time.monotonic()
    assert run(f"sleep 20 & echo {SECRET}") == SECRET
    assert time.monotonic() - began < 10


def test_the_command_runs_without_a_shell() -> None:
    words = ("printf", "%s", "$HOME;`id`*")
    assert TokenCommand(words).run("").value == "$HOME;`id`*"


def test_stdin_is_empty_unless_it_is_a_terminal() -> None:
    read, write = os.pipe()
    saved = os.dup(0)
    try:
        os.dup2(read, 0)
        assert run(f"cat; echo {SECRET}") == SECRET
    finally:
        os.dup2(saved, 0)
        for fd in (read, write, saved):
            os.close(fd)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("no-such-command",), "cannot run token_command no-such-command: No such file"),
        (("/",), "cannot run token_command /: Permission denied"),
        (("a\0b",), "its words cannot be passed to a command"),
        (("caf\udce9",), "cannot run token_command"),
        (("sh", "-c", f"echo {SECRET}; exit 7"), "token_command sh failed with exit code 7"),
        (("sh", "-c", f"echo {SECRET}; kill -9 $$"), "token_command sh failed with signal 9"),
        (("sh", "-c", f"echo {SECRET} x"), "a space, a control or a non-ASCII character"),
        (("printf", f"{SECRET}\\377"), "a space, a control or a non-ASCII character"),
        (("printf", f"{SECRET}\\000"), "a space, a control or a non-ASCII character"),
        (("yes", SECRET), "token_command yes printed more than 64 KiB"),
        (("head", "-c", "9000000", "/dev/zero"), "token_command head printed more than 64 KiB"),
    ],
)
def test_a_command_that_fails_is_a_usage_problem(words: tuple[str, ...], message: str) -> None:
    problem = failure(*words)
    assert isinstance(problem, UsageProblem)
    assert message in problem.message


@pytest.mark.parametrize("printed", ["", "\\n", " \\n", f"\\n{SECRET}\\n"])
def test_a_command_that_prints_no_token_is_an_auth_problem(printed: str) -> None:
    problem = failure("printf", printed)
    assert isinstance(problem, AuthProblem)
    assert problem.message == "token_command printf printed no token in its first line"


@pytest.mark.filterwarnings("ignore:.*FileIO")  # its stdout is not read, and closed by the end
@pytest.mark.usefixtures("no_threads")
def test_without_another_thread_it_is_an_error() -> None:
    with pytest.raises(FileProblem, match="no more threads"):
        run("exec sleep 30")


@pytest.mark.parametrize("script", ["sleep 30; true", "trap '' TERM; sleep 30 & wait; sleep 30"])
def test_a_command_that_hangs_is_ended_with_its_children(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.3)
    monkeypatch.setattr(credentials, "_has_terminal", lambda: False)
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        problem = failure("sh", "-c", f"exec 9> {shlex.quote(str(fifo))}; {script}")
        assert problem.message == "token_command sh did not finish within 0.3 s"
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b""  # nobody has it open any more
    finally:
        os.close(reader)


def test_a_signal_ends_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(_process: object, _timeout: float | None = None) -> int:
        monkeypatch.undo()
        raise Signalled(ExitCode.INTERRUPT)

    started = tmp_path / "pid"
    monkeypatch.setattr(subprocess.Popen, "wait", interrupt)
    with pytest.raises(Signalled):
        TokenCommand(("sh", "-c", f"echo $$ > {started}; exec sleep 30")).run("")


def test_a_signal_while_the_command_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Starting(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Starting)
    with pytest.raises(Signalled), Signals(Screen().output).raised():
        TokenCommand(("sleep", "30")).run("")
    [process] = started
    with process:
        ended = process.poll()
        process.kill()
    assert ended == -signal.SIGTERM


def configured(home: Path, *words: str, more: str = "") -> dict[str, str]:
    path = home / "config.toml"
    quoted = ", ".join(f"'''{word}'''" for word in words)
    path.write_text(f"[profiles.default]\ntoken_command = [{quoted}]\n{more}")
    path.chmod(0o600)
    return {"NOSTRA_CONFIG": str(path), "NOSTRA_TOKEN": ""}


def test_a_status_uses_it_once(nostra: Runner, sandbox: Sandbox, home: Path) -> None:
    ran = home / "ran"
    env = configured(home, "sh", "-c", f"echo x >> {ran}; echo {sandbox.token}")
    ended = nostra("api", "/api/collection", "-q", env=env)
    assert (ended.code, ended.err) == (0, "")
    assert ran.read_text() == "x\n"
    assert sandbox.token not in Path(env["NOSTRA_CONFIG"]).read_text().replace(
        f"echo {sandbox.token}", ""
    )


@pytest.mark.parametrize(
    "args", ["config list", "config get base_url", "config get token", "--version", "status --help"]
)
def test_it_is_not_run_where_no_token_is_needed(nostra: Runner, home: Path, args: str) -> None:
    env = configured(home, "sh", "-c", f"touch {home}/ran")
    ended = nostra(*args.split(), env=env)
    assert (ended.code, (home / "ran").exists()) == (0, False)


def test_it_is_not_run_where_the_environment_has_the_token(nostra: Runner, home: Path) -> None:
    env = configured(home, "sh", "-c", f"touch {home}/ran")
    ended = nostra("status", "demo-dedup", env={**env, "NOSTRA_TOKEN": nostra.env["NOSTRA_TOKEN"]})
    assert (ended.code, (home / "ran").exists()) == (0, False)


def test_it_is_shown_as_a_command(nostra: Runner, home: Path) -> None:
    env = configured(home, "pass", "show", "my token")
    listed = nostra("config", "list", env=env).out.splitlines()
    where = f"token_command in profile 'default' of {home}/config.toml"
    assert f"token\t(from token_command)\t{where}" in listed
    assert nostra("config", "get", "token_command", env=env).out == "pass show 'my token'\n"


def test_its_stderr_is_passed_through_except_with_json(nostra: Runner, home: Path) -> None:
    env = configured(home, "sh", "-c", "echo locked >&2; exit 3")
    plain = nostra("status", "x", env=env)
    where = f"token_command in profile 'default' of {home}/config.toml"
    assert plain.code == 2
    assert plain.err.splitlines() == [
        "locked",
        "error: token_command sh failed with exit code 3",
        f"hint: run it by hand to see why; it is {where}",
    ]
    assert nostra("status", "x", "--json", env=env).error["message"] == (
        "token_command sh failed with exit code 3"
    )


def test_empty_output_exits_3(nostra: Runner, home: Path) -> None:
    assert nostra("status", "x", env=configured(home, "true")).code == 3


def test_both_are_an_error_that_names_file_and_profile(nostra: Runner, home: Path) -> None:
    env = configured(home, "true", more=f"token = '{SECRET}'")
    ended = nostra("status", "x", env=env)
    assert (ended.code, SECRET in ended.err) == (2, False)
    assert f"both token and token_command in profile 'default' of {home}/config.toml" in ended.err


def test_set_takes_words_as_a_shell_does(bare: Runner) -> None:
    assert bare("config", "set", "token_command", "op read 'op://my vault/nostra'").code == 0
    text = Path(bare.env["NOSTRA_CONFIG"]).read_text()
    assert '"op",' in text
    assert '"op://my vault/nostra"' in text
    for wrong in ("", "   ", "pass 'show"):
        ended = bare("config", "set", "token_command", wrong)
        assert (ended.code, "must be a command" in ended.err) == (2, True)


def test_a_profile_has_either_a_token_or_a_command(bare: Runner, sandbox: Sandbox) -> None:
    bare("config", "set", "token_command", "pass show nostra")
    login = bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token)
    assert login.code == 2
    assert "nostra config unset token_command" in login.err
    logout = bare("logout")
    assert logout.code == 0
    assert "The profile keeps token_command" in logout.err
    bare("config", "unset", "token_command")
    assert bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token).code == 0
    again = bare("config", "set", "token_command", "pass show nostra")
    assert (again.code, "already has a token" in again.err) == (2, True)


def test_doctor_runs_it(nostra: Runner, sandbox: Sandbox, home: Path) -> None:
    good = nostra("doctor", env=configured(home, "echo", sandbox.token))
    assert good.code == 0
    bad = nostra("doctor", env=configured(home, "false"))
    assert bad.code == 2
    assert "error\ttoken\ttoken_command false failed with exit code 1" in bad.out


def test_it_can_prompt_on_the_terminal(nostra: Runner, sandbox: Sandbox, home: Path) -> None:
    script = "printf 'PIN: ' > /dev/tty; read pin < /dev/tty; echo $pin"
    env = {**nostra.env, **configured(home, "sh", "-c", script)}
    with terminal([NOSTRA, "status", "demo-dedup"], env, nostra.cwd, controlling=True) as shown:
        shown.read_until(b"PIN: ")
        shown.type(sandbox.token.encode() + b"\n")
        assert shown.read_to_end() == 0
    assert b"completed" in shown.seen


def test_ctrl_c_ends_both(nostra: Runner, home: Path) -> None:
    """The command and its `sleep` hold a FIFO open: it hangs up once both have ended."""
    fifo = home / "fifo"
    os.mkfifo(fifo)
    ended = select.poll()
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    ended.register(reader, select.POLLHUP)
    script = f"exec 9> {fifo}; printf ready > /dev/tty; sleep 30"
    env = {**nostra.env, **configured(home, "sh", "-c", script)}
    with terminal([NOSTRA, "status", "x"], env, nostra.cwd, controlling=True) as shown:
        shown.read_until(b"ready")
        assert not ended.poll(0)
        shown.type(b"\x03")
        assert shown.read_to_end() == 130
    assert ended.poll(10_000)
    os.close(reader)


def test_sigterm_ends_both(nostra: Runner, home: Path) -> None:
    env = {**nostra.env, **configured(home, "sh", "-c", "echo ready >&2; sleep 30")}
    command = [NOSTRA, "status", "x"]
    with subprocess.Popen(command, env=env, cwd=nostra.cwd, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143


def test_a_wait_that_was_interrupted_with_its_lock_taken_does_not_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A signal between the taking of Popen's lock and its release leaves it taken."""
    wait = subprocess.Popen.wait
    lengths: list[float | None] = []

    def locked(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        lengths.append(timeout)
        if len(lengths) == 1:
            raise Signalled(ExitCode.INTERRUPT)
        if timeout is None:
            pytest.fail("it would wait for ever")
        wait(process, timeout)
        raise subprocess.TimeoutExpired("sleep", timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", locked)
    with pytest.raises(Signalled):
        TokenCommand(("sleep", "30")).run("")
    assert lengths[1:] == [1.0, 1.0]
