"""A real SSH server for the tests of sftp://, with the keys and the fsspec settings to use it."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/user_key.pub
AuthenticationMethods publickey
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Sshd:
    """A running server: where its files are, and what finds it."""

    url: str
    env: dict[str, str]


@contextmanager
def serving_sftp(folder: Path) -> Iterator[Sshd]:
    """Run sshd on a free port of this machine; skips the test where it is not installed."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
    if sshd is None:
        pytest.skip("sshd is not installed")
    for name in ("host_key", "user_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder))
    user = getpass.getuser()
    options = {
        "username": user,
        "key_filename": str(folder / "user_key"),
        "look_for_keys": False,
        "allow_agent": False,
    }
    (folder / "fsspec").mkdir()
    (folder / "fsspec" / "conf.json").write_text(json.dumps({"sftp": options}))
    if user == "root":
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd drops its privileges
    command = [sshd, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            _wait_for(port, server)
            yield Sshd(f"sftp://127.0.0.1:{port}", {"FSSPEC_CONFIG_DIR": str(folder / "fsspec")})
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    pytest.skip("sshd does not start here")
