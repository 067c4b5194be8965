"""`nostra login` at a terminal: the token is not echoed, and the prompt can be cancelled."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.running import NOSTRA, Runner

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from tests.terminal import terminal
from tests.terminal.test_signals import SHELL


def test_the_token_is_not_echoed(bare: Runner, sandbox: Sandbox) -> None:
    command = [NOSTRA, "login", "--base-url", sandbox.base_url]
    with terminal(command, bare.env, bare.cwd, controlling=True) as shown:
        shown.read_until(f"Token for {sandbox.base_url}: ".encode())
        assert not shown.echoes()
        shown.type(sandbox.token.encode() + b"\n")
        assert shown.read_to_end() == 0
        assert shown.echoes()
    assert sandbox.token.encode() not in shown.seen
    assert b"Stored the token" in shown.seen
    assert sandbox.token in Path(bare.env["NOSTRA_CONFIG"]).read_text()


def test_a_suspended_prompt_echoes_and_hides_the_token_again(
    bare: Runner, sandbox: Sandbox
) -> None:
    command = [*SHELL, NOSTRA, "login", "--base-url", sandbox.base_url]
    prompt = f"Token for {sandbox.base_url}: ".encode()
    with terminal(command, bare.env, bare.cwd, controlling=True) as shown:
        shown.read_until(prompt)
        shown.type(b"\x1a")
        shown.read_until(b"stopped")
        assert shown.echoes()
        shown.type(b"\n")
        shown.read_until(prompt, count=2)
        assert not shown.echoes()
        shown.type(sandbox.token.encode() + b"\n")
        assert shown.read_to_end() == 0
        assert shown.echoes()
    assert sandbox.token.encode() not in shown.seen


def test_ctrl_backslash_at_the_prompt_leaves_the_echo_on(bare: Runner, sandbox: Sandbox) -> None:
    command = [NOSTRA, "login", "--base-url", sandbox.base_url]
    with terminal(command, bare.env, bare.cwd, controlling=True) as shown:
        shown.read_until(b"Token for ")
        shown.type(b"\x1c")
        assert shown.read_to_end() == -signal.SIGQUIT
        assert shown.echoes()


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 2), (b"\xff\n", 2)])
def test_a_cancelled_prompt_stores_nothing(
    bare: Runner, sandbox: Sandbox, key: bytes, code: int
) -> None:
    """Ctrl-C, Ctrl-D, and a byte that is not text."""
    command = [NOSTRA, "login", "--base-url", sandbox.base_url]
    with terminal(command, bare.env, bare.cwd, controlling=True) as shown:
        shown.read_until(b"Token for " + sandbox.base_url.encode() + b": ")
        shown.type(key)
        assert shown.read_to_end() == code
        assert shown.echoes()
    assert shown.seen.endswith(b"\n")
    assert b"Traceback" not in shown.seen
    assert not Path(bare.env["NOSTRA_CONFIG"]).exists()
