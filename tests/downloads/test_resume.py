"""The version of a body: only what proves is kept, and only the same body is gone on with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.resume import BodyVersion, from_json, is_continuation, version_of

URL = "https://service.example/api/invocation/demo/csv"
MODIFIED = "Mon, 01 Jan 2024 10:00:00 GMT"
VERSION = BodyVersion(URL, '"v1"', MODIFIED, 100)
GOOD = {"content-range": "bytes 40-99/100", "etag": '"v1"', "last-modified": MODIFIED}

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
def test_the_length_is_known_only_where_it_is_a_plain_number(
    headers: dict[str, str], length: int | None
) -> None:
    found = version_of(URL, headers)
    assert found.length == length
    assert found.url == URL


@given(versions)
def test_what_was_written_down_is_read_back(version: BodyVersion) -> None:
    assert from_json(version.to_json()) == version


@given(st.text() | json_values.map(json.dumps))
def test_garbage_is_no_identity_and_no_crash(text: str) -> None:
    assert from_json(text) is None


@given(
    st.fixed_dictionaries(
        {"url": json_values, "etag": json_values, "modified": json_values, "length": json_values}
    )
)
def test_a_note_with_fields_of_wrong_types_is_no_identity(raw: dict[str, object]) -> None:
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
        VERSION.to_json().replace("GMT", "GMT\\r\\nAuthorization: x"),
    ],
)
def test_a_note_that_is_cut_or_planted_is_no_identity(text: str) -> None:
    assert from_json(text) is None


def test_an_answer_goes_on_where_offset_end_length_and_validator_are_the_same() -> None:
    assert is_continuation(VERSION, 40, GOOD)


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 39-99/100",
        "bytes 41-99/100",
        "bytes 0-99/100",
        "bytes 40-98/100",
        "bytes 40-100/100",
        "bytes 40-99/101",
        "bytes 40-100/101",
        "bytes 40-98/*",
        "bytes */100",
        "bytes 40-/100",
        "bytes=40-99/100",
        "rows 40-99/100",
        "bytes 40-99/100, bytes 0-1/100",
        " bytes 40-99/100",
        "bytes 40-99/100\n",
        "bytes \u0664\u0660-99/100",
        "",
    ],
)
def test_an_answer_with_another_range_does_not_go_on(content_range: str) -> None:
    assert not is_continuation(VERSION, 40, {**GOOD, "content-range": content_range})


def test_an_answer_without_a_range_does_not_go_on() -> None:
    assert not is_continuation(VERSION, 40, {"etag": '"v1"', "last-modified": MODIFIED})


def test_an_answer_may_keep_the_whole_length_to_itself() -> None:
    assert is_continuation(VERSION, 40, {**GOOD, "content-range": "bytes 40-99/*"})


@pytest.mark.parametrize("etag", ['"v2"', 'W/"v1"', "v1", '"V1"', "", None])
def test_an_answer_with_another_etag_does_not_go_on(etag: str | None) -> None:
    headers = {key: value for key, value in GOOD.items() if key != "etag"}
    assert not is_continuation(VERSION, 40, headers if etag is None else {**headers, "etag": etag})


def test_nothing_goes_on_with_what_has_no_validator() -> None:
    version = BodyVersion(URL, None, None, 100)
    assert not is_continuation(version, 40, GOOD)
    assert not is_continuation(version, 40, {"content-range": GOOD["content-range"]})


@pytest.mark.parametrize("content_range", ["bytes 40-9/5", "bytes 40-99/50", "bytes 40-39/40"])
def test_a_range_that_contradicts_itself_does_not_go_on(content_range: str) -> None:
    version = BodyVersion(URL, '"v1"', None, None)
    assert not is_continuation(version, 40, {**GOOD, "content-range": content_range})


def test_the_etag_alone_decides_where_there_is_one() -> None:
    assert is_continuation(VERSION, 40, {**GOOD, "last-modified": later(60)})


@pytest.mark.parametrize(("modified", "same"), [(MODIFIED, True), (later(1), False)])
def test_without_an_etag_the_date_decides(modified: str, same: bool) -> None:
    version = BodyVersion(URL, None, MODIFIED, 100)
    assert is_continuation(version, 40, {**GOOD, "last-modified": modified}) is same
    assert not is_continuation(
        version, 40, {"content-range": GOOD["content-range"], "etag": '"v1"'}
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_without_a_known_length_any_end_goes_on_from_the_right_offset(
    offset: int, other: int, count: int
) -> None:
    version = BodyVersion(URL, '"v1"', None, None)
    for whole in ("*", offset + count):
        headers = {"etag": '"v1"', "content-range": f"bytes {offset}-{offset + count - 1}/{whole}"}
        assert is_continuation(version, offset, headers)
        assert is_continuation(version, other, headers) == (other == offset)
