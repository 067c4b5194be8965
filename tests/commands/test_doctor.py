"""`nostra doctor`: it reports each problem in one line, and continues."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.faults.raw import listening, nobody_takes, swallow
from tests.faults.secured import PASSWORD, over_tls, proxy
from tests.running import NOSTRA, Ended, Runner, clean_env
from tests.sandbox.calling import fault, faulty

SETTINGS = (
    "profile",
    "base_url",
    "token",
    "format",
    "dir",
    "jobs",
    "timeout",
    "ci",
    "history",
    "low_speed_limit",
    "low_speed_time",
)
NETWORK = ("name", "connection", "request", "clock")
REST = (*SETTINGS, "proxy", "ca_certificates", *NETWORK)
NOT_REACHED = {"request": "warning", "clock": "warning"}
REQUEST = "/api/collection"
TOKEN = "a-token-of-no-service"


def lines(ended: Ended) -> dict[str, tuple[str, str, str]]:
    """Return status, detail and hint of each check."""
    rows = [line.split("\t") for line in ended.out.splitlines()]
    assert all(len(row) == 4 for row in rows), rows
    return {check: (status, detail, hint) for status, check, detail, hint in rows}


def bad(ended: Ended) -> dict[str, str]:
    """Return the status of each check that is not ok."""
    return {check: row[0] for check, row in lines(ended).items() if row[0] != "ok"}


def configured(home: Path, text: str, mode: int = 0o600) -> dict[str, str]:
    """Write a config file; return the environment that names it."""
    path = home / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return {"NOSTRA_CONFIG": str(path)}


@contextmanager
def free_port() -> Iterator[int]:
    """Yield a port that is closed while the block lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_healthy_service_is_all_ok(nostra: Runner, sandbox: Sandbox, home: Path) -> None:
    home.chmod(0o755)
    ended = nostra("doctor", env=configured(home, "[profiles.default]\njobs = 3\n"))
    assert (ended.code, ended.err, bad(ended)) == (0, "", {})
    found = lines(ended)
    assert list(found) == ["config_file", "config_folder", *REST]
    where = f"jobs in profile 'default' of {home}/config.toml"
    assert found["jobs"][1] == f"3 ({where})"
    assert found["base_url"][1] == f"{sandbox.base_url} (environment NOSTRA_BASE_URL)"
    tail = sandbox.token[-4:]
    assert found["token"][1] == f"present, ends in {tail} (environment NOSTRA_TOKEN)"
    assert found["config_file"][1] == f"{home}/config.toml, mode 0600"
    assert found["name"][1] == "127.0.0.1"


def test_json_is_an_array_with_the_origin_of_settings(nostra: Runner) -> None:
    ended = nostra("doctor", "--json", env={"NOSTRA_TOKEN": "twelve-chars"})
    found = {finding.pop("check"): finding for finding in ended.json()}
    # In a home without a config folder there is no line about it.
    assert list(found) == ["config_file", *REST]
    assert found["token"] == {
        "status": "ok",
        "detail": "present",
        "hint": "",
        "origin": "environment NOSTRA_TOKEN",
    }
    assert {check for check in found if "origin" in found[check]} == set(SETTINGS)
    assert (found["request"]["status"], ended.code, ended.err) == ("error", 3, "")


def test_finds_no_token(nostra: Runner) -> None:
    ended = nostra("doctor", env={"NOSTRA_TOKEN": ""})
    assert (ended.code, bad(ended)) == (3, {"token": "error", "request": "warning"})
    assert "NOSTRA_TOKEN" in lines(ended)["token"][2]
    assert "401" in lines(ended)["request"][1]


def test_finds_a_wrong_token(nostra: Runner) -> None:
    ended = nostra("doctor", env={"NOSTRA_TOKEN": TOKEN})
    assert (ended.code, bad(ended)) == (3, {"request": "error"})
    assert "refused the token (401: Invalid token.)" in lines(ended)["request"][1]


def test_finds_a_host_that_cannot_be_resolved(nostra: Runner) -> None:
    ended = nostra("doctor", "--base-url", "https://nothing.invalid")
    assert (ended.code, bad(ended)) == (6, {"name": "error", **NOT_REACHED})
    assert lines(ended)["name"][1] == "nothing.invalid: cannot be resolved"


