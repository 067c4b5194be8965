"""`python -m benchmarks`: every comparison, as a Markdown table."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import certifi

from nostra_cli import __version__
from nostra_cli.api.schedule import pause_after
from nostra_cli.sandbox.scenario import parse
from nostra_cli.sandbox.server import serving

from .bodies import bodies
from .measure import HEADER, NOSTRA, TOKEN, Command, Row, environment, paired, row
from .servers import Nginx, has_nginx, nginx, write_csv

VENDOR = """\
import os, requests
url = os.environ["NOSTRA_BASE_URL"] + "/api/invocation/" + os.environ["INVOCATION"]
response = requests.get(url, headers={"Authorization": "Token " + os.environ["NOSTRA_TOKEN"]})
print(response.json()["status"])
"""
MANY = """
[invocation.many]
results = 200
bytes = 50000
[[fault]]
path = "*"
delay = 0.05
"""


SLOW = """
[[fault]]
path = "*"
delay = 0.05
"""
PARTS = ("start-up", "many", "ids", "preview", "status", "bodies", "progress", "limits")


def start_up(runs: int, cwd: Path) -> Iterator[Row]:
    """How long until something is on the screen, against Python doing nothing."""
    bare = Command([sys.executable, "-c", "pass"], environment(), cwd)
    complete = {
        "_NOSTRA_COMPLETE": "complete_bash",
        "COMP_WORDS": "nostra download x --f",
        "COMP_CWORD": "3",
    }
    for what, args, more, target in (
        ("`nostra --version`", ["--version"], {}, 4.0),
        ("`nostra --help`", ["--help"], {}, 6.5),
        ("`nostra download --help`", ["download", "--help"], {}, 6.5),
        ("completion of an option", [], complete, 6.0),
    ):
        ours = Command([NOSTRA, *args], environment(**more), cwd)
        yield row(what, "`python -c pass`", target, paired(ours, bare, runs))


def status(runs: int, cwd: Path, server: Nginx) -> Iterator[Row]:
    """One request, against the vendor's script."""
    bundle = cwd / "bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + server.authority.read_bytes())
    script = cwd / "vendor.py"
    script.write_text(VENDOR, encoding="utf-8")
    for name, url, target in (
        ("http", server.http, 1.0),
        ("https, full CA bundle", server.https, 0.85),
    ):
        env = environment(
            NOSTRA_BASE_URL=url,
            INVOCATION="bench-plain",
            SSL_CERT_FILE=str(bundle),
            REQUESTS_CA_BUNDLE=str(bundle),
        )
        ours = Command([NOSTRA, "status", "bench-plain"], env, cwd)
        theirs = Command([sys.executable, str(script)], env, cwd)
        pairs = paired(ours, theirs, runs)
        yield row(f"`nostra status`, {name}", "the vendor's `requests` script", target, pairs)


def many(runs: int, cwd: Path) -> Iterator[Row]:
    """Two hundred results of 50 KB at a latency of 50 ms, against curl in parallel."""
    folder = cwd / "many"
    folder.mkdir()

    def clean() -> None:
        for path in folder.iterdir():
            path.unlink()

    with serving(scenario=parse(tomllib.loads(MANY)), token=TOKEN) as sandbox:
        env = environment(NOSTRA_BASE_URL=sandbox.base_url)
        listed = [NOSTRA, "results", "many"]
        found = subprocess.run(listed, env=env, capture_output=True, text=True, check=True).stdout
        lines = []
        for result in (line.split("\t")[0] for line in found.splitlines()):
            url = f"{sandbox.base_url}/api/invocation/many/result/{result}/csv"
            lines.append(f'url = "{url}"\noutput = "{result}.csv"\n')
        config = cwd / "curl.txt"
        config.write_text(f'header = "Authorization: Token {TOKEN}"\n' + "".join(lines))
        for jobs in ("8", "16"):
            args = ["download", "many", "--all-results", "-f", "csv", "-j", jobs]
            parallel = ["--parallel", "--parallel-max", jobs]
            theirs = Command(["curl", "-q", "-sSf", *parallel, "-K", str(config)], env, folder)
            pairs = paired(Command([NOSTRA, *args], env, folder), theirs, runs, clean)
            what = f"200 results of 50 KB at 50 ms, `-j {jobs}`, start-up included"
            yield row(what, f"`curl -Z --parallel-max {jobs}`", 1.15, pairs)


def ids(runs: int, cwd: Path) -> Iterator[Row]:
    """The status of two hundred ids at a latency of 50 ms, against curl in parallel."""
    names = [f"job{number}" for number in range(200)]
    table = SLOW + "".join(f"[invocation.{name}]\nresults = 1\n" for name in names)
    with serving(scenario=parse(tomllib.loads(table)), token=TOKEN) as sandbox:
        env = environment(NOSTRA_BASE_URL=sandbox.base_url)
        config = cwd / "ids.txt"
        urls = "".join(f'url = "{sandbox.base_url}/api/invocation/{name}"\n' for name in names)
        config.write_text(f'header = "Authorization: Token {TOKEN}"\n{urls}')
        parallel = ["-Z", "--parallel-max", "8"]
        theirs = Command(["curl", "-q", "-sSf", *parallel, "-K", str(config)], env, cwd)
        pairs = paired(Command([NOSTRA, "status", *names], env, cwd), theirs, runs)
    yield row("`status` of 200 ids at 50 ms", "`curl -Z --parallel-max 8`", 1.3, pairs)


