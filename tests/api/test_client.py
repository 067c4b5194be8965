"""The status object: documented fields are strict, others tolerated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.api.parsing import read_invocation
from nostra_cli.errors import Corrupt
from nostra_cli.models import Format, JsonObject, JsonValue, Outcome, malformed

FIELDS = ["primaryResult", "status", "jsonAvailable", "csvAvailable", "xlsxAvailable"]
BOOLS = [field for field in FIELDS if field != "status"]
NOT_STRINGS: list[JsonValue] = [None, True, 1, 1.5, [], {}, ["completed"]]
NOT_BOOLS: list[JsonValue] = [None, 0, 1, "true", "", [], {}]
NOT_OBJECTS: list[JsonValue] = [None, True, 1, "main", [], [{"id": "main"}]]

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def described(**changes: JsonValue) -> JsonObject:
    good: JsonObject = {
        "primaryResult": False,
        "status": "completed",
        "jsonAvailable": False,
        "csvAvailable": False,
        "xlsxAvailable": False,
    }
    return {**good, **changes}


def completed(**results: JsonValue) -> JsonObject:
    return {"status": "completed", "invocationResults": dict(results)}


def refused(raw: JsonObject) -> str:
    with pytest.raises(Corrupt) as caught:
        read_invocation("demo", raw)
    assert "report it" in caught.value.hint
    return caught.value.message


def test_a_completed_invocation_is_read_completely() -> None:
    raw = completed(
        main=described(primaryResult=True, csvAvailable=True, xlsxAvailable=True),
        extra=described(status="error"),
    )
    found = read_invocation("demo", raw)
    assert (found.id, found.status, found.outcome) == ("demo", "completed", Outcome.COMPLETED)
    main, extra = found.results
    assert (main.id, main.primary, main.status) == ("main", True, "completed")
    assert main.formats == {Format.CSV, Format.XLSX}
    assert (extra.id, extra.primary, extra.failed) == ("extra", False, True)
    assert extra.formats == frozenset()


@pytest.mark.parametrize("format_", list(Format))
def test_each_format_has_its_own_key(format_: Format) -> None:
    raw = completed(main=described(**{f"{format_}Available": True}))
    [result] = read_invocation("demo", raw).results
    assert result.formats == {format_}


def test_a_status_that_is_missing_is_refused_by_name() -> None:
    assert "'status' is missing" in refused({"Status": "completed"})


@pytest.mark.parametrize("value", NOT_STRINGS)
def test_a_status_that_is_not_a_string_is_refused_by_name(value: JsonValue) -> None:
    assert "'status' is not a string" in refused({"status": value})


def test_results_that_are_missing_after_completion_are_refused_by_name() -> None:
    assert "'invocationResults' is missing" in refused({"status": "Completed"})


@pytest.mark.parametrize("value", NOT_OBJECTS)
def test_results_that_are_not_an_object_after_completion_are_refused_by_name(
    value: JsonValue,
) -> None:
    raw: JsonObject = {"status": "completed", "invocationResults": value}
    assert "'invocationResults' is not an object" in refused(raw)


@pytest.mark.parametrize("value", NOT_OBJECTS)
def test_a_result_that_is_not_an_object_is_refused_by_name(value: JsonValue) -> None:
    message = refused(completed(main=value))
    assert "result 'main' of 'demo'" in message
    assert "not an object" in message


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_a_result_that_is_missing_is_refused_by_name(field: str) -> None:
    short = {key: value for key, value in described().items() if key != field}
    message = refused(completed(main=short))
    assert message == f"result 'main' of 'demo': the field {field!r} is missing"


@pytest.mark.parametrize("field", BOOLS)
@pytest.mark.parametrize("value", NOT_BOOLS)
def test_a_flag_of_a_result_that_is_not_a_bool_is_refused_by_name(
    field: str, value: JsonValue
) -> None:
    message = refused(completed(main=described(**{field: value})))
    assert message == f"result 'main' of 'demo': the field {field!r} is not true or false"


@pytest.mark.parametrize("value", NOT_STRINGS)
def test_a_status_of_a_result_that_is_not_a_string_is_refused(value: JsonValue) -> None:
    message = refused(completed(main=described(status=value)))
    assert message == "result 'main' of 'demo': the field 'status' is not a string"


ODD_NAMES = ["", ".", "..", "a\nb", "\x00", "\x1b[2J", "x" * 10_000]
MALFORMED: list[JsonValue] = [
    *NOT_OBJECTS,
    {},
    *({key: value for key, value in described().items() if key != field} for field in FIELDS),
    *(described(**{field: "yes"}) for field in BOOLS),
    described(status=None),
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_result_id_that_cannot_be_requested_is_refused(name: str) -> None:
    message = refused(completed(**{name: described()}))
    assert message.endswith("not a valid id")
    assert len(message) < 500


@pytest.mark.parametrize("name", ODD_NAMES)
def test_an_invalid_result_id_is_a_problem_of_that_result_only(name: str) -> None:
    good = described(primaryResult=True, csvAvailable=True)
    main, odd = read_invocation("demo", completed(**{name: described(), "main": good})).results
    assert (main.id, main.problem) == ("main", None)
    assert main.formats == {Format.CSV}
    assert (odd.id, odd.problem) == (name, "not a valid id")


@pytest.mark.parametrize("value", MALFORMED)
def test_one_malformed_result_is_a_problem_of_that_result(value: JsonValue) -> None:
    raw = completed(bad=value, main=described(primaryResult=True))
    main, bad = read_invocation("demo", raw).results
    assert (main.id, main.problem) == ("main", None)
    assert (bad.id, bad.formats) == ("bad", frozenset())
    assert bad.problem


def test_a_malformed_result_may_be_the_primary_one() -> None:
    bad = described(primaryResult=True, csvAvailable=1)
    first, _ = read_invocation("demo", completed(a=described(), bad=bad)).results
    assert (first.id, first.primary) == ("bad", True)
    error = malformed("demo", first)
    assert isinstance(error, Corrupt)
    assert "result 'bad' of 'demo': the field 'csvAvailable' is not true or false" in error.message


def test_every_result_malformed_is_refused() -> None:
    assert "result 'a'" in refused(completed(a=None, b={}))


@pytest.mark.parametrize("name", ["a/b", "a b", "größe", "../x", "?"])
def test_a_result_id_that_can_be_encoded_is_kept_as_it_is(name: str) -> None:
    [result] = read_invocation("demo", completed(**{name: described()})).results
    assert result.id == name


@pytest.mark.parametrize("status", ["running", "", "error", "FAILED", "cancelled"])
@pytest.mark.parametrize("value", [None, {}, [], "soon", {"main": {}}, {"": 1}])
def test_unless_completed_the_results_may_be_anything(status: str, value: JsonValue) -> None:
    raw: JsonObject = {"status": status, "invocationResults": value}
    found = read_invocation("demo", raw)
    assert (found.status, found.results, found.raw) == (status, (), raw)
    assert read_invocation("demo", {"status": status}).results == ()


def test_a_completed_invocation_may_have_no_results() -> None:
    assert read_invocation("demo", completed()).results == ()


@given(st.dictionaries(st.text(), json_values, max_size=4), st.dictionaries(st.text(), json_values))
def test_unknown_keys_are_kept(more: JsonObject, below: JsonObject) -> None:
    raw = {**more, **completed(main={**below, **described(primaryResult=True)})}
    found = read_invocation("demo", raw)
    assert found.raw == raw
    assert (
        found.results
        == read_invocation("demo", completed(main=described(primaryResult=True))).results
    )


ids = st.lists(st.from_regex(r"[a-zA-Z0-9/_-]{1,6}", fullmatch=True), unique=True, max_size=8)


@given(ids, st.data())
def test_the_primary_result_is_first_then_the_others_by_id(
    names: list[str], data: st.DataObject
) -> None:
    primary = data.draw(st.sampled_from(names)) if names else ""
    raw = completed(**{name: described(primaryResult=name == primary) for name in names})
    found = [result.id for result in read_invocation("demo", raw).results]
    assert found == ([primary] if names else []) + sorted(set(names) - {primary})


@given(st.dictionaries(st.sampled_from(["status", "invocationResults", "x"]), json_values))
def test_no_object_ends_in_another_error(raw: JsonObject) -> None:
    try:
        found = read_invocation("demo", raw)
    except Corrupt:
        return
    assert found.status == raw["status"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_result_ends_in_another_error(value: JsonObject) -> None:
    try:
        [found] = read_invocation("demo", completed(main=value)).results
    except Corrupt:
        return
    assert found.status == value["status"]