def test_finds_a_closed_port(nostra: Runner) -> None:
    with free_port() as port:
        ended = nostra("doctor", "--base-url", f"http://127.0.0.1:{port}")
    assert (ended.code, bad(ended)) == (6, {"connection": "error", **NOT_REACHED})
    assert lines(ended)["connection"][1] == f"127.0.0.1:{port}: connection refused"
    assert "base URL" in lines(ended)["connection"][2]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no modes")
def test_finds_loose_modes_and_unknown_keys(nostra: Runner, home: Path) -> None:
    home.chmod(0o777)
    env = configured(home, "[profiles.default]\nfoo = 1\n", 0o644)
    ended = nostra("doctor", env=env)
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split("\t") for line in ended.out.splitlines() if not line.startswith("ok")]
    path = home / "config.toml"
    assert [(row[1], row[3]) for row in rows] == [
        ("config_file", f"chmod 600 {path}"),
        ("config_file", "correct or remove it"),
        ("config_folder", f"chmod 700 {home}"),
    ]
    assert "mode 0644" in rows[0][2]


def test_finds_a_proxy_that_is_down(nostra: Runner) -> None:
    with free_port() as port:
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{port}"}
        ended = nostra("doctor", "-v", "--base-url", "https://localhost:1", env=env)
    assert (ended.code, bad(ended)) == (6, {"proxy_connection": "error", **NOT_REACHED})
    assert lines(ended)["proxy"][1] == f"127.0.0.1:{port} (HTTPS_PROXY)"
    assert "HTTPS_PROXY" in lines(ended)["proxy_connection"][2]
    assert PASSWORD not in ended.out + ended.err


def test_finds_a_skewed_clock(home: Path, tmp_path: Path) -> None:
    date = formatdate(time.time() - 4000, usegmt=True)
    with faulty(fault(f"headers = {{Date = '{date}'}}", REQUEST)) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("doctor")
    assert (ended.code, bad(ended)) == (2, {"clock": "error"})
    assert "this machine is 1 h 6 min ahead of the service" in lines(ended)["clock"][1]
    assert "NTP" in lines(ended)["clock"][2]


def test_a_broken_config_file_is_one_error_and_the_checks_continue(
    nostra: Runner, home: Path
) -> None:
    env = configured(home, "token = s3cr3t-t0ken", 0o600)
    ended = nostra("doctor", env={**env, "NOSTRA_PROFILE": "prod"})
    assert (ended.code, bad(ended)) == (2, {"config_file": "error", "profile": "warning"})
    assert "line 1, column 9: not valid TOML" in lines(ended)["config_file"][1]
    assert "s3cr3t" not in ended.out


def test_a_directory_as_the_config_file_is_an_error_without_a_chmod_hint(nostra: Runner) -> None:
    ended = nostra("doctor", env={"NOSTRA_CONFIG": str(nostra.cwd)})
    assert (ended.code, bad(ended)) == (2, {"config_file": "error"})
    assert "chmod 600" not in ended.out


def test_each_setting_that_is_wrong_is_an_error_of_its_own(nostra: Runner, home: Path) -> None:
    env = configured(home, "[profiles.default]\njobs = 0\ntimeout = 'soon'\n")
    ended = nostra("doctor", "--base-url", "ftp://x", env={**env, "NOSTRA_TOKEN": "two words"})
    errors = dict.fromkeys(["base_url", "token", "jobs", "timeout"], "error")
    assert (ended.code, bad(ended)) == (2, {**errors, **NOT_REACHED})


def test_a_server_without_a_response_does_not_block_it(home: Path, tmp_path: Path) -> None:
    env = configured(home, "[profiles.default]\ntimeout = '0.5s'\n")
    with listening(lambda connection, _: swallow(connection)) as raw:
        base = clean_env(home, NOSTRA_TOKEN=TOKEN, NOSTRA_BASE_URL=raw.base_url)
        ended = Runner(tmp_path, {**base, **env})("doctor", seconds=8)
    assert (ended.code, bad(ended)) == (6, {"request": "error", "clock": "warning"})
    assert lines(ended)["request"][1] == "no response within 0.5 s"