def previews(runs: int, cwd: Path) -> Iterator[Row]:
    """The first rows of a CSV of 2 GB, against one request."""
    with serving(large_bytes=2_000_000_000, token=TOKEN) as sandbox:
        env = environment(NOSTRA_BASE_URL=sandbox.base_url)
        ours = Command([NOSTRA, "preview", "demo-large"], env, cwd)
        theirs = Command([NOSTRA, "status", "demo-large"], env, cwd)
        pairs = paired(ours, theirs, runs)
    yield row("`nostra preview` of a CSV of 2 GB", "`nostra status`", 2.0, pairs)
    local = cwd / "local.csv"
    write_csv(local, 300_000_000, "plain")
    stats = Command([NOSTRA, "preview", str(local), "--stats"], environment(), cwd)
    seconds = sorted(stats.run().wall for _ in range(3))
    peak = stats.peak() / (1 << 20)
    print(f"`preview --stats` of 300 MB: {seconds[1]:.1f} s (<= 5), {peak:.0f} MiB (<= 400)")
    local.unlink()


def progress(runs: int, cwd: Path, server: Nginx, label: str) -> Iterator[Row]:
    """The progress bar, on a terminal that `script` makes, against none."""
    env = environment(NOSTRA_BASE_URL=server.http, TERM="xterm")
    target = cwd / "out.csv"

    def shown(*args: str) -> Command:
        line = shlex.join([NOSTRA, "download", "bench-plain", "-o", "out.csv", *args])
        return Command(["script", "-qec", line, os.devnull], env, cwd)

    pairs = paired(shown(), shown("-q"), runs, lambda: target.unlink(missing_ok=True))
    yield row(f"the progress bar of {label}", "`-q`", 1.03, pairs)


def limits(cwd: Path) -> None:
    """Print what is a figure and no comparison: memory by size, polls in an hour, many waits."""
    for size in (10_000_000, 4_000_000_000):
        with serving(large_bytes=size, token=TOKEN) as sandbox:
            env = environment(NOSTRA_BASE_URL=sandbox.base_url)
            args = [NOSTRA, "download", "demo-large", "-f", "csv", "-q", "--overwrite"]
            peak = Command(args, env, cwd).peak()
        print(f"peak memory, {size / 1e6:.0f} MB: {peak / (1 << 20):.1f} MiB (target <= 40)")
    (cwd / "demo-large.csv").unlink()
    waited, polls = 0.0, 0
    while waited < 3600:
        waited, polls = waited + pause_after(waited), polls + 1
    print(f"polls of a wait in its first hour: {polls} (target <= 160)")
    names = [f"job{number}" for number in range(1000)]
    job = "statuses = ['running', 'completed']\nseconds = [0, 15]\n"
    table = "".join(f"[invocation.{name}]\n{job}" for name in names)
    with serving(scenario=parse(tomllib.loads(table)), token=TOKEN) as sandbox:
        env = environment(NOSTRA_BASE_URL=sandbox.base_url)
        command = Command([NOSTRA, "wait", *names, "-q"], env, cwd)
        began = time.perf_counter()
        peak = command.peak()
        seconds = time.perf_counter() - began
    print(f"a wait on 1,000 ids of 15 s each: {seconds:.0f} s, {peak / (1 << 20):.1f} MiB (<= 200)")


def tools(env: Mapping[str, str]) -> str:
    """Name the machine and the versions."""
    curl = subprocess.run(
        ["curl", "--version"], capture_output=True, text=True, check=True, env=env
    ).stdout.split(" (")[0]
    cores = os.cpu_count()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, {cores} cores, "
        f"Python {platform.python_version()}, nostra {__version__}, {curl}"
    )


def main() -> None:
    """Run them all, or the parts that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--runs", type=int, default=15, help="pairs of each comparison")
    parser.add_argument("--size", type=int, default=1 << 30, help="bytes of the large body")
    asked = parser.parse_args()
    wanted = set(asked.parts or PARTS)
    if wanted - set(PARTS):
        parser.error(f"the parts are {', '.join(PARTS)}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="nostra-benchmarks-") as name:
        cwd = Path(name)
        if "start-up" in wanted:
            rows += start_up(asked.runs, cwd)
        if "many" in wanted:
            rows += many(max(3, asked.runs // 3), cwd)
        if "ids" in wanted:
            rows += ids(max(3, asked.runs // 3), cwd)
        if "preview" in wanted:
            rows += previews(asked.runs, cwd)
        if wanted & {"status", "bodies", "progress"}:
            rows += with_nginx(wanted, asked.runs, asked.size, cwd)
        if "limits" in wanted:
            limits(cwd)
    print(tools(environment()), HEADER, sep="\n\n")
    for each in rows:
        print(each.markdown())


def with_nginx(wanted: set[str], runs: int, size: int, cwd: Path) -> Iterator[Row]:
    """Run the parts that need a server which is not ours."""
    if not has_nginx():
        print("nginx is not installed: no comparison of bodies and of status")
        return
    label = f"{size / (1 << 30):.2g} GiB"
    (cwd / "nginx").mkdir()
    with nginx(cwd / "nginx", size) as server:
        if "status" in wanted:
            yield from status(runs, cwd, server)
        if "bodies" in wanted:
            yield from bodies(max(3, runs // 2), cwd, server, size, label)
        if "progress" in wanted and shutil.which("script"):
            yield from progress(runs, cwd, server, label)


if __name__ == "__main__":
    main()
