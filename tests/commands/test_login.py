"""`nostra login`: from stdin, on a terminal, with a refused token."""

from __future__ import annotations

import stat
import sys
import tomllib
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.running import NOSTRA, Runner, clean_env
from tests.sandbox.calling import fault, faulty

TOKEN = "s3cr3t-t0ken-of-mine"
COLLECTION = "/api/collection"


def stored(runner: Runner) -> dict[str, object]:
    content = Path(runner.env["NOSTRA_CONFIG"]).read_text(encoding="utf-8")
    found: dict[str, object] = tomllib.loads(content)["profiles"]
    return found


def test_a_token_from_stdin_is_tried_stored_and_used(bare: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    ended = bare("login", "--base-url", sandbox.base_url, stdin=f" {sandbox.token}\r\n")
    assert (ended.code, ended.out) == (0, "")
    assert [(r.method, r.path, r.query) for r in sandbox.requests] == [
        ("GET", COLLECTION, "limit=1")
    ]
    path = bare.env["NOSTRA_CONFIG"]
    assert ended.err.splitlines() == [
        f"Stored the token of profile 'default' in {path} (plain text, mode 0600).",
        f"Stored base_url = {sandbox.base_url} with it (flag --base-url).",
    ]
    assert sandbox.token not in ended.err
    assert stored(bare) == {"default": {"token": sandbox.token, "base_url": sandbox.base_url}}
    assert bare("status", "demo-dedup").out == "demo-dedup\tcompleted\n"


def test_the_file_is_where_it_belongs_for_its_owner_alone(
    home: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    nostra = Runner(tmp_path, clean_env(home, NOSTRA_BASE_URL=sandbox.base_url))
    script = ["sh", "-c", 'umask 0; exec "$@"', "sh", NOSTRA]
    assert nostra("login", stdin=sandbox.token, command=script).code == 0
    file = Path(nostra("config", "path").out.rstrip("\n"))
    assert home in file.parents
    assert file.is_file()
    if sys.platform != "win32":
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)]
        assert modes == [0o600, 0o700]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_not_stored(bare: Runner, status: int) -> None:
    with faulty(fault(f'status = {status}\ndetail = "No."', COLLECTION)) as sandbox:
        ended = bare("login", "--base-url", sandbox.base_url, "--json", stdin=TOKEN)
    assert (ended.code, ended.out, ended.error["kind"]) == (3, "", "auth")
    assert str(status) in str(ended.error["message"])
    assert ended.error["hint"] == "nothing was stored; check the token and the base URL"
    assert TOKEN not in ended.err
    assert not Path(bare.env["NOSTRA_CONFIG"]).parent.exists()


def test_a_token_that_is_refused_leaves_the_old_one(bare: Runner, sandbox: Sandbox) -> None:
    bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token)
    assert bare("login", stdin=TOKEN).code == 3
    assert stored(bare) == {"default": {"token": sandbox.token, "base_url": sandbox.base_url}}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("status = 404", "has no list of collections"),
        ("status = 503\nretry_after = 9", "503 from 127.0.0.1"),
        ('page = "Please log in"', "does not respond like the service"),
        ('body = ""', "does not respond like the service"),
        ("status = 204", "unexpected status 204"),
    ],
)
def test_a_token_that_cannot_be_checked_is_stored_after_one_request(
    bare: Runner, rule: str, expected: str
) -> None:
    with faulty(fault(rule, COLLECTION)) as sandbox:
        ended = bare("login", "--base-url", sandbox.base_url, "--json", stdin=TOKEN)
        assert len(sandbox.requests) == 1
    assert ended.code == 0
    assert '{"warning": "the token could not be checked: ' in ended.err
    assert expected in ended.err
    assert ended.json() == {
        "profile": "default",
        "path": bare.env["NOSTRA_CONFIG"],
        "base_url": sandbox.base_url,
        "checked": False,
    }
    assert TOKEN in str(stored(bare))


