"""Redirects: to object storage, and to where nobody should be led."""

from __future__ import annotations

from pathlib import Path

import pytest

from nostra_cli.sandbox.server import serving
from tests.conftest import runner_for
from tests.faults.case import Case, check, table, truth
from tests.faults.catalogue import covers
from tests.running import HURRIED
from tests.sandbox.calling import fault, faulty

CSV_ID = "*/csv"


def to(location: str, status: int = 302) -> str:
    """Redirect the body."""
    return fault(f"status = {status}\nheaders = {{ Location = '{location}' }}")


CASES = table(
    __name__,
    [
        Case("bad-redirect", "file", to("file:///etc/passwd"), 6, ("file:",), requests=2),
        Case("bad-redirect", "javascript", to("javascript:alert(1)"), 6, (), requests=2),
        Case("bad-redirect", "plain-http", to("http://example.com/x"), 6, ("not encrypted",),
             requests=2),
        Case("bad-redirect", "loop", to("/api/invocation/demo-dedup/csv"), 6, ("redirects",),
             requests=22),
        Case("bad-redirect", "not-a-url", to("http://[::1"), 6),
        Case("bad-redirect", "control", to("https://u:pw@a b/"), 6),
    ],
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, home: Path, tmp_path: Path) -> None:
    check(case, home, tmp_path, old=True)


@covers("bad-redirect")
@pytest.mark.parametrize(("hops", "code"), [(20, 0), (21, 6)])
def test_twenty_hops_are_enough(hops: int, code: int, home: Path, tmp_path: Path) -> None:
    toml = fault(f"times = {hops}\nstatus = 307\nheaders = {{ Location = '' }}")
    with faulty(toml) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("download", "demo-dedup", "-f", "csv")
    assert ended.code == code, ended.err


@covers("other-origin", "signed")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_storage_gets_no_token_and_its_query_is_not_shown(
    status: int, home: Path, tmp_path: Path
) -> None:
    storage_rules = fault('serve = "/api/invocation/demo-dedup/csv"', "/bucket/*")
    with faulty(storage_rules) as storage:
        signed = f"{storage.base_url}/bucket/x?X-Signature=s3cret"
        with faulty(to(signed, status)) as sandbox:
            nostra = runner_for(sandbox, home, tmp_path)
            ended = nostra("download", "demo-dedup", "-f", "csv", "-v")
            assert (ended.code, ended.out) == (0, "demo-dedup.csv\n")
            assert (tmp_path / "demo-dedup.csv").read_bytes() == truth(sandbox, "demo-dedup")
    [request] = storage.requests
    assert request.query == "X-Signature=s3cret"
    assert "authorization" not in request.headers
    assert "s3cret" not in ended.err
    assert "/bucket/x?***" in ended.err


@covers("other-origin", "signed")
def test_a_resume_goes_through_the_redirect_again(home: Path, tmp_path: Path) -> None:
    cut = fault(
        'serve = "/api/invocation/demo-large/csv"\ntimes = 1\ncut_after = 300000', "/bucket/*"
    )
    with faulty(cut + fault('serve = "/api/invocation/demo-large/csv"', "/bucket/*")) as storage:
        rule = to(f"{storage.base_url}/bucket/x?key=s3cret").replace("demo-dedup", "demo-large")
        with faulty(rule) as sandbox:
            nostra = runner_for(sandbox, home, tmp_path)
            ended = nostra("download", "demo-large", "-f", "csv")
            assert ended.code == 0
    assert [request.headers.get("range") for request in storage.requests] == [None, "bytes=300000-"]
    assert "s3cret" not in ended.err


@covers("signed")
def test_an_expired_link_is_fetched_anew_and_never_shown(home: Path, tmp_path: Path) -> None:
    with serving() as storage:  # it knows nothing of the path: 404; of the token: 401
        rule = to(f"{storage.base_url}/api/collection?key=s3cret")
        with faulty(rule) as sandbox:
            nostra = runner_for(sandbox, home, tmp_path)
            ended = nostra("download", "demo-dedup", "-f", "csv", command=HURRIED)
    assert (ended.code, nostra.files()) == (6, [])
    assert len(storage.requests) == 5
    assert "s3cret" not in ended.err
