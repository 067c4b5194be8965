"""Status responses that do not match the documentation of the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.faults.case import STATUS, Case, check, table
from tests.faults.catalogue import covers
from tests.sandbox.calling import fault, faulty

GOOD = {
    "primaryResult": True,
    "status": "completed",
    "jsonAvailable": True,
    "csvAvailable": True,
    "xlsxAvailable": True,
}
ASK = ("status", "demo-dedup", "--json")


def answer(body: str) -> str:
    """Answer the status with this text."""
    return fault(f"body = {json.dumps(body)}", STATUS)


def results(**fields: object) -> str:
    """Answer a completed status whose one result has these fields changed."""
    described = {key: value for key, value in (GOOD | fields).items() if value is not ...}
    return answer(json.dumps({"status": "completed", "invocationResults": {"r1": described}}))


BAD_FIELDS = {
    "no-status": (answer("{}"), "'status' is missing"),
    "null-status": (answer('{"status": null}'), "'status' is not a string"),
    "number-status": (answer('{"status": 5}'), "'status' is not a string"),
    "list": (answer("[]"), "not a JSON object"),
    "string": (answer('"completed"'), "not a JSON object"),
    "no-results": (answer('{"status": "completed"}'), "'invocationResults' is missing"),
    "null-results": (
        answer('{"status": "completed", "invocationResults": null}'),
        "'invocationResults' is not an object",
    ),
    "list-results": (
        answer('{"status": "completed", "invocationResults": []}'),
        "'invocationResults' is not an object",
    ),
    "no-primary": (results(primaryResult=...), "'primaryResult' is missing"),
    "text-primary": (results(primaryResult="yes"), "'primaryResult' is not true or false"),
    "number-available": (results(csvAvailable=1), "'csvAvailable' is not true or false"),
    "null-result-status": (results(status=None), "'status' is not a string"),
    "result-is-text": (
        answer('{"status": "completed", "invocationResults": {"r1": "x"}}'),
        "not an object",
    ),
    "result-id": (
        answer('{"status": "completed", "invocationResults": {"..": {}}}'),
        "not a valid id",
    ),
}
BAD_JSON = {
    "empty-object-cut": answer('{"status": "comp'),
    "duplicate": answer('{"status": "completed", "status": "failed"}'),
    "nan": answer('{"status": "running", "x": NaN}'),
    "infinity": answer('{"status": "running", "x": 1e999}'),
    "bom": fault('body_hex = "efbbbf7b22737461747573223a2278227d"', STATUS),
    "latin-1": fault('body_hex = "7b22737461747573223a22e9227d"', STATUS),
    "surrogate": answer('{"status": "running", "x": "\\ud800"}'),
    "long-number": answer('{"status": "running", "x": 1' + "0" * 5000 + "}"),
    "two": answer('{"status": "running"} {}'),
    "deep": fault('body = "["\nrepeat = 200_000', STATUS),
}
CASES = table(
    __name__,
    [
        *(
            Case("fields", name, toml, 7, (word,), ASK, requests=1)
            for name, (toml, word) in BAD_FIELDS.items()
        ),
        *(
            Case("bad-json", name, toml, 7, ("not valid JSON",), ASK, requests=1)
            for name, toml in BAD_JSON.items()
        ),
        Case("unknown-status", "odd", answer('{"status": "on holiday"}'), 9, (),
             ("status", "demo-dedup", "--exit-status")),
        Case("unknown-status", "download", answer('{"status": "COMPLETED-ish"}'), 9,
             ("still in progress",)),
        Case("unknown-status", "no-results-yet", answer('{"status": "x", "invocationResults": []}'),
             9, (), ("status", "demo-dedup", "--exit-status")),
        Case("no-result", "none", answer('{"status": "completed", "invocationResults": {}}'), 4,
             ("no results",)),
        Case("no-result", "named", "", 4, ("no result 'nope'", "it has: "),
             ("download", "demo-dedup", "-r", "nope")),
        Case("no-result", "no-format", results(csvAvailable=False), 4, ("json, xlsx",)),
        Case("no-result", "no-primary", results(primaryResult=False), 7, ("0 primary", "-r")),
        Case("result-error", "error", results(status="error"), 5, ("ended in error",)),
    ],
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, home: Path, tmp_path: Path) -> None:
    ended, _ = check(case, home, tmp_path, old=False)
    if case.code == 7:
        assert ended.out == ""


@covers("huge-json")
def test_an_endless_status_is_refused_early(home: Path, tmp_path: Path) -> None:
    """Far more than is read: the client goes away after 16 MiB."""
    with faulty(fault('body = "          "\nrepeat = 400_000_000', STATUS)) as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("status", "demo-dedup")
    assert ended.code == 7
    assert "larger than 16 MiB" in ended.err
