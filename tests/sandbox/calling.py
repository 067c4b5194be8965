"""Call the service in the two ways of the vendor's page: curl and requests."""

from __future__ import annotations

import json
import subprocess
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from nostra_cli.sandbox.scenario import parse
from nostra_cli.sandbox.server import Sandbox, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class CurlResponse:
    """The response that curl received, and its exit code."""

    code: int
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        value: object = json.loads(self.body)
        return value


def curl(url: str, *options: str, token: str | None = None) -> CurlResponse:
    """Run curl as a user would; header names in lower case, repeated ones joined by a comma."""
    auth = ["-H", f"Authorization: Token {token}"] if token is not None else []
    command = ["curl", "-q", "-sS", "-i", "--max-time", "20", "--noproxy", "*", *auth, *options]
    done = subprocess.run([*command, url], capture_output=True, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return CurlResponse(done.returncode, int(first.split(" ")[1]) if first else 0, headers, body)


def curl_api(sandbox: Sandbox, path: str, *options: str) -> CurlResponse:
    """Run curl on a path of the API with the sandbox's token."""
    return curl(f"{sandbox.base_url}/api/{path}", *options, token=sandbox.token)


def vendor_get(sandbox: Sandbox, path: str) -> requests.Response:
    """Call as the vendor's page does."""
    url, token = f"{sandbox.base_url}/api/{path}", sandbox.token
    return requests.get(url, headers={"Authorization": f"Token {token}"}, timeout=20)


@contextmanager
def faulty(toml: str, large_bytes: int = 1_000_000) -> Iterator[Sandbox]:
    """Run a sandbox with the scenario of this text."""
    scenario = parse(tomllib.loads(toml))
    with serving(large_bytes=large_bytes, scenario=scenario) as running:
        yield running


def fault(keys: str, path: str = "/api/invocation/demo-dedup/csv") -> str:
    """Write a rule for one path."""
    return f'[[fault]]\npath = "{path}"\n{keys}\n'
