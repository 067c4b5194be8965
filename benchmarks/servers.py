"""Real servers on loopback: nginx for large bodies, the sandbox for many small ones."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

CONFIG = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}/t; proxy_temp_path {folder}/t;
  fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
    location = /api/invocation/bench {{ default_type application/json; alias {folder}/bench.json; }}
    location ~ ^/api/invocation/bench-\\w+$ {{
      default_type application/json; alias {folder}/bench.json;
    }}
    location ~ ^/api/invocation/bench-(?<kind>\\w+)/csv$ {{
      default_type text/csv; alias {folder}/$kind.csv;
    }}
  }}
}}
"""
RESULT = {
    "primaryResult": True,
    "status": "completed",
    "jsonAvailable": False,
    "csvAvailable": True,
    "xlsxAvailable": False,
}


@dataclass(frozen=True)
class Nginx:
    """A running nginx; `authority` is the file of the CA that signed its certificate."""

    http: str
    https: str
    authority: Path
    folder: Path


ROWS = {
    "plain": "item{:09d},2022-01-31,42\n",
    "quotes": '"item {:08d}",2022-01-31,42\n',
    "accents": "citt\u00e0{:08d},2022-01-31,42\n",
}
"""A row of each kind of body."""


def write_csv(path: Path, size: int, kind: str) -> None:
    """Write a CSV of about `size` bytes; no two of its rows are equal."""
    line = ROWS[kind]
    length = len(line.format(0).encode())
    with path.open("w", encoding="utf-8") as file:
        file.write("ItemCode,OrderDate,Quantity\n")
        for start in range(0, size // length, 10_000):
            file.write("".join(map(line.format, range(start, start + 10_000))))


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextlib.contextmanager
def nginx(folder: Path, size: int) -> Iterator[Nginx]:
    """Serve a completed invocation `bench` with a CSV of `size` bytes, over http and https."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "chain.pem").write_bytes(b"".join(b.bytes() for b in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    status = {"status": "completed", "invocationResults": {"r1": RESULT}}
    (folder / "bench.json").write_text(json.dumps(status), encoding="utf-8")
    for kind in ROWS:
        write_csv(folder / f"{kind}.csv", size, kind)
    http, https = free_port(), free_port()
    config = CONFIG.format(folder=folder, http=http, https=https)
    (folder / "nginx.conf").write_text(config, encoding="utf-8")
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _until_it_listens(http)
        yield Nginx(
            f"http://127.0.0.1:{http}", f"https://localhost:{https}", folder / "ca.pem", folder
        )
    finally:
        process.terminate()
        process.wait()


def has_nginx() -> bool:
    """Tell whether nginx is installed."""
    return bool(shutil.which("nginx")) or Path("/usr/sbin/nginx").exists()


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise RuntimeError("nginx does not listen")