def test_an_unreachable_service_is_a_warning(bare: Runner) -> None:
    ended = bare("login", "--base-url", "http://127.0.0.1:1", stdin=TOKEN)
    assert ended.code == 0
    assert "warning: the token could not be checked: 127.0.0.1: connection refused" in ended.err


@pytest.mark.parametrize("stdin", ["", f"{TOKEN}\n{TOKEN}\n", "é"])
def test_an_invalid_token_is_refused_without_a_request(
    bare: Runner, sandbox: Sandbox, stdin: str
) -> None:
    sandbox.requests.clear()
    ended = bare("login", "--base-url", sandbox.base_url, stdin=stdin)
    assert (ended.code, ended.out, len(sandbox.requests)) == (2, "", 0)
    assert not stdin.strip() or stdin.strip() not in ended.err
    assert not Path(bare.env["NOSTRA_CONFIG"]).exists()


def test_a_missing_profile_is_created_with_its_base_url(bare: Runner, sandbox: Sandbox) -> None:
    """What the environment says of the base URL is stored only where the profile lacks it."""
    there = {"NOSTRA_BASE_URL": sandbox.base_url}
    first = bare("login", "--profile", "new one", "--json", stdin=sandbox.token, env=there)
    assert (first.json()["profile"], first.json()["checked"]) == ("new one", True)
    assert stored(bare) == {"new one": {"token": sandbox.token, "base_url": sandbox.base_url}}
    named = {"NOSTRA_PROFILE": "new one", "NOSTRA_BASE_URL": sandbox.base_url + "/"}
    again = bare("login", stdin=sandbox.token, env=named)
    assert again.code == 0
    assert "base_url" not in again.err
    assert bare("status", "demo-dedup", "--profile", "new one").code == 0


def test_the_default_base_url_is_not_stored(bare: Runner) -> None:
    """Send nothing outside this machine: nothing listens at the proxy's address."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1"}
    ended = bare("login", "-q", stdin=TOKEN, env=nowhere)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert stored(bare) == {"default": {"token": TOKEN}}


def test_a_token_in_the_environment_is_a_warning(bare: Runner, sandbox: Sandbox) -> None:
    """A stored token that cannot be used does not prevent a login."""
    env = {"NOSTRA_TOKEN": "no token"}
    ended = bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token, env=env)
    assert ended.code == 0
    assert "warning: NOSTRA_TOKEN is set and comes first, unless --profile is given" in ended.err


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--profile", ""], "is not a valid profile name"),
        (["--base-url", "http://example.com"], "would send the token unencrypted"),
    ],
)
def test_invalid_options_are_refused_before_the_token_is_read(
    bare: Runner, args: list[str], expected: str
) -> None:
    ended = bare("login", *args, stdin="")
    assert ended.code == 2
    assert expected in ended.err


def test_a_file_that_is_not_toml_stays_as_it_is(bare: Runner, sandbox: Sandbox) -> None:
    path = Path(bare.env["NOSTRA_CONFIG"])
    path.parent.mkdir()
    path.write_text(f'[profiles.default]\ntoken = "{TOKEN}')
    sandbox.requests.clear()
    ended = bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token)
    assert (ended.code, len(sandbox.requests)) == (2, 0)
    assert "line 2" in ended.err
    assert TOKEN not in ended.err
    assert path.read_text() == f'[profiles.default]\ntoken = "{TOKEN}'


def test_a_folder_that_cannot_be_made_is_a_file_problem(
    bare: Runner, home: Path, sandbox: Sandbox
) -> None:
    (home / "file").touch()
    env = {"NOSTRA_CONFIG": str(home / "file" / "config.toml")}
    ended = bare("login", "--base-url", sandbox.base_url, stdin=sandbox.token, env=env)
    assert ended.code == 8
    assert str(home / "file" / "config.toml") in ended.err
