"""`--ci` of `status`, `wait` and `download`, in a step of GitHub Actions and elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import serving
from tests.conftest import runner_for
from tests.github import is_command, outputs
from tests.running import NOSTRA, Runner
from tests.sandbox.calling import faulty

OURS = ("::group::", "::endgroup::", "::error title=", "::warning title=")


@pytest.fixture
def step(nostra: Runner, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return `nostra` in a step of GitHub Actions."""
    return as_step(nostra, tmp_path_factory.mktemp("github"))


def as_step(nostra: Runner, folder: Path) -> Runner:
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    env = {name: str(folder / file) for name, file in files.items()}
    return replace(nostra, env={**nostra.env, "GITHUB_ACTIONS": "true", **env})


def told(step: Runner) -> dict[str, str]:
    """Read the outputs of the step."""
    return outputs(Path(step.env["GITHUB_OUTPUT"]).read_text())


def summary(step: Runner) -> str:
    return Path(step.env["GITHUB_STEP_SUMMARY"]).read_text()


def test_a_download_reports_paths_and_a_table(step: Runner) -> None:
    ended = step("download", "demo-dedup", "demo-demand", "-f", "csv", "--ci", "-d", ".")
    assert (ended.code, ended.out) == (0, "demo-dedup.csv\ndemo-demand.csv\n")
    first, total, last = ended.err.splitlines()
    assert (first, last) == ("::group::nostra download demo-dedup demo-demand", "::endgroup::")
    assert total.startswith("2 files, ")
    assert told(step) == {"status": "completed", "paths": ended.out.rstrip("\n")}
    assert "| demo-dedup | completed | demo-dedup.csv (3.1 KiB) |\n" in summary(step)


@pytest.mark.parametrize(
    ("args", "code", "status", "shown"),
    [
        (["download", "demo-dedup", "nope"], 4, "failed", "| nope | not_found |  |"),
        (["download", "demo-dedup", "demo-stuck"], 9, "in_progress", "| demo-stuck | not_ready |"),
        (["download", "demo-dedup", "-o", "-"], 2, "failed", "| demo-dedup | unknown |"),
        (["download", "demo-dedup", "-d", "/dev/null/x"], 8, "failed", "demo-dedup | unknown |"),
        (["status", "demo-dedup", "demo-stuck"], 0, "in_progress", "| demo-stuck | running |"),
        (["wait", "demo-dedup", "demo-failed"], 5, "failed", "| demo-failed | failed |"),
        (
            ["wait", "demo-failed", "demo-stuck", "--fail-fast"],
            *(5, "failed", "| demo-stuck | in_progress |"),
        ),
        (["download", "demo-dedup", "-r", "none"], 4, "failed", "| demo-dedup | not_found |  |"),
        (["wait", "demo-stuck", "--timeout", "0.2s"], 124, "in_progress", "| in_progress |"),
    ],
)
def test_the_outputs_of_the_step_show_how_it_ended(
    step: Runner, args: list[str], code: int, status: str, shown: str
) -> None:
    ended = step(*args, "--ci")
    assert (ended.code, told(step)["status"]) == (code, status)
    assert shown in summary(step)
    lines = ended.err.splitlines()
    assert (lines[0][:16], lines.count("::endgroup::")) == ("::group::nostra ", 1)
    assert len([line for line in lines if line.startswith("::error title=")]) == (code != 0)
    assert "error: " not in ended.err


def test_a_failed_file_is_reported_along_with_the_complete_ones(step: Runner) -> None:
    (step.cwd / "demo-dedup.csv").touch()
    args = ["demo-dedup", "demo-demand", "-f", "json", "-f", "csv"]
    assert step("download", *args, "--ci").code == 8
    paths = "demo-dedup.json\ndemo-demand.json\ndemo-demand.csv"
    assert told(step) == {"status": "failed", "paths": paths}
    assert "\n| demo-dedup | file | demo-dedup.json (" in summary(step)
    assert "\n| demo-demand | completed | demo-demand.json (" in summary(step)


