"""`nostra api`: any endpoint, as a script and a person see it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.faults.raw import ok
from tests.running import NOSTRA, Ended, Runner, clean_env
from tests.sandbox.calling import fault, faulty, vendor_get
from tests.transports import responding

PATH = "/api/thing"


def asked(
    toml: str, home: Path, cwd: Path, *args: str, path: str = PATH
) -> tuple[Ended, list[str], Runner]:
    """Run `nostra api` against one fault; return the methods of the requests."""
    with faulty(fault(toml, path)) as sandbox:
        nostra = runner_for(sandbox, home, cwd)
        ended = nostra("api", path, *args)
        return ended, [request.method for request in sandbox.requests], nostra


def test_a_pipe_gets_the_bytes_of_the_server(nostra: Runner, sandbox: Sandbox) -> None:
    plain = vendor_get(sandbox, "collection?limit=2").text
    sandbox.requests.clear()
    ended = nostra("api", "api/collection", "--query", "limit=2")
    assert (ended.code, ended.out, ended.err) == (0, plain, "")
    [request] = sandbox.requests
    assert (request.method, request.path, request.query) == ("GET", "/api/collection", "limit=2")
    assert request.headers["authorization"] == f"Token {sandbox.token}"


def test_a_large_body_passes_as_it_comes(nostra: Runner, sandbox: Sandbox) -> None:
    whole = vendor_get(sandbox, "invocation/demo-large/csv").text
    assert nostra("api", "/api/invocation/demo-large/csv").out == whole


@pytest.mark.parametrize("source", ["-", "@call.json"])
def test_an_invocation_is_created(nostra: Runner, sandbox: Sandbox, source: str) -> None:
    body = json.dumps({"collectionId": "c", "invocationType": "boosting", "args": {}})
    (nostra.cwd / "call.json").write_text(body)
    sandbox.requests.clear()
    ended = nostra("api", "api/invocation", "-d", source, "-H", "X-Trace: 7", stdin=body)
    assert (ended.code, ended.err) == (0, "")
    [request] = sandbox.requests
    assert (request.method, request.body) == ("POST", body.encode())
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-trace"] == "7"
    assert nostra("status", ended.json()["requestId"]).code == 0


@pytest.mark.parametrize(
    "args",
    [
        ["-d", "@missing"],
        ["-H", "Authorization: Token x"],
        ["-i", "--json"],
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(
    nostra: Runner, sandbox: Sandbox, args: Sequence[str]
) -> None:
    sandbox.requests.clear()
    ended = nostra("api", "api/collection", *args)
    assert (ended.code, ended.out, len(sandbox.requests)) == (2, "", 0)


def test_another_origin_gets_nothing(nostra: Runner) -> None:
    with responding(lambda *_: ok(b"{}")) as other:
        assert nostra("api", f"{other.base_url}/api/collection").code == 2
        assert other.heads == []


@pytest.mark.parametrize(("status", "code"), [(401, 3), (409, 6)])
def test_an_error_response_is_reported_with_its_detail(
    status: int, code: int, home: Path, tmp_path: Path
) -> None:
    toml = f"status = {status}\ndetail = 'because'"
    ended, methods, _ = asked(toml, home, tmp_path, "-X", "DELETE")
    assert (ended.code, ended.out, methods) == (code, "", ["DELETE"])
    assert f"({status}: because)" in ended.err


def test_the_errors_of_a_request_body_are_reported_by_field(nostra: Runner) -> None:
    ended = nostra("api", "api/invocation", "-d", '{"invocationType": "boosting"}')
    assert ended.code == 6
    assert "(400: collectionId: This field is required.)" in ended.err


@pytest.mark.parametrize(("status", "body"), [(202, ""), (204, "")])
def test_any_2xx_is_success(status: int, body: str, home: Path, tmp_path: Path) -> None:
    own = "" if status == 204 else f"\nbody = '{body}'"
    ended, methods, _ = asked(f"status = {status}{own}", home, tmp_path, "-X", "PUT")
    assert (ended.code, ended.out, ended.err, methods) == (0, body, "", ["PUT"])


@pytest.mark.parametrize(
    ("args", "code", "methods"),
    [
        ([], 0, ["GET", "GET"]),
        (["-X", "DELETE"], 0, ["DELETE", "DELETE"]),
        (["-d", "{}"], 6, ["POST"]),
    ],
)
def test_only_what_may_be_sent_twice_is_tried_again(
    args: Sequence[str], code: int, methods: Sequence[str], home: Path, tmp_path: Path
) -> None:
    once = f"status = 503\ntimes = 1\nretry_after = 0\n{fault('status = 204', PATH)}"
    ended, seen, _ = asked(once, home, tmp_path, *args)
    assert (ended.code, seen) == (code, methods)
    assert ("is sent once: check whether it was done" in ended.err) == bool(code)


def test_a_post_without_an_answer_is_sent_once(home: Path, tmp_path: Path) -> None:
    ended, methods, _ = asked("drop = true", home, tmp_path, "-d", "{}", "--json")
    assert (ended.code, methods) == (6, ["POST"])
    assert "a POST is sent once" in str(ended.error["hint"])


def test_the_head_is_shown_before_the_body(home: Path, tmp_path: Path) -> None:
    toml = 'status = 201\nbody = "[1]"\nheaders = {X-Made = "thing", Date = "today"}'
    ended, _, _ = asked(toml, home, tmp_path, "-i", "-d", "{}")
    head, _, body = ended.out.partition("\n\n")
    assert (ended.code, body) == (0, "[1]")
    first, *lines = head.split("\n")
    assert first == "HTTP/1.1 201 Created"
    assert {"x-made: thing", "date: today", "content-type: application/json"} <= set(lines)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [(404, 4, "(404: because)"), (503, 6, "503 from 127.0.0.1: because")],
)
def test_the_head_of_an_error_response_is_shown(
    status: int, code: int, message: str, home: Path, tmp_path: Path
) -> None:
    toml = f"status = {status}\ndetail = 'because'\nretry_after = 0\ngzip = 'ok'"
    ended, methods, _ = asked(toml, home, tmp_path, "-i")
    assert (ended.code, len(methods)) == (code, 5 if code == 6 else 1)
    assert ended.out.startswith(f"HTTP/1.1 {status} ")
    assert ended.out.count("HTTP/1.1") == 1
    assert ended.out.endswith('\n\n{"detail":"because"}')
    assert message in ended.err


def test_a_head_request_has_a_head_only(nostra: Runner) -> None:
    ended = nostra("api", "/api/invocation/demo-large/csv", "-X", "HEAD", "-i")
    assert ended.code == 0
    assert ended.out.endswith("content-length: 3000017\n\n")


def test_json_is_json_or_nothing(nostra: Runner) -> None:
    plain = nostra("api", "api/collection").out
    assert nostra("api", "api/collection", "--json").out == plain
    ended = nostra("api", "/api/invocation/demo-dedup/csv", "--json")
    assert (ended.code, ended.out, ended.error["kind"]) == (7, "", "corrupt")


@pytest.mark.parametrize(
    ("toml", "args", "code", "out"),
    [
        ("body = 'abc'\nrepeat = 400\ngzip = 'ok'", [], 0, "abc" * 400),
        ("body = 'abc'\nrepeat = 400\ngzip = 'truncated'", [], 7, None),
        ("body = 'abc'\ncut_after = 2", [], 7, "ab"),
        ("status = 307\nheaders = {Location = 'https://evil.example/'}", ["-d", "{}"], 6, ""),
    ],
)
def test_a_body_is_whole_or_it_is_an_error(
    toml: str, args: Sequence[str], code: int, out: str | None, home: Path, tmp_path: Path
) -> None:
    ended, methods, _ = asked(toml, home, tmp_path, *args)
    assert (ended.code, len(methods)) == (code, 1), ended.err
    assert out is None or ended.out == out


@pytest.mark.parametrize(
    ("env", "timeout", "code", "said"),
    [
        ({"NOSTRA_LOW_SPEED_TIME": "0.2"}, "1h", 6, "transfer slower than 1 KiB/s for 0.2 s"),
        ({}, "0.6s", 124, "the deadline of 0.6 s passed"),
    ],
)
def test_a_body_that_drips_ends(
    env: dict[str, str], timeout: str, code: int, said: str, home: Path, tmp_path: Path
) -> None:
    config = home / "config.toml"
    config.write_text(f'[profiles.default]\ntimeout = "{timeout}"\n')
    config.chmod(0o600)
    with faulty(fault("body = 'abc'\nrepeat = 1000\nrate = 100", PATH)) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("api", PATH, env={**env, "NOSTRA_CONFIG": str(config)}, seconds=10)
    assert (ended.code, said in ended.err) == (code, True), ended.err


def test_an_invalid_proxy_is_named(home: Path, tmp_path: Path) -> None:
    env = clean_env(home, NOSTRA_TOKEN="t0k3n", HTTPS_PROXY="ftp://me:s3cr3t@proxy.example")
    ended = Runner(tmp_path, env)("api", PATH)
    assert (ended.code, "HTTPS_PROXY" in ended.err, "s3cr3t" in ended.err) == (2, True, False)


if sys.platform != "win32":
    from tests.terminal import terminal

    def shown(toml: str, home: Path, cwd: Path, *args: str) -> tuple[int, str]:
        with faulty(fault(toml, PATH)) as sandbox:
            env = {**runner_for(sandbox, home, cwd).env, "NO_COLOR": "1"}
            with terminal([NOSTRA, "api", PATH, *args], env, cwd) as screen:
                code = screen.read_to_end()
        return code, screen.seen.decode().replace("\r\n", "\n")

    @pytest.mark.parametrize("args", [[], ["--json"]])
    def test_a_person_gets_json_laid_out(args: list[str], home: Path, tmp_path: Path) -> None:
        harmful = r"""body = '{"a":["\u001b[1m\u202e",1]}'"""
        laid_out = '{\n  "a": [\n    "\\u001b[1m\\u202e",\n    1\n  ]\n}\n'
        assert shown(harmful, home, tmp_path, *args) == (0, laid_out)

    def test_binary_is_not_for_a_terminal(home: Path, tmp_path: Path) -> None:
        code, text = shown('body_hex = "504b0304ff"', home, tmp_path)
        assert (code, "redirect stdout" in text, "PK" in text) == (2, True, False)
