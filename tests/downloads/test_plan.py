"""The plan: which results in which formats to which paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.plan import (
    Destination,
    Item,
    Selection,
    choose,
)
from nostra_cli.errors import (
    Corrupt,
    Failed,
    NostraError,
    NotFound,
    NotReady,
)
from nostra_cli.models import Format, Invocation, Result

JSON, CSV, XLSX = Format.JSON, Format.CSV, Format.XLSX
ALL = frozenset(Format)
MAIN = Result("main", True, "completed", ALL)
EXTRA = Result("extra", False, "completed", frozenset({CSV}))
BROKEN = Result("broken", False, "error", ALL)
BARE = Result("bare", False, "completed", frozenset())
FOLDER = Path("out")


def completed(*results: Result) -> Invocation:
    return Invocation("demo", "completed", results, {})


def chosen(selection: Selection, *results: Result) -> list[tuple[str, Format] | type[NostraError]]:
    return [
        type(item) if isinstance(item, NostraError) else (item.result.id, item.format)
        for item in choose(completed(*results), selection, Destination(FOLDER))
    ]


def item_of(path: Path | None, format_: Format = JSON) -> Item:
    return Item("demo", MAIN, format_, path, by_id=False)


def test_the_default_is_the_first_format_of_the_primary_result() -> None:
    assert chosen(Selection(), EXTRA, MAIN) == [("main", JSON)]
    some = Result("main", True, "completed", frozenset({XLSX, CSV}))
    assert chosen(Selection(), EXTRA, some) == [("main", CSV)]


def test_formats_keep_the_requested_order_and_all_of_them_that_of_preference() -> None:
    assert chosen(Selection(formats=(XLSX, JSON)), MAIN) == [("main", XLSX), ("main", JSON)]
    assert chosen(Selection(every_format=True), MAIN) == [(MAIN.id, format_) for format_ in Format]


def test_results_keep_the_requested_order_and_all_of_them_that_of_the_service() -> None:
    selection = Selection(results=("extra", "main"))
    assert chosen(selection, MAIN, EXTRA) == [("extra", CSV), ("main", JSON)]
    assert chosen(Selection(every_result=True), MAIN, EXTRA) == [("main", JSON), ("extra", CSV)]


def test_an_unavailable_result_is_an_error_in_its_place_and_the_rest_is_chosen() -> None:
    every = Selection(every_result=True, formats=(JSON, CSV))
    assert chosen(every, MAIN, BARE, BROKEN, EXTRA) == [
        ("main", JSON),
        ("main", CSV),
        NotFound,
        Failed,
        NotFound,
        ("extra", CSV),
    ]
    selection = Selection(results=("nope", "main"))
    assert chosen(selection, MAIN, EXTRA) == [NotFound, ("main", JSON)]


@pytest.mark.parametrize(
    ("selection", "results", "message", "hint"),
    [
        (Selection(results=("nope",)), [MAIN, EXTRA], "has no result 'nope'", "main, extra"),
        (Selection(formats=(JSON,)), [Result("x", True, "completed", frozenset({XLSX, CSV}))],
         "result 'x' of 'demo' is not available as json", "csv, xlsx"),
        (Selection(results=("bare",)), [BARE], "available in no format", ""),
        (Selection(results=("broken",)), [BROKEN], "ended in error (status 'error')", "cannot"),
    ],
)  # fmt: skip
def test_the_error_names_the_missing_result_and_the_available_ones(
    selection: Selection, results: list[Result], message: str, hint: str
) -> None:
    [error] = choose(completed(*results), selection, Destination())
    assert isinstance(error, NostraError)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("status", "problem"),
    [("in_progress", NotReady), ("new word", NotReady), ("error", Failed), ("Cancelled", Failed)],
)
def test_only_a_completed_invocation_has_items(status: str, problem: type[NostraError]) -> None:
    with pytest.raises(problem, match="demo"):
        choose(Invocation("demo", status, (MAIN,), {}), Selection(), Destination())


def test_a_completed_invocation_without_results_is_not_found() -> None:
    for selection in (Selection(), Selection(every_result=True), Selection(results=("main",))):
        with pytest.raises(NotFound, match="completed but has no results"):
            choose(completed(), selection, Destination())


@pytest.mark.parametrize("results", [[EXTRA], [MAIN, Result("two", True, "completed", ALL)]])
def test_without_exactly_one_primary_result_one_has_to_be_named(results: list[Result]) -> None:
    with pytest.raises(Corrupt, match="primary results, not one") as caught:
        choose(completed(*results), Selection(), Destination())
    assert all(result.id in caught.value.hint for result in results)
    assert chosen(Selection(results=(results[0].id,)), *results) == [
        (results[0].id, CSV if results[0] is EXTRA else JSON)
    ]


@pytest.mark.parametrize(
    ("to", "paths"),
    [
        (Destination(), [Path("demo.json"), Path("demo-extra.csv")]),
        (Destination(FOLDER), [FOLDER / "demo.json", FOLDER / "demo-extra.csv"]),
        (Destination(FOLDER, template="{result}.{format}"),
         [FOLDER / "main.json", FOLDER / "extra.csv"]),
        (Destination(FOLDER, file=Path("x/y.bin")), [Path("x/y.bin"), Path("x/y.bin")]),
        (Destination(stdout=True), [None, None]),
    ],
)  # fmt: skip
def test_the_destination_names_the_files(to: Destination, paths: list[Path | None]) -> None:
    items = choose(completed(MAIN, EXTRA), Selection(every_result=True), to)
    assert [item.path for item in items if isinstance(item, Item)] == paths


@pytest.mark.parametrize("primary", [True, False])
@pytest.mark.parametrize("template", [None, "{invocation}", "{result}.{format}"])
@pytest.mark.parametrize("file", [None, Path("x.json")])
def test_a_path_without_the_result_id_is_known_before_the_request(
    file: Path | None, template: str | None, primary: bool
) -> None:
    to = Destination(FOLDER, file=file, template=template)
    known = to.known_path("demo", JSON, primary)
    if file is None and (template or "{result}" * (not primary)).count("{result}"):
        assert known is None
    else:
        assert known == to.path_of("demo", MAIN if primary else EXTRA, JSON)


def test_only_the_primary_result_is_asked_for_without_its_id() -> None:
    for selection, source in (
        (Selection(), None),
        (Selection(results=("main",)), "main"),
        (Selection(every_result=True), "main"),
    ):
        [item] = choose(completed(MAIN), selection, Destination())
        assert isinstance(item, Item)
        assert item.source == source


def test_an_item_is_called_by_its_file_or_its_invocation() -> None:
    assert item_of(FOLDER / "demo.json").label == "demo.json"
    assert item_of(None, CSV).label == "demo (csv)"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_id_leads_out_of_the_folder(identifier: str) -> None:
    result = Result(identifier, False, "completed", ALL)
    path = Destination(FOLDER).path_of(identifier, result, CSV)
    assert Path(os.path.normpath(str(path))).parent == FOLDER
    primary = Destination(FOLDER, template="{result}").path_of("demo", result, CSV)
    assert Path(os.path.normpath(str(primary))).parent == FOLDER
