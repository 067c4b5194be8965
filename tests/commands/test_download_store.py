"""`nostra download` to a URL, as a script sees it, with a store that is built into fsspec."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import runner_for
from tests.running import Runner
from tests.sandbox.calling import fault, faulty


@pytest.fixture
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tmp_path_factory.mktemp("store").as_uri()


def there(url: str) -> list[str]:
    return sorted(path.name for path in Path(url.removeprefix("file://")).iterdir())


def test_to_a_folder(nostra: Runner, url: str) -> None:
    ended = nostra("download", "demo-dedup", "demo-demand", "-f", "all", "-d", f"{url}/")
    names = [f"{i}.{f}" for i in ("demo-dedup", "demo-demand") for f in ("json", "csv", "xlsx")]
    assert (ended.code, ended.out.split()) == (0, [f"{url}/{n}" for n in names])
    assert ended.err.startswith("6 files, ")
    assert there(url) == sorted(names)
    assert nostra("download", "demo-dedup", "-f", "all").code == 0
    for name in names[:3]:
        stored = Path(url.removeprefix("file://"), name)
        assert (nostra.cwd / name).read_bytes() == stored.read_bytes()


INTERRUPTED_IN_WRITE = (
    sys.executable,
    "-c",
    """
import os, signal, threading
from fsspec.implementations.local import LocalFileOpener
from nostra_cli.downloads.sinks import store
write, abort_all = LocalFileOpener.write, store.abort_all
aborted = threading.Event()
store.abort_all = lambda: (abort_all(), aborted.set())
def interrupted(*args):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        aborted.wait(20)
        return write(*args)
    except BaseException:
        os._exit(99)
LocalFileOpener.write = interrupted
from nostra_cli.__main__ import main
main()
""",
)


@pytest.mark.parametrize("jobs", ["1", "8"])
def test_no_signal_interrupts_a_driver(nostra: Runner, url: str, jobs: str) -> None:
    """It could not remove its object: an SSH connection does not survive half a packet."""
    args = ["download", "demo-dedup", "-f", "csv", "-d", url, "-j", jobs]
    ended = nostra(*args, command=INTERRUPTED_IN_WRITE)
    assert (ended.code, ended.out, there(url)) == (130, "", [])


def test_json_has_the_url_and_the_hash(nostra: Runner, url: str) -> None:
    [entry] = nostra("download", "demo-dedup", "-o", f"{url}/x.csv", "--json").json()
    [local] = nostra("download", "demo-dedup", "-f", "csv", "--json").json()
    assert entry["path"] == f"{url}/x.csv"
    assert (entry["sha256"], entry["bytes"]) == (local["sha256"], local["bytes"])


def test_what_is_there_stays(nostra: Runner, url: str) -> None:
    target = Path(url.removeprefix("file://"), "x.csv")
    target.write_text("mine")
    args = ["download", "demo-dedup", "-o", f"{url}/x.csv"]
    ended = nostra(*args)
    assert (ended.code, target.read_text(), ended.out) == (8, "mine", "")
    assert "--overwrite, --skip-existing" in ended.err
    [entry] = nostra(*args, "--skip-existing", "--json").json()
    assert (entry["status"], entry["bytes"], entry["sha256"]) == ("skipped", 4, None)
    assert nostra(*args, "--overwrite").code == 0
    assert target.read_text().startswith("ID,Group\n")
    assert there(url) == ["x.csv"]


@pytest.mark.parametrize(
    ("format_", "keys"),
    [("csv", "cut_after = 900"), ("csv", 'page = "log in"'), ("xlsx", "keep = 5000")],
)
def test_an_incomplete_file_leaves_nothing(
    home: Path, tmp_path: Path, url: str, format_: str, keys: str
) -> None:
    rule = fault(f"{keys}\nranges = false", f"*/{format_}")
    if "cut" in keys:
        rule = fault('framing = "close"\nkeep = 900\nbody = "ID,Group\\n\\"cut"')
    with faulty(rule) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        ended = nostra("download", "demo-dedup", "-f", format_, "-d", url)
    assert (ended.code, ended.out, there(url)) == (7, "", [])


def test_a_cut_body_is_resumed(home: Path, tmp_path: Path, url: str) -> None:
    with faulty(fault("cut_after = 900\ntimes = 1")) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        [entry] = nostra("download", "demo-dedup", "-f", "csv", "-d", url, "--json").json()
        nostra("download", "demo-dedup", "-f", "csv")
    assert entry["resumed"]
    stored = Path(url.removeprefix("file://"), "demo-dedup.csv")
    assert stored.read_bytes() == (tmp_path / "demo-dedup.csv").read_bytes()


def test_another_version_begins_again(home: Path, tmp_path: Path, url: str) -> None:
    rules = fault('cut_after = 900\ntimes = 1\netag = "\\"old\\""')
    with faulty(rules) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        assert nostra("download", "demo-dedup", "-f", "csv", "-d", url).code == 0
    assert there(url) == ["demo-dedup.csv"]


def test_the_setting_takes_a_url(nostra: Runner, home: Path, url: str) -> None:
    file = home / "c.toml"
    file.write_text(f'[profiles.default]\ndir = "{url}"\n')
    file.chmod(0o600)
    ended = nostra("download", "demo-dedup", env={"NOSTRA_CONFIG": str(file)})
    assert ended.out == f"{url}/demo-dedup.json\n"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["-d", "gs://b/p"], 2, "pip install gcsfs"),
        (["-d", "nowhere://b/p"], 2, "fsspec knows no nowhere://"),
        (["-o", "sftp://me:s3cret@h/x.csv"], 2, "contains a password"),
        (["-o", "file:///tmp/"], 2, "is not a file name"),
        (["-d", "file:///tmp", "--checksums"], 2, "--checksums is for files in a directory"),
        (["-d", "file:///nonexistent/folder"], 8, "No such file or directory"),
    ],
)
def test_invalid_store_targets_are_refused(
    nostra: Runner, args: list[str], code: int, said: str
) -> None:
    ended = nostra("download", "demo-dedup", *args)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "s3cret" not in ended.err


def test_without_fsspec_the_hint_says_what_to_install(
    nostra: Runner, tmp_path_factory: object
) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    hidden = tmp_path_factory.mktemp("hidden")
    (hidden / "fsspec.py").write_text("raise ImportError\n")
    env = {"PYTHONPATH": str(hidden)}
    ended = nostra("download", "demo-dedup", "-d", "s3://b/p", "--json", env=env)
    assert ended.code == 2
    assert ended.error["hint"] == "pip install 'nostra-cli[fsspec]'"
    assert json.loads(nostra("download", "demo-dedup", "--json", env=env).out)
