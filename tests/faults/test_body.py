"""Bodies that are short, cut, encoded, slow, or not what their format promises; and resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.case import STATUS, Case, both, check, table
from tests.sandbox.calling import fault

LARGE = ("download", "demo-large", "-f", "csv")
LARGE_CSV = "/api/invocation/demo-large/csv"
NO_VALIDATOR = "headers = { ETag = [], Last-Modified = [] }"


def large(keys: str) -> str:
    return fault(keys, LARGE_CSV)


def cuts(count: int, more: str = "") -> str:
    """Cut one answer after another, each a little later in its own body."""
    sizes = range(31_000, 31_000 + 1000 * count, 1000)
    return "".join(large(f"times = 1\ncut_after = {size}\n{more}") for size in sizes)


CASES = table(
    __name__,
    [
        Case("reset", "mid-body", large("times = 1\ncut_after = 300000\nreset = true"), 0, (),
             LARGE, requests=3),
        Case("no-head", "closed", fault("times = 1\ndrop = true"), 0),
        Case("no-head", "reset", fault("times = 2\ndrop = true\nreset = true"), 0),
        Case("short", "once", large("times = 1\ncut_after = 300000"), 0, ("retrying",), LARGE,
             requests=3),
        Case("short", "chunked", large('times = 1\ncut_after = 300000\nframing = "chunked"'), 0, (),
             LARGE),
        Case("short", "ten-times", cuts(10), 0, (), LARGE, requests=12, seconds=60),
        Case("short", "for-ever", large("cut_after = 0") , 7, ("too early",), LARGE),
        Case("short", "part-kept", large("times = 1\ncut_after = 300000") + large("cut_after = 0"),
             7, ("kept",), LARGE, part=True),
        Case("short", "no-validator", large(f"cut_after = 1000\n{NO_VALIDATOR}"), 7, (), LARGE),
        Case("short", "length-too-high", large("length_off = 10\ntimes = 1"), 0, (), LARGE),
        Case("no-length", "close", large('framing = "close"'), 0, (), LARGE, requests=2),
        Case("no-length", "chunked", large('framing = "chunked"'), 0, (), LARGE, requests=2),
        Case("no-length", "cut-in-quotes",
             fault('framing = "close"\nbody = "a,b\\n\\"x"'), 7, ("quoted",)),
        Case("no-length", "cut-row",
             fault('framing = "close"\nbody = "a,b\\n1,2\\n3"'), 7, ("fields",)),
        Case("resume", "206", large("times = 1\ncut_after = 500000"), 0, (), LARGE, requests=3),
        Case("resume", "200", large("times = 1\ncut_after = 500000\nranges = false")
             + large("ranges = false"), 0, (), LARGE, requests=3),
        Case("no-mix", "changed", large("times = 1\ncut_after = 500000\nchanging = true"), 0, (),
             LARGE, requests=3),
        Case("no-mix", "changed-ignoring-if-range",
             large("times = 2\ncut_after = 500000\nchanging = true\nignore_if_range = true"), 0, (),
             LARGE, requests=4),
        Case("no-mix", "weak-etag", large('times = 1\ncut_after = 500000\netag = \'W/"x"\''
             '\nheaders = { Last-Modified = [] }'), 0, (), LARGE, requests=3),
        *(
            Case("no-mix", f"offset{shift:+}", large("times = 1\ncut_after = 500000")
                 + large(f"times = 1\nrange_shift = {shift}"), 0, (), LARGE, requests=4)
            for shift in (-7, 7, 100_000)
        ),
        Case("no-mix", "not-asked-for", fault('status = 206\nbody = "a,b\\n"'), 7, ("206",)),
        Case("416", "unproven", large("times = 1\ncut_after = 500000")
             + large("times = 1\nstatus = 416\nheaders = { Content-Range = 'bytes */500000' }"),
             0, (), LARGE, requests=4),
        Case("gzip", "ok", fault('gzip = "ok"'), 0, requests=2),
        Case("gzip", "ok-large", large('gzip = "ok"'), 0, (), LARGE, requests=2),
        Case("gzip", "members", fault('gzip = "members"'), 0, requests=2),
        Case("gzip", "truncated", fault('gzip = "truncated"'), 7, ("gzip",)),
        Case("gzip", "bad-crc", fault('gzip = "bad-crc"'), 7, ("gzip",)),
        Case("gzip", "unknown-coding",
             fault('headers = { Content-Encoding = "br" }'), 7, ("'br'",)),
        Case("gzip", "status-truncated", fault('gzip = "truncated"', STATUS), 7, ("gzip",)),
        Case("bomb", "layers",
             fault('body = " "\nrepeat = 3_000_000_000\ngzip = "ok"\ngzip_layers = 3'),
             7, ("gzip",)),
        Case("cut-format", "csv-quotes", fault('body = "a,b\\n\\"1,2\\n"'), 7, ("quoted",)),
        Case("cut-format", "csv-ragged", fault('body = "a,b\\n1,2\\n1,2,3\\n"'), 7, ("fields",)),
        Case("cut-format", "csv-latin-1", fault('body_hex = "612c620ae92c320a"'), 7, ("UTF-8",)),
        Case("slow", "then-well", large("times = 1\nrate = 2000"), 0, ("slower than",), LARGE,
             env=(("NOSTRA_LOW_SPEED_TIME", "1s"), ("NOSTRA_LOW_SPEED_LIMIT", "100kB"))),
        Case("slow", "stalled", large("times = 1\nstall_after = 5000"), 0,
             ("no data for 0.5 s",), LARGE, env=(("NOSTRA_LOW_SPEED_TIME", "0.5s"),)),
        Case("slow", "for-ever", fault("rate = 10"), 6, ("transfer slower than",), part=True,
             env=(("NOSTRA_LOW_SPEED_TIME", "1s"), ("NOSTRA_LOW_SPEED_LIMIT", "100kB"))),
    ],
)  # fmt: skip


@pytest.mark.parametrize(("case", "old"), both(CASES), ids=str)
def test_case(case: Case, old: bool, home: Path, tmp_path: Path) -> None:
    ended, sandbox = check(case, home, tmp_path, old)
    for request in list(sandbox.requests):
        if "range" in request.headers:
            assert request.headers["if-range"].startswith('"'), "a strong ETag has to go with it"
    assert ended.out == (f"{case.args[1]}.csv\n" if case.code == 0 else "")


JSON, XLSX = (f"/api/invocation/demo-dedup/{f}" for f in ("json", "xlsx"))
OTHERS = [
    ("json", fault("keep = 5000", JSON), "cut"),
    ("json", fault("keep = -1", JSON), "cut"),
    ("json", fault('body = "[1] [2]"', JSON), "not valid"),
    ("json", fault('body = "{\\"a\\": NaN}"', JSON), "not valid"),
    ("xlsx", fault("keep = 5000", XLSX), "cut"),
    ("xlsx", fault("keep = -1", XLSX), "cut"),
    ("xlsx", fault('body = "ID,Group\\n"', XLSX), "not an XLSX"),
    ("xlsx", fault('body_hex = "504b0506000000000000000000000000000000000000"', XLSX), ""),
]


@pytest.mark.parametrize(("format_", "toml", "word"), OTHERS)
@pytest.mark.parametrize("level", ["auto", "full"])
def test_other_formats(
    format_: str, toml: str, word: str, level: str, home: Path, tmp_path: Path
) -> None:
    args = ("download", "demo-dedup", "-f", format_, "--verify", level)
    check(Case("cut-format", format_, toml, 7, (word,), args), home, tmp_path, old=False)


table(__name__, [Case("cut-format", f"{f}-{n}", t, 7) for n, (f, t, _) in enumerate(OTHERS)])