def test_the_timeout_limits_every_step(nostra: Runner, home: Path) -> None:
    env = configured(home, "[profiles.default]\ntimeout = '0.5s'\n")
    with nobody_takes() as port:
        ended = nostra("doctor", "--base-url", f"http://127.0.0.1:{port}", env=env, seconds=8)
    assert (ended.code, bad(ended)) == (6, {"connection": "error", **NOT_REACHED})
    assert lines(ended)["connection"][1].endswith("no connection within 0.5 s")


def test_the_connection_to_a_proxy_is_checked(sandbox: Sandbox, home: Path, tmp_path: Path) -> None:
    authority, file = trustme.CA(), home / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with over_tls(sandbox, authority.issue_cert("localhost")) as raw, proxy("me") as through:
        env = clean_env(
            home,
            NOSTRA_TOKEN=sandbox.token,
            NOSTRA_BASE_URL=f"https://localhost:{raw.port}",
            SSL_CERT_FILE=str(file),
            HTTPS_PROXY=f"http://me:{PASSWORD}@127.0.0.1:{through.port}",
        )
        ended = Runner(tmp_path, env)("doctor", "--json")
    assert (ended.code, ended.err) == (0, "")
    checks = [check["check"] for check in ended.json()]
    assert checks[-4:] == ["proxy_name", "proxy_connection", "request", "clock"]
    assert PASSWORD not in ended.out


if sys.platform != "win32":
    from tests.terminal import terminal

    def test_a_terminal_gets_problems_with_hints_and_a_verdict(nostra: Runner) -> None:
        env = {**nostra.env, "NOSTRA_TOKEN": ""}
        with terminal([NOSTRA, "doctor"], env, nostra.cwd, columns=160) as screen:
            assert screen.read_to_end() == 3
        shown = screen.seen.rpartition(b"\x1b[K")[2].decode().splitlines()
        assert shown[0] == "\x1b[31merror\x1b[0m    token: no token for profile 'default'"
        assert shown[1].startswith("         store one with: nostra login;")
        assert shown[2:] == ["1 error"]

    def test_with_v_a_person_gets_the_checks_that_were_not_possible(nostra: Runner) -> None:
        env = {**nostra.env, "NOSTRA_TOKEN": "", "NO_COLOR": "1"}
        with terminal([NOSTRA, "doctor", "-v"], env, nostra.cwd, columns=160) as screen:
            assert screen.read_to_end() == 3
        shown = screen.seen.decode().splitlines()
        assert shown[shown.index("         see token") - 1].startswith("warning  request: ")
        assert shown[-1] == "1 error, 1 warning"

    def test_a_terminal_without_problems_gets_the_verdict(nostra: Runner) -> None:
        env = {**nostra.env, "NO_COLOR": "1"}
        with terminal([NOSTRA, "doctor"], env, nostra.cwd, columns=160) as screen:
            assert screen.read_to_end() == 0
        assert screen.seen.rpartition(b"\x1b[K")[2] == b"No problems found.\r\n"

    def test_verbose_shows_every_check_with_problems_first(nostra: Runner) -> None:
        env = {**nostra.env, "NO_COLOR": "1", "NOSTRA_PROFILE": "nope"}
        with terminal([NOSTRA, "doctor", "-v"], env, nostra.cwd, columns=300) as screen:
            assert screen.read_to_end() == 2
        shown = screen.seen.decode().splitlines()
        shown = shown[next(i for i, line in enumerate(shown) if line.startswith("error")) :]
        assert "profile: no profile 'nope'" in shown[0]
        assert shown[2].startswith("ok       config_file: ")
        assert "ok       ca_certificates: " in "\n".join(shown)
        assert shown[-1] == "1 error"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_a_closed_stdout_exits_8(nostra: Runner) -> None:
    ended = nostra(command=["sh", "-c", f"{NOSTRA} doctor >&-"])
    assert (ended.code, "stdout is closed" in ended.err) == (8, True)
