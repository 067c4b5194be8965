"""Scenarios as TOML: their keys, and the messages for mistakes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from threading import Thread

import pytest

from nostra_cli.sandbox.fault import Fault, Rules
from nostra_cli.sandbox.responses import Request
from nostra_cli.sandbox.scenario import ScenarioError, load, parse
from tests.sandbox.calling import curl_api, fault, faulty, vendor_get

FLAKY = Path(__file__).with_name("flaky.toml")


def test_every_key_is_read() -> None:
    text = """
        [[fault]]
        path = "/a/*"
        method = "GET"
        after = 1
        times = 2
        status = 503
        retry_after = 5
        headers = {X-One = "1", X-Many = ["1", 2], X-None = []}
        delay = 0.5
        rate = 1024
        gzip = "bad-crc"
        keep = -3
        ranges = false
    """
    (found,) = parse(tomllib.loads(text)).faults
    assert found == Fault(
        path="/a/*",
        method="GET",
        after=1,
        times=2,
        status=503,
        retry_after="5",
        headers={"X-One": ("1",), "X-Many": ("1", "2"), "X-None": ()},
        delay=0.5,
        rate=1024,
        gzip="bad-crc",
        keep=-3,
        ranges=False,
    )


MISTAKES = [
    ("x = 1", 'unknown key "x"'),
    ("fault = 1", "fault: must be written as [[fault]]"),
    ("fault = [1]", "fault 1: must be a table"),
    ("invocation = 1", "invocation: must be written as [invocation.NAME]"),
    ("[[fault]]\nstatus = 500", "fault 1: path: is missing"),
    (fault("") + fault("stauts = 500"), 'fault 2: unknown key "stauts"'),
    (fault("status = 99"), "fault 1: status: must be a whole number from 200 to 599"),
    (fault("status = true"), "fault 1: status: must be a whole number from 200 to 599"),
    (fault("times = 0"), "fault 1: times: must be a whole number from 1"),
    (fault("keep = 1.5"), "fault 1: keep: must be a whole number"),
    (fault("page = 1"), "fault 1: page: must be a text"),
    (fault("drop = 1"), "fault 1: drop: must be true or false"),
    (fault("delay = nan"), "fault 1: delay: must be a number of seconds from 0 to 1000000"),
    (fault("gzip = 'zip'"), "fault 1: gzip: must be one of ok, truncated, bad-crc, members"),
    (fault("body_hex = 'f'"), "fault 1: body_hex: must be pairs of hexadecimal digits"),
    (fault("retry_after = true"), "fault 1: retry_after: must be one line of Latin-1 text"),
    (fault("headers = 1"), "fault 1: headers: must be a table of headers"),
    (fault('headers = {"a b" = ""}'), "fault 1: headers: must be a table of headers, each with"),
    (fault('headers = {A = "a\\nb"}'), "fault 1: headers: must be a table of headers, each with"),
    (fault("page = 'a'\nbody = 'b'"), "fault 1: body: cannot be together with page"),
    ("invocation.a.type = 'x'", "invocation.a: type: must be one of churn-prediction, "),
    ("invocation.a.statuses = []", "invocation.a: statuses: must be a list"),
    ("invocation.a.statuses = [1]", "invocation.a: statuses: must be a list of texts"),
    ("invocation.a.seconds = [1]", "invocation.a: seconds: must be as many as statuses"),
    ("invocation.a.bytes = 1", "invocation.a: bytes: must be a whole number from 200"),
    ("a = ", "Invalid value (at "),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_reported_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ScenarioError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


def get(path: str) -> Request:
    return Request("GET", path, "", {})


def test_rules_for_one_path_apply_in_order() -> None:
    rules = Rules(
        (
            Fault("/a", after=1, times=2, status=500),
            Fault("/[ab]", times=1, status=501),
            Fault("/a", method="POST", status=502),
        )
    )
    hits = [rules.take(get("/a")) for _ in range(5)]
    # The first request passes the first rule, and so the second one takes it.
    assert [hit.fault.status for hit in hits] == [501, 500, 500, None, None]
    assert [hit.attempt for hit in hits] == [1, 1, 2, 1, 1]
    assert rules.take(get("/c")).fault.status is None
    assert rules.take(Request("POST", "/a", "", {})).fault.status == 502


def test_attempts_are_counted_between_threads() -> None:
    rules = Rules((Fault("/a", times=500, status=500),))
    statuses: list[int | None] = []

    def ask() -> None:
        statuses.extend(rules.take(get("/a")).fault.status for _ in range(200))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(500) == 500
    assert len(statuses) == 1_600


def test_a_sequence_of_statuses_for_a_known_invocation() -> None:
    with faulty('[invocation.demo-stuck]\nstatuses = ["a", "completed", "failed"]') as sandbox:
        seen = [vendor_get(sandbox, "invocation/demo-stuck").json()["status"] for _ in range(4)]
    assert seen == ["a", "completed", "failed", "failed"]


def test_a_new_invocation_with_many_results() -> None:
    with faulty("[invocation.batch]\nresults = 20\nbytes = 50_000") as sandbox:
        document = vendor_get(sandbox, "invocation/batch").json()
        results = document["invocationResults"]
        bodies = {curl_api(sandbox, f"invocation/batch/result/{id_}/csv").body for id_ in results}
    assert document["status"] == "completed"
    assert len(results) == len(bodies) == 20
    assert {len(body) for body in bodies} == {50_000}
    assert sum(result["primaryResult"] for result in results.values()) == 1


def test_a_new_invocation_is_listed_after_those_of_every_sandbox() -> None:
    with faulty('[invocation.new]\nstatuses = ["completed"]') as sandbox:
        assert (sandbox.ids[0], sandbox.ids[-1]) == ("demo", "new")


def test_a_new_invocation_of_a_type() -> None:
    text = """
        [invocation."a/b ü"]
        type = "deduplication"
        statuses = ["running", "completed"]
        seconds = [0, 0]
    """
    with faulty(text) as sandbox:
        document = vendor_get(sandbox, "invocation/a%2Fb%20%C3%BC").json()
        body = curl_api(sandbox, "invocation/a%2Fb%20%C3%BC/csv").body
    assert (document["id"], document["invocationType"]) == ("a/b ü", "deduplication")
    assert body.startswith(b"ID,Group\n")


def test_a_known_invocation_keeps_its_type_unless_another_is_given() -> None:
    text = """
        [invocation.demo-dedup]
        statuses = ["completed"]
        [invocation.demo-demand]
        type = "deduplication"
    """
    with faulty(text) as sandbox:
        for known in ("demo-dedup", "demo-demand"):
            assert curl_api(sandbox, f"invocation/{known}/csv").body.startswith(b"ID,Group\n")


def test_the_example_is_a_bad_day_that_ends_well() -> None:
    with faulty(FLAKY.read_text(encoding="utf-8")) as sandbox:
        polls = [curl_api(sandbox, "invocation/demo") for _ in range(6)]
        downloads = [curl_api(sandbox, "invocation/demo/csv") for _ in range(4)]
    assert [poll.status for poll in polls] == [429, 429, 502, 200, 200, 200]
    assert polls[0].headers["retry-after"] == "1"
    last = polls[-1].json()
    assert isinstance(last, dict)
    assert last["status"] == "completed"
    assert [download.code for download in downloads] == [18, 56, 0, 0]
    assert downloads[2].body == downloads[3].body
    assert load(FLAKY).faults[0].retry_after == "1"
