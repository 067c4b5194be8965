"""The scripts and CI jobs of the README and the pages, run as they are printed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from nostra_cli.models import Outcome
from tests.conftest import runner_for
from tests.docs.pages import README, block, page
from tests.docs.sessions import run_shell
from tests.github import outputs
from tests.running import Runner
from tests.sandbox.calling import faulty, vendor_get

IDS = [f"night-{number}" for number in range(1, 9)]
SCRIPT = block(README, "file: fetch.sh")
SOUND = "".join(  # no two of one size
    f"[invocation.{id_}]\nresults = 1\nbytes = {9_000 + 100 * number}\n"
    for number, id_ in enumerate(IDS)
)
# Each of them fails in another way, and all but the first and the fourth end the first try.
FLAKY = """
[[fault]]                       # down for as long as nostra itself tries again
path = "*/night-2/csv"
times = 5
status = 503
retry_after = 0

[[fault]]
path = "*/night-3/csv"
times = 1
page = "Please log in"

[[fault]]                       # nostra goes on with this one by itself
path = "*/night-4/csv"
times = 1
cut_after = 4_000

[[fault]]
path = "*/night-5"
times = 1
status = 400

[[fault]]
path = "*/night-6/csv"
times = 2
status = 404

[[fault]]
path = "*/night-7/csv"
times = 1
gzip = "bad-crc"
"""
LATE = 'statuses = ["queued", "running", "completed"]\n'  # of the last one, night-8


@pytest.mark.parametrize(
    ("invocation", "code", "message"),
    [
        ("demo", 0, "300 rows"),
        ("demo-failed", 1, "the job itself failed: demo-failed"),
        ("nope", 1, "no invocation 'nope'"),
    ],
)
def test_script(nostra: Runner, invocation: str, code: int, message: str) -> None:
    ended = run_shell(nostra, SCRIPT, invocation)
    assert (ended.returncode, message in ended.stdout) == (code, True), ended.stdout
    assert nostra.files() == (["result.csv"] if code == 0 else [])


def test_script_at_its_deadline(nostra: Runner) -> None:
    ended = run_shell(nostra, SCRIPT.replace("--timeout 30m", "--timeout 1s"), "demo-stuck")
    assert (ended.returncode, nostra.files()) == (1, [])
    assert "not finished in time" in ended.stdout


@pytest.fixture
def batch(home: Path, tmp_path: Path) -> Runner:
    """Return a directory with the script, a file of ids and a folder for what comes."""
    script = block(page("scripting"), "file: fetch-all.sh")
    assert len(script.splitlines()) <= 15
    assert script.count("sleep 60") == 1
    (tmp_path / "fetch-all.sh").write_text(script.replace("sleep 60", "sleep 0"))
    (tmp_path / "ids").write_text("".join(f"{id_}\n" for id_ in IDS))
    (tmp_path / "out").mkdir()
    return Runner(tmp_path, {})


def test_a_batch_on_a_flaky_service_ends_with_every_file_whole(batch: Runner, home: Path) -> None:
    with faulty(SOUND) as sandbox:
        sound = {f"{id_}.csv": vendor_get(sandbox, f"invocation/{id_}/csv").content for id_ in IDS}
    with faulty(SOUND + LATE + FLAKY) as sandbox:
        nostra = runner_for(sandbox, home, batch.cwd)
        ended = run_shell(nostra, "sh fetch-all.sh ids out")
    assert ended.returncode == 0, ended.stdout
    tries = re.findall(r"^try (\d): (\d) failed$", ended.stdout, re.MULTILINE)
    assert tries == [("1", "6"), ("2", "2")]
    files = {path.name: path.read_bytes() for path in (batch.cwd / "out").iterdir()}
    assert files.pop("SHA256SUMS").count(b"\n") == len(IDS)
    assert files == sound


def test_a_batch_without_hope_ends_at_once(batch: Runner, home: Path) -> None:
    with faulty(SOUND + '[[fault]]\npath = "*"\nstatus = 401\n') as sandbox:
        ended = run_shell(runner_for(sandbox, home, batch.cwd), "sh fetch-all.sh ids out")
    assert (ended.returncode, "try 1" in ended.stdout) == (3, False)
    assert list((batch.cwd / "out").iterdir()) == []


@pytest.mark.parametrize("path", [README, page("ci")], ids=["README", "ci"])
def test_the_workflow_uses_outputs_that_exist(path: Path, nostra: Runner, tmp_path: Path) -> None:
    workflow = block(path, "workflow")
    [run] = re.findall(r"id: fetch\n +run: \.nostra/bin/(nostra .*)", workflow)
    used = set(re.findall(r"steps\.fetch\.outputs\.(\w+)", workflow))
    for id_, status in (("demo-demand", "completed"), ("demo-failed", "failed")):
        files = {"GITHUB_OUTPUT": f"{id_}.out", "GITHUB_STEP_SUMMARY": f"{id_}.md"}
        env = {**nostra.env, **files, "GITHUB_ACTIONS": "true", "INVOCATION": id_}
        ended = run_shell(replace(nostra, env=env), run)
        told = outputs((tmp_path / f"{id_}.out").read_text())
        assert used <= set(told), ended.stdout
        assert told["status"] == status
        assert told["paths"].split() == (
            ["demo-demand.csv", "demo-demand.xlsx"] if status == "completed" else []
        )
        assert (tmp_path / f"{id_}.md").read_text().count(f"| {id_} | {status} |") == 1
    assert set(re.findall(r"outputs\.status == '(\w+)'", workflow)) <= {*Outcome}


def test_the_gitlab_job_leaves_its_artifacts(nostra: Runner) -> None:
    job = block(page("ci"), "gitlab job")
    install, run = re.findall(r"^    - (.*)$", job.partition("artifacts:")[0], re.MULTILINE)
    assert install.startswith("pip install ")
    ended = run_shell(replace(nostra, env={**nostra.env, "INVOCATION": "demo-demand"}), run)
    assert ended.returncode == 0, ended.stdout
    for pattern in re.findall(r'^      - "(.*)"$', job, re.MULTILINE):
        assert list(nostra.cwd.glob(pattern)), pattern
