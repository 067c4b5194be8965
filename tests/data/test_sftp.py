"""`nostra download -d sftp://...` with a real SSH server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.store import Upload
from nostra_cli.downloads.target import StoreUrl
from tests.conftest import runner_for
from tests.data.sshd import Sshd, serving_sftp
from tests.running import NOSTRA, Runner, check_invariants
from tests.running import Ended as End
from tests.sandbox.calling import faulty

pytest.importorskip("paramiko")
SLOW = '[[fault]]\npath = "*/csv"\nrate = 400_000\n[[fault]]\npath = "*/json"\nrate = 400_000\n'
LARGE = ("download", "demo-large", "-f", "csv")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with serving_sftp(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def slow(sshd: Sshd, home: Path, tmp_path: Path) -> Iterator[tuple[Runner, Path, str]]:
    """Yield `nostra` and a folder, with its URL, that bodies come slowly into."""
    folder = tmp_path / "remote"
    folder.mkdir()
    (tmp_path / "cwd").mkdir()
    with faulty(SLOW, large_bytes=3_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path / "cwd")
        yield replace(nostra, env={**nostra.env, **sshd.env}), folder, sshd.url + str(folder)


def start(nostra: Runner, folder: Path, *args: str, count: int = 1) -> subprocess.Popen[bytes]:
    """Start a download; return when `count` uploads are under way."""
    process = subprocess.Popen(
        [NOSTRA, *args],
        cwd=nostra.cwd,
        env=dict(nostra.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + 20
    while len([part for part in folder.iterdir() if part.stat().st_size > 100_000]) < count:
        assert time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    return process


def finish(process: subprocess.Popen[bytes], nostra: Runner) -> End:
    out, err = process.communicate(timeout=20)
    ended = End(process.returncode, out.decode(), err.decode())
    check_invariants(ended, nostra.env["NOSTRA_TOKEN"])
    return ended


def test_writes_do_not_wait_for_each_response(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paramiko
    from fsspec.config import set_conf_files

    conf: dict[str, dict[str, object]] = {}
    set_conf_files(sshd.env["FSSPEC_CONFIG_DIR"], conf)
    monkeypatch.setattr("fsspec.config.conf", conf)
    monkeypatch.setattr("fsspec.core.conf", conf, raising=False)
    modes: list[bool] = []
    set_pipelined = paramiko.SFTPFile.set_pipelined

    def spy(file: paramiko.SFTPFile, pipelined: bool = True) -> None:
        modes.append(pipelined)
        set_pipelined(file, pipelined)

    monkeypatch.setattr(paramiko.SFTPFile, "set_pipelined", spy)
    with Upload(StoreUrl(f"{sshd.url}{tmp_path}/x.csv")) as upload:
        upload.restart(BodyVersion("u", None, None, None))
        for _ in range(40):
            upload.write(os.urandom(100_000))
        upload.publish(replace=False)
    assert modes == [True]
    assert [(file.name, file.stat().st_size) for file in tmp_path.iterdir()] == [
        ("x.csv", 4_000_000)
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("formats", [["csv"], ["csv", "json"]])
def test_an_interrupted_upload_leaves_nothing(
    slow: tuple[Runner, Path, str], number: signal.Signals, formats: list[str]
) -> None:
    nostra, folder, url = slow
    args = [word for name in formats for word in ("-f", name)]
    command = ["download", "demo-large", *args, "-d", url]
    process = start(nostra, folder, *command, count=len(formats))
    began = time.monotonic()
    process.send_signal(number)
    ended = finish(process, nostra)
    assert time.monotonic() - began < 1.5
    assert (ended.code, ended.err) == (128 + number, "")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("formats", [["csv"], ["csv", "json"]])
def test_what_a_server_that_hangs_keeps_is_named(
    slow: tuple[Runner, Path, str], formats: list[str]
) -> None:
    nostra, folder, url = slow
    args = [word for name in formats for word in ("-f", name)]
    command = ["download", "demo-large", *args, "-d", url]
    process = start(nostra, folder, *command, count=len(formats))
    parts = sorted(part.name for part in folder.iterdir())
    sessions = serving_processes(folder)
    try:
        for session in sessions:
            os.kill(session, signal.SIGSTOP)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        ended = finish(process, nostra)
        assert time.monotonic() - began < 2
    finally:
        for session in sessions:
            os.kill(session, signal.SIGCONT)
    assert ended.code == 130
    assert sorted(ended.err.splitlines()) == [
        f"remove what is left in the store: {url}/{part}" for part in parts
    ]


def serving_processes(folder: Path) -> list[int]:
    """Return the processes that have a file of `folder` open for writing, except our own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(link.startswith(str(folder)) for link in links):
            found.append(int(process.name))
    return found


def test_a_session_that_ends_in_the_middle_is_one_error(slow: tuple[Runner, Path, str]) -> None:
    nostra, folder, url = slow
    process = start(nostra, folder, *LARGE, "-d", url, "--json")
    for session in serving_processes(folder):
        os.kill(session, signal.SIGKILL)
    ended = finish(process, nostra)
    assert (ended.code, ended.out) == (8, "")
    assert ended.error["kind"] == "file"


@pytest.mark.parametrize("url", ["sftp://127.0.0.1:1/x", "sftp://127.0.0.1:{port}/x"])
def test_a_server_that_is_none_is_one_error(nostra: Runner, sshd: Sshd, url: str) -> None:
    """No server at all; then the sandbox, which does not speak SSH."""
    port = nostra.env["NOSTRA_BASE_URL"].rpartition(":")[2]
    args = [*LARGE, "-d", url.format(port=port), "--json"]
    ended = nostra(*args, env=sshd.env)
    assert (ended.code, ended.out) == (8, "")
    assert json.loads(ended.err)["error"]["code"] == 8


def test_a_refused_key_is_one_error(nostra: Runner, sshd: Sshd) -> None:
    ended = nostra(*LARGE, "-d", f"{sshd.url}/tmp", "--json", env={"FSSPEC_SFTP_PASSWORD": "x"})
    assert (ended.code, ended.out) == (8, "")
    assert json.loads(ended.err)["error"]["code"] == 8
