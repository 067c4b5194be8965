"""`nostra download` to an S3 server: an object that is whole, or none and nothing that dangles."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import runner_for
from tests.data.store import BUCKET, SECRET, Store
from tests.docs.pages import block, page, steps
from tests.docs.sessions import run_shell
from tests.faults.test_signals import start, until
from tests.running import Ended, Runner, check_invariants
from tests.sandbox.calling import fault, faulty

LARGE = 9 << 20  # a full block of 8 MiB, and some


def runner(sandbox: Sandbox, store: Store, home: Path, cwd: Path) -> Runner:
    made = runner_for(sandbox, home, cwd)
    return Runner(cwd, {**made.env, **store.env})


def nothing_is_left(store: Store, ended: Ended) -> bool:
    assert SECRET not in ended.out + ended.err
    return (store.keys(), store.uploads(), ended.out) == ([], [], "")


def test_small_and_large_results(service: Sandbox, s3: Store, home: Path, tmp_path: Path) -> None:
    with serving(large_bytes=LARGE) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        args = ["download", "demo-dedup", "demo-large", "-f", "all"]
        ended = nostra(*args, "-d", f"s3://{BUCKET}/some/prefix")
        local = nostra(*args)
    assert ended.out.split() == [f"s3://{BUCKET}/some/prefix/{n}" for n in local.out.split()]
    assert ended.code == local.code == 0
    for name in local.out.split():
        assert s3.body(f"some/prefix/{name}") == (tmp_path / name).read_bytes()
    assert s3.uploads() == []


def test_what_is_there_stays(service: Sandbox, s3: Store, home: Path, tmp_path: Path) -> None:
    s3.client.put_object(Bucket=BUCKET, Key="x.csv", Body=b"mine")
    nostra = runner(service, s3, home, tmp_path)
    args = ["download", "demo-dedup", "-o", f"s3://{BUCKET}/x.csv"]
    service.requests.clear()
    assert nostra(*args).code == 8
    assert len(service.requests) == 0  # it is seen before anything is asked of the service
    assert nostra(*args, "--skip-existing").out == f"s3://{BUCKET}/x.csv\n"
    assert s3.body("x.csv") == b"mine"
    assert nostra(*args, "--overwrite").code == 0
    assert s3.body("x.csv").startswith(b"ID,Group\n")


@pytest.mark.parametrize(
    ("refused", "large", "said"),
    [
        (lambda method, query: method == "PUT" and "partNumber=1" in query, False, "Access Denied"),
        (lambda method, query: method == "PUT" and "partNumber=2" in query, True, "Access Denied"),
        (lambda method, query: method == "POST" and "uploadId" in query, False, "Access Denied"),
        (lambda method, query: method == "POST" and query == "uploads", False, "Access Denied"),
        (lambda method, _query: method == "HEAD", False, "Forbidden"),
    ],
    ids=["first part", "second part", "completion", "beginning", "look"],
)
def test_an_upload_that_fails(
    s3: Store,
    home: Path,
    tmp_path: Path,
    refused: Callable[[str, str], bool],
    large: bool,
    said: str,
) -> None:
    s3.refused = refused
    with serving(large_bytes=LARGE) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        name = "demo-large" if large else "demo-dedup"
        ended = nostra("download", name, "-f", "csv", "-d", f"s3://{BUCKET}")
    assert nothing_is_left(s3, ended)
    assert ended.code == 8
    assert said in ended.err


@pytest.mark.parametrize(
    ("format_", "keys"),
    [("csv", 'framing = "close"\nbody = "ID,Group\\n\\"cut"'), ("xlsx", "keep = 5000")],
)
def test_a_result_that_is_not_sound(
    s3: Store, home: Path, tmp_path: Path, format_: str, keys: str
) -> None:
    with faulty(fault(keys, f"*/{format_}")) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        ended = nostra("download", "demo-dedup", "-f", format_, "-d", f"s3://{BUCKET}")
    assert nothing_is_left(s3, ended)
    assert ended.code == 7


def test_a_large_result_that_is_found_wrong_at_its_end(
    s3: Store, home: Path, tmp_path: Path
) -> None:
    with faulty(fault("keep = -2", "*/json"), LARGE) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        ended = nostra("download", "demo-large", "-f", "json", "-d", f"s3://{BUCKET}")
    assert nothing_is_left(s3, ended)
    assert ended.code == 7
    assert any("partNumber=1" in asked for asked in s3.asked)


@pytest.mark.parametrize(
    ("formats", "hangs"),
    [(["csv"], False), (["csv", "json"], False), (["csv", "json"], True)],
    ids=["alone", "in threads", "in threads that the store holds up"],
)
def test_an_interrupt_takes_the_upload_back(
    s3: Store, home: Path, tmp_path: Path, formats: list[str], hangs: bool
) -> None:
    if hangs:
        s3.parts_pass.clear()
    with faulty(fault(f"stall_after = {LARGE - 1000}", "*demo-large/*"), LARGE) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        options = [word for name in formats for word in ("-f", name)]
        process = start(nostra, "download", "demo-large", *options, "-d", f"s3://{BUCKET}")
        try:
            until(lambda: sum("partNumber=1" in asked for asked in s3.asked) == len(formats), 40)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
            process.wait()
            s3.parts_pass.set()
    ended = Ended(process.returncode, out.decode(), err.decode())
    check_invariants(ended, sandbox.token)
    assert ended.code == 130
    assert nothing_is_left(s3, ended)


def test_a_store_that_is_not_there(service: Sandbox, s3: Store, home: Path, tmp_path: Path) -> None:
    nostra = runner(service, s3, home, tmp_path)
    ended = nostra("download", "demo-dedup", "-d", "s3://no-such-bucket")
    assert (ended.code, ended.out) == (8, "")
    assert "The specified bucket does not exist" in ended.err
    nothing = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = nostra("download", "demo-dedup", "-d", f"s3://{BUCKET}", env=nothing)
    assert ended.code == 8
    assert "credentials" in ended.err


def test_page(service: Sandbox, s3: Store, home: Path, tmp_path: Path) -> None:
    nostra = runner(service, s3, home, tmp_path)
    for command, expected in steps(block(page("stores"), "session: s3")):
        assert run_shell(nostra, command).stdout == expected, command
    assert s3.keys() == ["results/demo-dedup.csv", "results/demo-dedup.json"]


def test_costs(s3: Store, home: Path, tmp_path: Path) -> None:
    with serving(large_bytes=LARGE) as sandbox:
        nostra = runner(sandbox, s3, home, tmp_path)
        nostra("download", "demo-large", "-f", "csv", "-o", f"s3://{BUCKET}/x", "--overwrite")
        assert [line.split("=")[0] for line in s3.asked] == [
            "POST uploads",
            "PUT partNumber",
            "PUT partNumber",
            "POST uploadId",
        ]
        s3.clear()
        nostra("download", "demo-large", "-f", "csv", "-d", f"s3://{BUCKET}")
        # A look at the bucket, and three at a place where nothing is.
        assert len(s3.asked) - 4 == 1 + 3 * 2
