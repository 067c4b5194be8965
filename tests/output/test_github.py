"""Output for GitHub Actions, read back as its runner reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostra_cli.errors import (
    AuthProblem,
    Corrupt,
    DeadlinePassed,
    ExitCode,
    NostraError,
    NotFound,
    NotReady,
    Signalled,
)
from nostra_cli.models import Invocation, JsonValue
from nostra_cli.output import github as ci
from nostra_cli.output.sanitize import sanitize
from nostra_cli.output.streams import OutputOptions
from nostra_cli.output.views import STATUSES, View
from tests.github import is_command, outputs
from tests.output.screens import Screen

# As DOWNLOADS, of an id, a path and a size.
FILES: View[tuple[str, str, int]] = View(
    ("path",),
    lambda one: (one[1],),
    lambda one: {"invocation": one[0], "path": one[1], "bytes": one[2]},
    bare=True,
)
nasty = st.text(st.sampled_from(":#[] |\\`<>&*_\u00ad\u3000éa%\n\r") | st.characters(), max_size=12)


def invocation(id_: str, status: str = "completed") -> Invocation:
    return Invocation(id_, status, (), {"status": status})


def about(id_: str, error: NostraError) -> NostraError:
    error.invocation = id_
    return error


def screen_of(env: Mapping[str, str], options: OutputOptions | None = None) -> Screen:
    return Screen(options, False, **env)


def report(ids: Sequence[str]) -> ci.Report:
    return ci.Report("nostra wait", ids, sanitize)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    named = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    files = {name: str(tmp_path / file) for name, file in named.items()}
    return {"GITHUB_ACTIONS": "true", **files}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("\u3000\u00ad:\u00ad:error::x", "\u3000\u00ad\\x3a\u00ad:error::x"),
        ("x ##[add-mask]y", r"x \x23#[add-mask]y"),
        ("###[group]", r"#\x23#[group]"),
        ("#\u00ad#[group]", "\\x23\u00ad#[group]"),
        ("a::b", "a::b"),
        (": :", ": :"),
        ("## [x]", "## [x]"),
    ],
)
def test_a_line_is_not_a_command(line: str, shown: str) -> None:
    assert ci.escape_workflow_commands(line) == shown
    assert not is_command(shown)


@given(nasty)
def test_no_line_is_a_command(text: str) -> None:
    assert not is_command(ci.escape_workflow_commands(sanitize(text)))


@given(nasty)
def test_no_json_is_a_command_and_its_value_is_unchanged(text: str) -> None:
    shown = ci.escape_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert not is_command(shown)


def test_commands_are_escaped_as_the_runner_reads_them() -> None:
    assert ci.command("endgroup") == "::endgroup::"
    assert ci.command("error", "50 %\r\n::x") == "::error::50 %25%0D%0A::x"
    assert "##[" not in ci.command("error", "##[add-mask]x")


def test_a_group_title_names_three_ids_at_most() -> None:
    assert ci.group_title("nostra wait", ["a", "b", "c"]) == "nostra wait a b c"
    assert ci.group_title("nostra wait", [*"abcde"]) == "nostra wait a b c and 2 more"


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["completed"], "completed"),
        (["completed", "queued"], "in_progress"),
        (["queued", "Error", "completed"], "failed"),
        (["completed", None], "in_progress"),
    ],
)
def test_the_status_is_the_worst(statuses: list[str | None], worst: str) -> None:
    made = report([str(n) for n in range(len(statuses))])
    for number, status in enumerate(statuses):
        if status is not None:
            made.add(STATUSES, invocation(str(number), status))
    assert outputs(made.outputs()) == {"status": worst, "paths": ""}


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [
        (about("b", NotFound("none")), "failed", "not_found"),
        (about("b", NotReady("later")), "in_progress", "not_ready"),
        (DeadlinePassed("late"), "in_progress", "in_progress"),
        (AuthProblem("refused"), "failed", "unknown"),
        (ZeroDivisionError(), "failed", "unknown"),
    ],
)
def test_an_error_counts(error: Exception, status: str, shown: str) -> None:
    made = report(["a", "b"])
    made.add(STATUSES, invocation("a"))
    made.add_error(error)
    assert outputs(made.outputs())["status"] == status
    rows = made.summary().splitlines()
    assert [row for row in rows if row.startswith("|")] == [
        "| id | status | files |",
        "|---|---|---|",
        "| a | completed |  |",
        f"| b | {shown} |  |",
    ]


def test_files_are_listed_with_sizes_next_to_an_error() -> None:
    made = report(["a", "b"])
    made.add(FILES, ("a", "d/a.csv", 2048))
    made.add(FILES, ("b", "d/b.csv", 10))
    made.add(FILES, ("a", "d/a.json", 3))
    made.add_error(about("b", Corrupt("broken")))
    found = outputs(made.outputs())
    assert found == {"status": "failed", "paths": "d/a.csv\nd/a.json\nd/b.csv"}
    assert "| a | completed | d/a.csv (2.0 KiB)<br>d/a.json (3 B) |\n" in made.summary()
    assert "| b | corrupt | d/b.csv (10 B) |\n" in made.summary()


@given(nasty, nasty, nasty)
def test_no_text_breaks_the_table_or_the_outputs(id_: str, status: str, path: str) -> None:
    made = report([id_])
    made.add(STATUSES, invocation(id_, status))
    made.add(FILES, (id_, path, 3))
    table = [line for line in made.summary().split("\n") if line.startswith("|")]
    assert len(table) == 3
    assert len(table[2].split("|")) == 5
    assert set(re.findall(r"<[^>]*>?", table[2])) == set()
    assert not re.search(r"[`*\[\]\\@]|&(?!#\d+;)", table[2])
    assert set(outputs(made.outputs())) == {"status", "paths"}
    assert outputs(made.outputs())["paths"] == path


def test_the_files_are_appended_to(env: dict[str, str]) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        Path(env[name]).write_text("before=1\n")
    assert report(["a"]).write(env) == ""
    assert outputs(Path(env["GITHUB_OUTPUT"]).read_text())["before"] == "1"
    assert (
        Path(env["GITHUB_STEP_SUMMARY"]).read_text().startswith("before=1\n\n### nostra wait\n\n|")
    )


def test_a_file_that_cannot_be_written_is_named_and_the_other_is_written(
    env: dict[str, str], tmp_path: Path
) -> None:
    problem = report(["a"]).write({**env, "GITHUB_OUTPUT": str(tmp_path)})
    assert problem == "cannot write to GITHUB_OUTPUT: Is a directory"
    assert Path(env["GITHUB_STEP_SUMMARY"]).exists()
    assert (
        report(["a"]).write({"GITHUB_OUTPUT": "a\0b"}).startswith("cannot write to GITHUB_OUTPUT")
    )
    both = "GITHUB_OUTPUT is not set; GITHUB_STEP_SUMMARY is not set"
    assert report(["a"]).write({"GITHUB_OUTPUT": ""}) == both


ENDS: list[BaseException] = [
    Signalled(ExitCode.INTERRUPT),
    Corrupt("broken"),
    BrokenPipeError(),
    ZeroDivisionError(),
]


@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_a_group_ends_and_outputs_are_written_however_it_ends(
    end: BaseException, env: dict[str, str]
) -> None:
    screen = screen_of(env)

    def work() -> None:
        with screen.output.job("wait", ["a"]):
            screen.output.info("::going on")
            raise end

    with pytest.raises(type(end)):
        work()
    assert screen.err == "::group::nostra wait a\n\\x3a:going on\n::endgroup::\n"
    expected = "in_progress" if isinstance(end, Signalled) else "failed"
    assert outputs(Path(env["GITHUB_OUTPUT"]).read_text())["status"] == expected


@pytest.mark.parametrize("options", [OutputOptions(json=True), OutputOptions(quiet=True)])
def test_with_json_or_quiet_there_is_no_group(options: OutputOptions, env: dict[str, str]) -> None:
    screen = screen_of(env, options)
    with screen.output.job("status", ["a"]):
        found: list[Invocation | NostraError] = [invocation("a", "x##[add-mask]y")]
        screen.output.show(STATUSES, [*found, NotFound("a\nb")])
    assert not screen.err.startswith("::group")
    assert not is_command(screen.out)
    if options.json:
        assert json.loads(screen.out)[0]["status"] == "x##[add-mask]y"
        assert json.loads(screen.err)["error"]["kind"] == "not_found"
    else:
        assert screen.err == "::error title=nostra status::a\\nb\n"
    assert outputs(Path(env["GITHUB_OUTPUT"]).read_text())["status"] == "failed"


def test_a_row_of_the_data_is_not_a_command(env: dict[str, str]) -> None:
    screen = screen_of(env)
    with screen.output.job("status", ["::error::a"]):
        screen.output.show(STATUSES, [invocation("::error::a", "##[x]")])
    assert screen.out == "\\x3a:error::a\t\\x23#[x]\n"


def test_a_cell_of_a_table_is_not_a_command(env: dict[str, str]) -> None:
    screen = Screen(None, True, **env)
    with screen.output.job("status", ["::error::a"]):
        screen.output.show(STATUSES, [invocation("::error::a", "##[x]")])
    assert not any(is_command(line) for line in screen.out.splitlines())


def test_errors_and_warnings_are_annotations_with_title_and_hint(env: dict[str, str]) -> None:
    screen = screen_of(env)
    with screen.output.job("status", ["a"]):
        screen.output.warn("50 % full\nreally")
        screen.output.error(about("a,b:c", NotFound("none", "::look")))
    assert screen.err.splitlines()[1:3] == [
        "::warning title=nostra status::50 %25 full\\nreally",
        "::error title=nostra status%3A a%2Cb%3Ac::none%0Ahint: ::look",
    ]


@given(nasty, nasty, nasty)
def test_no_text_ends_an_annotation(text: str, hint: str, title: str) -> None:
    shown = ci.command("error", f"{sanitize(text)}\nhint: {sanitize(hint)}", sanitize(title) or "x")
    assert "##[" not in shown
    assert "\n" not in shown
    parameters = shown.removeprefix("::error ").partition("::")[0]
    assert parameters.count("=") == 1 + title.count("=")
    assert "," not in parameters


def test_the_summary_has_the_failures_and_links_files_to_the_artifacts() -> None:
    found = report(["a", "b"])
    found.add(FILES, ("a", "d/a.csv", 2048))
    found.add_error(about("b", NotFound("no *invocation* 'b'")))
    found.add_error(DeadlinePassed("too late"))
    env = {
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_RUN_ID": "5",
    }
    url = ci.artifacts_url(env)
    assert url == "https://github.example/o/r/actions/runs/5#artifacts"
    summary = found.summary(url)
    assert f"| a | completed | [d/a.csv]({url}) (2.0 KiB) |" in summary
    assert summary.endswith("\nFailures:\n\n- no &#42;invocation&#42; &#39;b&#39;\n- too late\n\n")


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"GITHUB_SERVER_URL": "https://x", "GITHUB_REPOSITORY": "o/r"},
    ],
)
def test_without_a_known_run_nothing_is_linked(env: dict[str, str]) -> None:
    assert ci.artifacts_url(env) == ""


@pytest.mark.parametrize("value", ["", "false", "1"])
def test_elsewhere_nothing_is_reported(value: str, env: dict[str, str]) -> None:
    screen = screen_of({**env, "GITHUB_ACTIONS": value})
    with screen.output.job("status", ["a"]):
        screen.output.warn("::careful")
        screen.output.show(STATUSES, [invocation("::a")])
    assert (screen.err, screen.out) == ("warning: ::careful\n", "::a\tcompleted\n")
    assert not Path(env["GITHUB_OUTPUT"]).exists()


def test_the_summary_has_no_hidden_text(env: dict[str, str]) -> None:
    screen = screen_of(env)
    screen.output.mask(lambda text: text.replace("t0ken", "***"))
    raw: dict[str, JsonValue] = {}
    with screen.output.job("status", ["a"]):
        screen.output.show(
            STATUSES, [Invocation("a", "is t0ken", (), raw | {"status": "is t0ken"})]
        )
    assert "is &#42;&#42;&#42;" in Path(env["GITHUB_STEP_SUMMARY"]).read_text()
