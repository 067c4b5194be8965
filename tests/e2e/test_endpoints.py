"""Each documented kind of request: what nostra saves is what curl and the vendor's script get."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import openpyxl
import pytest
import requests

from nostra_cli.sandbox.server import Sandbox
from tests.running import Runner

FORMATS = ("json", "csv", "xlsx")


def by_curl(sandbox: Sandbox, path: str) -> bytes:
    """Fetch as the vendor's page does it with curl."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    auth = f"Authorization: Token {sandbox.token}"
    command = ["curl", "-q", "-sSf", "--noproxy", "*", "-H", auth, f"{sandbox.base_url}{path}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def by_requests(sandbox: Sandbox, path: str) -> bytes:
    """Fetch as the vendor's page does it with requests."""
    headers = {"Authorization": f"Token {sandbox.token}"}
    return requests.get(sandbox.base_url + path, headers=headers, timeout=20).content


def result_ids(nostra: Runner, invocation: str) -> list[str]:
    nostra("wait", invocation)
    return [line.split("\t")[0] for line in nostra("results", invocation).out.splitlines()]


def test_status_is_the_object_that_curl_gets(nostra: Runner, sandbox: Sandbox) -> None:
    [seen] = nostra("status", "demo-partial", "--json").json()
    direct = requests.get(
        f"{sandbox.base_url}/api/invocation/demo-partial",
        headers={"Authorization": f"Token {sandbox.token}"},
        timeout=20,
    ).json()
    assert seen == {**direct, "invocation": "demo-partial", "outcome": "completed"}
    assert by_curl(sandbox, "/api/invocation/demo-partial")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("fetch", [by_curl, by_requests])
def test_primary_result(
    nostra: Runner, sandbox: Sandbox, format_: str, fetch: Callable[[Sandbox, str], bytes]
) -> None:
    assert nostra("download", "demo-demand", "-f", format_).code == 0
    saved = (nostra.cwd / f"demo-demand.{format_}").read_bytes()
    assert saved == fetch(sandbox, f"/api/invocation/demo-demand/{format_}")


@pytest.mark.parametrize("format_", FORMATS)
def test_any_result_by_its_id(nostra: Runner, sandbox: Sandbox, format_: str) -> None:
    for number, result in enumerate(result_ids(nostra, "demo")):
        ended = nostra("download", "demo", "-r", result, "-f", format_)
        name = f"demo.{format_}" if number == 0 else f"demo-{result}.{format_}"
        assert ended.out == name + "\n"
        path = f"/api/invocation/demo/result/{result}/{format_}"
        assert (nostra.cwd / name).read_bytes() == by_curl(sandbox, path)


def test_the_requests_are_the_documented_ones(nostra: Runner, sandbox: Sandbox) -> None:
    primary = result_ids(nostra, "demo-dedup")[0]
    sandbox.requests.clear()
    nostra("download", "demo-dedup", "-f", "csv")
    nostra("download", "demo-dedup", "-r", primary, "-f", "xlsx")
    assert [(request.method, request.path) for request in sandbox.requests] == [
        ("GET", "/api/invocation/demo-dedup"),
        ("GET", "/api/invocation/demo-dedup/csv"),
        ("GET", "/api/invocation/demo-dedup"),
        ("GET", f"/api/invocation/demo-dedup/result/{primary}/xlsx"),
    ]
    for request in sandbox.requests:
        assert request.headers["authorization"] == f"Token {sandbox.token}"
        assert request.headers["accept-encoding"] == "identity"


def test_an_id_is_one_segment_of_the_path(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    ended = nostra("status", "a/b?c#d%2e é", "--json")
    assert ended.code == 4
    assert sandbox.requests[-1].path == "/api/invocation/a%2Fb%3Fc%23d%252e%20%C3%A9"


def test_one_connection_serves_a_whole_run(nostra: Runner) -> None:
    ended = nostra("download", "demo-demand", "-f", "all", "-v")
    assert ended.code == 0
    assert len(re.findall("^> GET", ended.err, re.MULTILINE)) == 4


def test_what_is_downloaded_opens_in_a_spreadsheet(nostra: Runner) -> None:
    nostra("download", "demo", "--wait", "-f", "xlsx", "-q")
    sheet = openpyxl.load_workbook(nostra.cwd / "demo.xlsx").active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == ["id", "churnLikelihood"]
