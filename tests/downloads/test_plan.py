"""The plan: which results in which formats to which paths, and what stands in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.downloads.plan import (
    Destination,
    Item,
    OnExisting,
    Selection,
    check_distinct,
    check_folder,
    check_target,
    choose,
)
from nostra_cli.downloads.sinks.file import part_path
from nostra_cli.errors import (
    Corrupt,
    Failed,
    FileProblem,
    NostraError,
    NotFound,
    NotReady,
    UsageProblem,
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


def test_the_first_format_there_is_of_the_primary_result_is_chosen() -> None:
    assert chosen(Selection(), EXTRA, MAIN) == [("main", JSON)]
    some = Result("main", True, "completed", frozenset({XLSX, CSV}))
    assert chosen(Selection(), EXTRA, some) == [("main", CSV)]


def test_formats_come_as_asked_for_and_all_in_the_order_of_preference() -> None:
    assert chosen(Selection(formats=(XLSX, JSON)), MAIN) == [("main", XLSX), ("main", JSON)]
    assert chosen(Selection(every_format=True), MAIN) == [(MAIN.id, format_) for format_ in Format]


def test_results_come_as_asked_for_and_all_as_the_service_has_them() -> None:
    asked = Selection(results=("extra", "main"))
    assert chosen(asked, MAIN, EXTRA) == [("extra", CSV), ("main", JSON)]
    assert chosen(Selection(every_result=True), MAIN, EXTRA) == [("main", JSON), ("extra", CSV)]


def test_what_cannot_be_had_is_told_in_its_place_and_the_rest_is_chosen() -> None:
    every = Selection(every_result=True, formats=(JSON, CSV))
    assert chosen(every, MAIN, BARE, BROKEN, EXTRA) == [
        ("main", JSON),
        ("main", CSV),
        NotFound,
        Failed,
        NotFound,
        ("extra", CSV),
    ]
    asked = Selection(results=("nope", "main"))
    assert chosen(asked, MAIN, EXTRA) == [NotFound, ("main", JSON)]


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
def test_a_refusal_names_the_result_and_what_there_is(
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
def test_nothing_is_chosen_of_what_is_not_completed(
    status: str, problem: type[NostraError]
) -> None:
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


def test_the_path_of_the_primary_result_is_known_before_its_id() -> None:
    for to in (Destination(FOLDER), Destination(file=Path("x.json"))):
        [item] = choose(completed(MAIN), Selection(), to)
        assert isinstance(item, Item)
        assert item.path == to.primary_path("demo", item.format)


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


def test_two_results_in_one_file_are_refused() -> None:
    items = choose(completed(MAIN, EXTRA), Selection(every_result=True), Destination(template="x"))
    with pytest.raises(UsageProblem, match="two results would be written to x") as caught:
        check_distinct(items)
    assert "--name" in caught.value.hint


def test_results_in_different_files_errors_and_stdout_are_distinct() -> None:
    error = NotFound("no")
    check_distinct([item_of(Path("a")), error, item_of(None), item_of(Path("b")), error])
    check_distinct([item_of(None), item_of(None)])
    with pytest.raises(UsageProblem):
        check_distinct([item_of(Path("a")), error, item_of(Path("b")), item_of(Path("a"))])


def test_a_folder_that_is_there_is_good(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    check_folder(tmp_path)
    check_folder(link)
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize(
    ("name", "message"), [("gone", "does not exist"), ("a file", "is not a directory"),
                          ("dangling", "is not a directory")],
)  # fmt: skip
def test_a_folder_that_is_none_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileProblem, match=message) as caught:
        check_folder(tmp_path / name)
    assert "-d" in caught.value.hint


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "access", lambda _path, mode: asked.append(mode))
    with pytest.raises(FileProblem, match="no permission to write"):
        check_folder(tmp_path)
    assert asked == [os.W_OK | os.X_OK]


@pytest.mark.parametrize("existing", OnExisting)
def test_where_nothing_is_a_file_may_be_made(target: Path, existing: OnExisting) -> None:
    assert check_target(target, existing) is False
    assert not target.exists()


def test_a_file_is_refused_replaced_or_left_as_it_was_told(target: Path) -> None:
    target.write_bytes(b"precious")
    with pytest.raises(FileProblem, match="exists and stays as it is") as caught:
        check_target(target, OnExisting.REFUSE)
    assert "--overwrite" in caught.value.hint
    assert check_target(target, OnExisting.OVERWRITE) is False
    assert check_target(target, OnExisting.SKIP) is True
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("existing", OnExisting)
@pytest.mark.parametrize("kind", ["a directory", "a symbolic link", "not a regular file"])
def test_what_is_no_file_stays_whatever_was_told(
    target: Path, existing: OnExisting, kind: str
) -> None:
    if kind == "a directory":
        target.mkdir()
    elif kind == "a symbolic link":
        target.symlink_to("nowhere")
    else:
        os.mkfifo(target)
    before = stat.S_IFMT(target.lstat().st_mode)
    with pytest.raises(FileProblem, match=f"is {kind} and stays as it is"):
        check_target(target, existing)
    assert stat.S_IFMT(target.lstat().st_mode) == before


@pytest.mark.parametrize("name", [".", "./.", "..", "/"])
def test_a_directory_may_have_no_name(name: str) -> None:
    with pytest.raises(FileProblem, match="is a directory and stays as it is"):
        check_target(Path(name), OnExisting.OVERWRITE)


def test_what_cannot_be_looked_at_is_a_problem_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileProblem, match="Not a directory"):
        check_target(tmp_path / "file" / "demo.csv", OnExisting.REFUSE)


def test_a_look_at_the_target_clears_what_a_killed_publication_left(target: Path) -> None:
    target.write_bytes(b"whole")
    part_path(target).hardlink_to(target)
    assert check_target(target, OnExisting.SKIP) is True
    assert list(target.parent.iterdir()) == [target]
