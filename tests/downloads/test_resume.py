"""The version of a body, and what a response is good for: only what proves is continued."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.resume import (
    BodyRequest,
    BodyVersion,
    Continuation,
    continuation,
    from_json,
    version_of,
)

URL = "https://service.example/api/invocation/demo/csv"
MODIFIED = "Mon, 01 Jan 2024 10:00:00 GMT"
VERSION = BodyVersion(URL, '"v1"', MODIFIED, 100)

printable = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]))
versions = st.builds(
    BodyVersion,
    url=st.text(),
    etag=st.none() | printable,
    modified=st.none() | printable,
    length=st.none() | st.integers(1, 10**19 - 1),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def later(seconds: float) -> str:
    moment = datetime(2024, 1, 1, 10, tzinfo=UTC) + timedelta(seconds=seconds)
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize("etag", ['"v1"', '""', '"W/"', '"a,b\'c{}~!"', '"back\\slash"'])
def test_a_strong_etag_is_kept_as_it_was_written(etag: str) -> None:
    found = version_of(URL, {"etag": etag})
    assert found.etag == etag
    assert found.validator == etag


@pytest.mark.parametrize(
    "etag",
    ["", 'W/"v1"', 'w/"v1"', "v1", '"v1', 'v1"', '"a"b"', '"a b"', '"a"\n', '"a\r\nX: y"', '"é"'],
)
def test_an_etag_that_is_weak_or_malformed_proves_nothing(etag: str) -> None:
    found = version_of(URL, {"etag": etag})
    assert found.etag is None
    assert found.validator is None


@pytest.mark.parametrize(
    ("age", "strong"),
    [(0, False), (59, False), (60, True), (61, True), (86_400, True), (-60, False)],
)
def test_last_modified_proves_only_a_minute_before_date(age: int, strong: bool) -> None:
    found = version_of(URL, {"last-modified": MODIFIED, "date": later(age)})
    assert found.modified == (MODIFIED if strong else None)
    assert found.validator == (MODIFIED if strong else None)


@pytest.mark.parametrize(
    "headers",
    [
        {"last-modified": MODIFIED},
        {"date": later(3600)},
        {"last-modified": "yesterday", "date": later(3600)},
        {"last-modified": MODIFIED, "date": "today"},
        {"last-modified": "Mon, 99 Jan 2024 10:00:00 GMT", "date": later(3600)},
        {"last-modified": "Mon, 01 Jan 2024 10:00:00 -0000", "date": later(3600)},
        {"last-modified": "Mon,\xa001 Jan 2024 10:00:00 GMT", "date": later(3600)},
        {"last-modified": "Mon, 01 Jan 99999999999 10:00:00 GMT", "date": later(3600)},
    ],
)
def test_a_date_that_is_missing_or_malformed_proves_nothing(headers: dict[str, str]) -> None:
    assert version_of(URL, headers).modified is None


def test_an_etag_goes_before_a_date() -> None:
    assert VERSION.validator == '"v1"'
    assert BodyVersion(URL, None, MODIFIED, None).validator == MODIFIED
    assert BodyVersion(URL, None, None, 5).validator is None


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "100"}, 100),
        ({"content-length": "0"}, 0),
        ({}, None),
        ({"content-length": ""}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "1e3"}, None),
        ({"content-length": "1_0"}, None),
        ({"content-length": "100, 100"}, None),
        ({"content-length": "\u0661\u0660"}, None),
        ({"content-length": "9" * 20}, None),
        ({"content-length": "100", "transfer-encoding": "chunked"}, None),
    ],
)
def test_a_length_has_to_be_a_plain_number(headers: dict[str, str], length: int | None) -> None:
    found = version_of(URL, headers)
    assert found.length == length
    assert found.url == URL


@given(versions)
def test_a_version_is_read_back_as_it_was_written(version: BodyVersion) -> None:
    assert from_json(version.to_json()) == version


@given(st.text() | json_values.map(json.dumps))
def test_garbage_is_not_a_version_and_not_a_crash(text: str) -> None:
    assert from_json(text) is None


@given(
    st.fixed_dictionaries(
        {"url": json_values, "etag": json_values, "modified": json_values, "length": json_values}
    )
)
def test_a_note_with_fields_of_wrong_types_is_not_a_version(raw: dict[str, object]) -> None:
    found = from_json(json.dumps(raw))
    assert found is None or from_json(found.to_json()) == found
    if not isinstance(raw["url"], str) or isinstance(raw["length"], str | float | list | dict):
        assert found is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"url"',
        "{}",
        VERSION.to_json()[:-1],
        VERSION.to_json() + "x",
        "[" * 100_000,
        VERSION.to_json().replace('"length"', '"len"'),
        VERSION.to_json().replace("100", '"100"'),
        VERSION.to_json().replace("100", "1.5"),
        VERSION.to_json().replace("100", "true"),
        VERSION.to_json().replace("100", "0"),
        VERSION.to_json().replace("100", "-5"),
        VERSION.to_json().replace("v1", "v\\n1"),
        VERSION.to_json().replace("v1", "v\\u00e91"),
        VERSION.to_json().replace("GMT", "GMT\\r\\nAuthorization: x"),
    ],
)
def test_a_note_that_is_cut_or_planted_is_not_a_version(text: str) -> None:
    assert from_json(text) is None


MODIFIED_ONLY = BodyVersion(URL, None, MODIFIED, 100)
UNKNOWN_LENGTH = BodyVersion(URL, '"v1"', None, None)
UNPROVEN = BodyVersion(URL, None, None, 100)
REST = {"content-range": "bytes 40-99/100", "etag": '"v1"'}
BEGINNING = {"content-range": "bytes 0-9/100", "etag": '"v1"'}
END = {"content-range": "bytes */40", "etag": '"v1"'}
START, CONTINUE, COMPLETE, RESTART = Continuation

Headers = dict[str, str | None]

# What is there (its version; 40 bytes of it), how the response differs from a good one, what it is
# good for.
PARTIAL: list[tuple[BodyVersion, Headers, Continuation]] = [
    (VERSION, {}, CONTINUE),
    (UNKNOWN_LENGTH, {}, CONTINUE),
    (VERSION, {"content-range": "bytes 40-99/*"}, CONTINUE),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-99/*"}, CONTINUE),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-40/*"}, CONTINUE),
    # shorter than requested
    (VERSION, {"content-range": "bytes 40-98/100"}, CONTINUE),
    (VERSION, {"content-range": "bytes 40-98/*"}, CONTINUE),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-98/100"}, CONTINUE),
    # from another place
    (VERSION, {"content-range": "bytes 39-99/100"}, RESTART),
    (VERSION, {"content-range": "bytes 41-99/100"}, RESTART),
    (VERSION, {"content-range": "bytes 0-99/100"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes 41-99/100"}, RESTART),
    # a total that contradicts
    (VERSION, {"content-range": "bytes 40-99/101"}, RESTART),
    (VERSION, {"content-range": "bytes 40-100/101"}, RESTART),
    (VERSION, {"content-range": "bytes 40-98/99"}, RESTART),
    (VERSION, {"content-range": "bytes 40-100/*"}, RESTART),
    (VERSION, {"content-range": "bytes 40-100/100"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-99/50"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-9/5"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes 40-39/40"}, RESTART),
    # a length that contradicts
    (VERSION, {"content-length": "60"}, CONTINUE),
    (VERSION, {"content-length": "59"}, RESTART),
    (VERSION, {"content-length": "100"}, RESTART),
    (VERSION, {"content-length": "100", "transfer-encoding": "chunked"}, CONTINUE),
    # not a range
    (VERSION, {"content-range": None}, RESTART),
    (VERSION, {"content-range": ""}, RESTART),
    (VERSION, {"content-range": "bytes */100"}, RESTART),
    (VERSION, {"content-range": "bytes 40-/100"}, RESTART),
    (VERSION, {"content-range": "bytes=40-99/100"}, RESTART),
    (VERSION, {"content-range": "rows 40-99/100"}, RESTART),
    (VERSION, {"content-range": "bytes 40-99/100, bytes 0-1/100"}, RESTART),
    (VERSION, {"content-range": " bytes 40-99/100"}, RESTART),
    (VERSION, {"content-range": "bytes 40-99/100\n"}, RESTART),
    (VERSION, {"content-range": "bytes \u0664\u0660-99/100"}, RESTART),
    (VERSION, {"content-type": "multipart/byteranges; boundary=x"}, RESTART),
    (VERSION, {"content-range": None, "content-type": "multipart/byteranges"}, RESTART),
    # of another version
    (VERSION, {"etag": '"v2"'}, RESTART),
    (VERSION, {"etag": 'W/"v1"'}, RESTART),
    (VERSION, {"etag": "v1"}, RESTART),
    (VERSION, {"etag": '"V1"'}, RESTART),
    (VERSION, {"etag": ""}, RESTART),
    (VERSION, {"etag": None}, RESTART),
    (VERSION, {"etag": None, "last-modified": MODIFIED}, RESTART),
    (VERSION, {"last-modified": later(60)}, CONTINUE),
    (MODIFIED_ONLY, {"last-modified": MODIFIED}, CONTINUE),
    (MODIFIED_ONLY, {"last-modified": MODIFIED, "etag": None}, CONTINUE),
    (MODIFIED_ONLY, {"last-modified": later(1)}, RESTART),
    (MODIFIED_ONLY, {}, RESTART),
    (UNPROVEN, {}, RESTART),
    (UNPROVEN, {"etag": None}, RESTART),
]
UNSATISFIED: list[tuple[BodyVersion, Headers, Continuation]] = [
    (UNKNOWN_LENGTH, {}, COMPLETE),
    (replace(VERSION, length=40), {}, COMPLETE),
    (replace(MODIFIED_ONLY, length=None), {"last-modified": MODIFIED}, COMPLETE),
    (UNKNOWN_LENGTH, {"content-range": "bytes */39"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes */41"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes */*"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": "bytes 0-39/40"}, RESTART),
    (UNKNOWN_LENGTH, {"content-range": None}, RESTART),
    (UNKNOWN_LENGTH, {"etag": None}, RESTART),
    (UNKNOWN_LENGTH, {"etag": '"v2"'}, RESTART),
    (UNKNOWN_LENGTH, {"etag": 'W/"v1"'}, RESTART),
    (VERSION, {}, RESTART),
    (UNPROVEN, {}, RESTART),
]


def but(good: Mapping[str, str], changed: Headers) -> dict[str, str]:
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


@pytest.mark.parametrize(("version", "changed", "good_for"), PARTIAL)
def test_a_partial_response_is_appended_only_if_it_proves_to_be_next(
    version: BodyVersion, changed: Headers, good_for: Continuation
) -> None:
    request = BodyRequest(40, None, version)
    assert continuation(request, 206, but(REST, changed)) is good_for


@pytest.mark.parametrize(("version", "changed", "good_for"), UNSATISFIED)
def test_a_416_response_ends_the_body_only_if_version_and_size_match(
    version: BodyVersion, changed: Headers, good_for: Continuation
) -> None:
    request = BodyRequest(40, None, version)
    assert continuation(request, 416, but(END, changed)) is good_for


@pytest.mark.parametrize("request_", [BodyRequest(), BodyRequest(40, None, VERSION)])
@pytest.mark.parametrize("headers", [{}, {"etag": '"v2"'}, {"content-range": "bytes 0-99/100"}])
def test_a_complete_response_starts_the_body_anew(
    headers: dict[str, str], request_: BodyRequest
) -> None:
    assert continuation(request_, 200, headers) is START


@pytest.mark.parametrize("headers", [REST, BEGINNING, END, {"content-range": "bytes 0-99/*"}])
def test_a_partial_response_in_the_guise_of_a_complete_one_is_of_no_use(
    headers: dict[str, str],
) -> None:
    assert continuation(BodyRequest(40, None, VERSION), 200, headers) is RESTART
    assert continuation(BodyRequest(), 200, headers) is START  # no range was requested


@pytest.mark.parametrize(
    ("changed", "good_for"),
    [
        ({}, START),
        ({"etag": None}, START),
        ({"content-range": "bytes 0-4/100"}, START),
        ({"content-range": "bytes 0-9/*"}, START),
        ({"content-range": "bytes 0-9/10"}, START),
        ({"content-range": "bytes 0-10/100"}, RESTART),
        ({"content-range": "bytes 0-99/100"}, RESTART),
        ({"content-range": "bytes 1-9/100"}, RESTART),
        ({"content-range": None}, RESTART),
        ({"content-length": "100"}, RESTART),
    ],
)
def test_the_beginning_of_a_body_starts_it(changed: Headers, good_for: Continuation) -> None:
    assert continuation(BodyRequest(0, 10), 206, but(BEGINNING, changed)) is good_for


def test_a_range_of_a_known_version_is_held_to_it_from_its_first_byte() -> None:
    request = BodyRequest(0, 10, VERSION)
    assert continuation(request, 206, BEGINNING) is CONTINUE
    assert continuation(request, 206, but(BEGINNING, {"etag": '"v2"'})) is RESTART


@pytest.mark.parametrize(
    ("request_", "headers"),
    [
        (BodyRequest(), {}),
        (BodyRequest(0, 10), {"Range": "bytes=0-9"}),
        (BodyRequest(40, None, VERSION), {"Range": "bytes=40-", "If-Range": '"v1"'}),
        (BodyRequest(40, 50, MODIFIED_ONLY), {"Range": "bytes=40-49", "If-Range": MODIFIED}),
    ],
)
def test_a_range_is_asked_for_with_the_validator(
    request_: BodyRequest, headers: dict[str, str]
) -> None:
    assert request_.headers == headers
