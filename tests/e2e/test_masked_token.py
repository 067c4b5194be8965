"""The token in the words of the service is masked, and data stays as it is."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.running import NOSTRA, clean_env
from tests.sandbox.calling import faulty

DATA = '{"status": "true", "sha256": "e1e1", "test": 1, "done": true}'
LONG = "s3cret/t0ken+with=odd~signs"


def run(token: str, rules: str, home: Path, *args: str) -> subprocess.CompletedProcess[str]:
    with faulty(rules) as sandbox:
        env = clean_env(home, NOSTRA_BASE_URL=sandbox.base_url, NOSTRA_TOKEN=token)
        return subprocess.run(
            [NOSTRA, *args], env=env, cwd=home, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize("token", ["e", "1", "test", "true", "status", "invocation"])
def test_a_token_that_is_a_common_word_changes_no_data(token: str, home: Path) -> None:
    rules = f"[[fault]]\npath = '*'\nbody = '{DATA}'\n"
    done = run(token, rules, home, "status", "test-1", "e", "--json")
    expected = {**json.loads(DATA), "outcome": "in_progress"}
    assert json.loads(done.stdout) == [
        {**expected, "invocation": "test-1"},
        {**expected, "invocation": "e"},
    ]
    assert run(token, rules, home, "status", "test-1").stdout == "test-1\ttrue\n"


@pytest.mark.parametrize("token", ["e", "1", "test", "true", LONG])
def test_the_token_is_masked_where_the_service_repeats_it(token: str, home: Path) -> None:
    echo = f"{token} {quote(token, safe='')} {base64.b64encode(token.encode()).decode()}"
    rules = f"[[fault]]\npath = '*'\nstatus = 400\ndetail = 'no <{echo}>'\n"
    done = run(token, rules, home, "status", "test-e")
    assert "no <*** *** ***>" in done.stderr
    assert "test-e" in done.stderr
    traced = run(token, rules, home, "status", "test-e", "-v")
    assert "> GET" in traced.stderr
    assert "/api/invocation/test-e" in traced.stderr


@pytest.mark.parametrize("args", [["status", "x"], ["status", "x", "--json"], ["wait", "x"]])
def test_the_token_is_masked_in_data_of_the_service(args: list[str], home: Path) -> None:
    body = json.dumps({"status": LONG, LONG: [LONG]})
    rules = f"[[fault]]\npath = '*'\nbody = '{body}'\n"
    done = run(LONG, rules, home, *args, *(["--timeout", "0.5"] if args[0] == "wait" else []))
    assert "***" in done.stdout + done.stderr
    assert LONG not in done.stdout + done.stderr


def test_doctor_masks_the_token_in_a_setting(home: Path) -> None:
    env = clean_env(home, NOSTRA_BASE_URL=f"http://127.0.0.1:1/{LONG}", NOSTRA_TOKEN=LONG)
    done = subprocess.run([NOSTRA, "doctor"], env=env, capture_output=True, text=True, check=False)
    assert "http://127.0.0.1:1/***" in done.stdout
    assert LONG not in done.stdout + done.stderr