def test_a_wrong_option_and_a_missing_token_are_annotated(step: Runner) -> None:
    assert step("status", "x", "--ci", "--bogus").err.startswith(
        "::error title=nostra::no such option"
    )
    ended = step("status", "x", "--ci", env={"NOSTRA_TOKEN": ""})
    assert (ended.code, told(step)["status"]) == (3, "failed")
    assert "\n::error title=nostra status::no token" in ended.err


def test_text_of_the_service_is_not_a_workflow_command(home: Path, tmp_path: Path) -> None:
    status = r"::error::a\\n::add-mask::b ##[add-mask]c | <img>"
    detail = r"##[group]x %0A::add-path::/evil"
    rules = (
        f"[[fault]]\npath = '*/a'\nbody = '{{\"status\": \"{status}\"}}'\n"
        f"[[fault]]\npath = '*/b'\nstatus = 400\ndetail = '{detail}'\n"
    )
    (tmp_path / "github").mkdir()
    with faulty(rules) as sandbox:
        step = as_step(runner_for(sandbox, home, tmp_path), tmp_path / "github")
        for more in ([], ["--json"]):
            ended = step("status", "a", "b", "--ci", *more)
            assert ended.code == 6
            assert ("%250A" in ended.err) is not bool(more)
            for line in [*ended.out.splitlines(), *ended.err.splitlines()]:
                assert line.startswith(OURS) or not is_command(line), line
                assert "##[" not in line
    assert len(told(step)) == 2
    assert all(line.count("|") in (0, 4) for line in summary(step).splitlines())


def test_a_name_from_a_result_id_is_not_a_workflow_command(home: Path, tmp_path: Path) -> None:
    with faulty('[invocation."##[error]"]\nresults = 1\nbytes = 300\n') as sandbox:
        ended = runner_for(sandbox, home, tmp_path)("download", "##[error]", "-f", "csv", "--ci")
    assert ended.out == "##%5Berror].csv\n"


def test_outputs_that_cannot_be_written_are_one_warning(step: Runner) -> None:
    for env in ({"GITHUB_OUTPUT": ""}, {"GITHUB_OUTPUT": "/dev/null/x"}):
        ended = step("status", "demo-dedup", "--ci", env=env)
        assert (ended.code, ended.out) == (0, "demo-dedup\tcompleted\n")
        assert ended.err.count("::no report for GitHub Actions: ") == 1
        assert "GITHUB_OUTPUT" in ended.err.splitlines()[-1]


def test_a_profile_enables_it_and_the_flag_overrides_the_profile(step: Runner, home: Path) -> None:
    file = home / "c.toml"
    file.write_text("[profiles.default]\nci = true\nunheard = 1\n")
    file.chmod(0o600)
    env = {"NOSTRA_CONFIG": str(file)}
    ended = step("status", "demo-dedup", env=env)
    assert ended.err.startswith(
        "::group::nostra status demo-dedup\n::warning title=nostra status::unknown key"
    )
    Path(step.env["GITHUB_OUTPUT"]).unlink()
    ended = step("status", "demo-dedup", "--no-ci", env=env)
    assert ended.err.startswith("warning: unknown key")
    assert not Path(step.env["GITHUB_OUTPUT"]).exists()


def test_without_ci_or_github_actions_nothing_is_reported(step: Runner) -> None:
    assert step("status", "demo-dedup").err == ""
    assert step("status", "demo-dedup", "--ci", env={"GITHUB_ACTIONS": ""}).err == ""
    assert not Path(step.env["GITHUB_OUTPUT"]).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_group(home: Path, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "github").mkdir()
    with serving() as sandbox:
        step = as_step(runner_for(sandbox, home, tmp_path), tmp_path / "github")
        command = [NOSTRA, "wait", "demo-stuck", "--ci"]
        process = subprocess.Popen(command, env=step.env, stderr=subprocess.PIPE, text=True)
        with process:
            assert process.stderr is not None
            assert process.stderr.readline() == "::group::nostra wait demo-stuck\n"
            assert process.stderr.readline() == "demo-stuck: running\n"
            process.send_signal(number)
            assert process.stderr.read() == "::endgroup::\n"
    assert process.returncode == 128 + number
    assert told(step) == {"status": "in_progress", "paths": ""}
