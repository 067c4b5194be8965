"""`nostra preview`, as a script and a person see it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nostra_cli.preview.remote import HEAD_BYTES
from nostra_cli.sandbox.samples import sample
from nostra_cli.sandbox.server import Sandbox, serving
from tests.conftest import LARGE_BYTES, runner_for
from tests.faults.raw import head, listening, ok
from tests.running import NOSTRA, Ended, Runner, clean_env
from tests.sandbox.calling import faulty
from tests.terminal import terminal

DEDUP = "C00001\t1\nC00002\t2\nC00003\t3\n"
STATS = "ID\ttext\t0\t300\tC00001\tC00300\t\nGroup\tinteger\t0\t240\t1\t299\t150.3\n"

WIDE = """./w.csv (csv, 63 B), all of it: 2 rows
 n  日本              x\\x1by  long name
 1  日本商事株式会社  a       b
20  y                 c       d
"""
NARROW = """
 n  日本              x\\x1by
 1  日本商事株式会社  a
20  y                 c
not shown (terminal too narrow): long name
"""


def paths(sandbox: Sandbox) -> list[str]:
    return [request.path.removeprefix("/api/invocation/") for request in sandbox.requests]


def served(body: bytes, home: Path, *args: str, headers: tuple[str, ...] = ()) -> Ended:
    """Preview from a server without ranges that sends one response to every request."""

    def handle(connection: socket.socket, _number: int) -> None:
        while head(connection):
            connection.sendall(ok(body, *headers))

    with listening(handle) as raw:
        env = clean_env(home, NOSTRA_BASE_URL=raw.base_url, NOSTRA_TOKEN="t0ken")
        return Runner(home, env)("preview", "x", *args)


def test_the_first_rows_in_one_request(nostra: Runner, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    ended = nostra("preview", "demo-dedup", "-n", "3")
    assert (ended.code, ended.out, ended.err) == (0, DEDUP, "")
    assert paths(sandbox) == ["demo-dedup/csv"]
    assert len(nostra("preview", "demo-dedup").out.splitlines()) == 10


@pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])
def test_every_format_shows_the_same(nostra: Runner, format_: str) -> None:
    assert nostra("preview", "demo-dedup", "-n", "3", "-f", format_).out == DEDUP


def test_a_large_result_costs_less_than_a_megabyte(home: Path, tmp_path: Path) -> None:
    with serving(large_bytes=2_000_000_000) as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        for format_ in ("csv", "json"):
            found = nostra("preview", "demo-large", "--json", "-f", format_).json()
            assert (found["bytes"], len(found["rows"])) == (2_000_000_000, 10)
        asked = [(r.path.rpartition("/")[2], r.headers["range"]) for r in sandbox.requests]
    assert asked == [(format_, f"bytes=0-{HEAD_BYTES - 1}") for format_ in ("csv", "json")]
    assert HEAD_BYTES < 1_000_000


def test_a_server_without_ranges_is_hung_up_on(home: Path) -> None:
    sent = [0]

    def handle(connection: socket.socket, _number: int) -> None:
        head(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\na,b\n")
        while sent[0] < 50_000_000:
            connection.sendall(b"1,2\n" * 2_500)
            sent[0] += 10_000

    with listening(handle) as raw:
        env = clean_env(home, NOSTRA_BASE_URL=raw.base_url, NOSTRA_TOKEN="t0ken")
        found = Runner(home, env)("preview", "x", "--json").json()
    assert (found["bytes"], len(found["rows"])) == (9_000_000_000, 10)
    assert sent[0] < 20_000_000  # what the buffers of this machine took


def test_json_describes_what_was_read(nostra: Runner) -> None:
    assert nostra("preview", "demo-dedup", "-n", "2", "--json").json() == {
        "invocation": "demo-dedup",
        "result": None,  # the status was not asked for
        "path": None,
        "format": "csv",
        "bytes": len(sample("deduplication", "csv").data),
        "columns": ["ID", "Group"],
        "rows": [{"ID": "C00001", "Group": "1"}, {"ID": "C00002", "Group": "2"}],
        "complete": False,
    }
    found = nostra("preview", "demo-dedup", "-n", "1", "--json", "-f", "json").json()
    assert found["rows"] == [{"ID": "C00001", "Group": 1}]


def test_json_with_statistics(nostra: Runner) -> None:
    found = nostra("preview", "demo-demand", "-n", "0", "--stats", "--json").json()
    stats = found["stats"]
    assert (found["rows"], found["complete"], stats["rows"]) == ([], False, 300)
    item, day, quantity = stats["columns"]
    assert item["top"][0] == {"value": "item1", "count": 30}
    assert (day["type"], day["min"]) == ("date", "2022-01-31")
    assert quantity["mean"] == pytest.approx(251.96, abs=0.01)
    assert sum(quantity["histogram"]["counts"]) == quantity["histogram"]["sample"] == 300
    assert stats["by_date"]["sums"]["2022-01-31"] == 2497
    assert sum(stats["by_date"]["sums"].values()) == pytest.approx(quantity["mean"] * 300)


def test_another_result(nostra: Runner, sandbox: Sandbox) -> None:
    nostra("wait", "demo")
    other = nostra("results", "demo").out.splitlines()[1].split("\t")[0]
    sandbox.requests.clear()
    found = nostra("preview", "demo", "-r", other, "-n", "1", "--json").json()
    assert (found["result"], paths(sandbox)) == (other, [f"demo/result/{other}/csv"])
    assert nostra("preview", "demo", "-r", "nope").code == 4
    assert nostra("preview", "demo", "-r", "..").code == 2


@pytest.mark.parametrize(
    ("invocation", "code"), [("nope", 4), ("demo-failed", 5), ("demo-stuck", 9), ("..", 2)]
)
def test_nothing_to_preview_is_an_error(nostra: Runner, invocation: str, code: int) -> None:
    ended = nostra("preview", invocation, "--json")
    assert (ended.code, ended.out, ended.error["code"]) == (code, "", code)


@pytest.mark.parametrize("rows", ["-1", "10001"])
def test_wrong_numbers_of_rows(nostra: Runner, rows: str) -> None:
    assert nostra("preview", "demo-dedup", "-n", rows).code == 2


def test_statistics_of_a_large_result(nostra: Runner) -> None:
    rows = (LARGE_BYTES - 19) // 22
    found = nostra("preview", "demo-large", "--stats", "--json").json()
    id_, likelihood = found["stats"]["columns"]
    assert (found["bytes"], found["stats"]["rows"]) == (LARGE_BYTES, rows)
    assert (id_["type"], id_["distinct_exact"], id_["distinct"]) == ("text", True, rows)
    assert likelihood["type"] == "number"
    assert likelihood["mean"] == pytest.approx(0.5, abs=0.01)


def test_cells_are_sanitized(home: Path) -> None:
    body = 'a\x1b]0;x,b\n"1\t2\n3",\x9b31m\u202e\n'.encode()
    ended = served(body, home)
    assert ended.out == "1\\t2\\n3\t\\x9b31m\\u202e\n"
    found = served(body, home, "--json", "--stats")
    assert not re.search("[\x1b\x9b\u202e]", found.out)
    assert found.json()["rows"][0]["b"] == "\x9b31m\u202e"


def test_two_columns_of_one_name_are_both_there(home: Path) -> None:
    found = served(b"a,a,\n1,2,3\n", home, "--json").json()
    assert found["rows"] == [{"a": "1", "a (2)": "2", "column 3": "3"}]


def test_a_local_file_needs_no_service(home: Path, tmp_path: Path) -> None:
    nostra = Runner(tmp_path, clean_env(home))
    file = tmp_path / "x.csv"
    file.write_bytes(sample("deduplication", "csv").data)
    assert nostra("preview", "./x.csv", "-n", "3").out == DEDUP
    assert nostra("preview", str(file), "--stats").out == STATS
    found = nostra("preview", "./x.csv", "--json", "-n", "1").json()
    assert (found["path"], found["invocation"]) == ("./x.csv", None)
    assert found["bytes"] == file.stat().st_size
    assert nostra("preview", "./x.csv", "-r", "x").code == 2
    assert nostra("preview", "./nope.csv").code == 8


def test_the_format_of_a_file_can_be_given(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a\n1\n")
    nostra = Runner(tmp_path, clean_env(home))
    assert nostra("preview", "./x", "-f", "csv").out == "1\n"
    if sys.platform != "win32":
        assert nostra("preview", "/dev/stdin", "-f", "csv", stdin="a\n2\n").out == "2\n"


@pytest.mark.parametrize(("token", "code"), [({}, 4), ({"NOSTRA_TOKEN": ""}, 3)])
def test_a_file_taken_for_an_id_is_mentioned(
    nostra: Runner, token: dict[str, str], code: int
) -> None:
    (nostra.cwd / "r.csv").write_text("a\n1\n")
    ended = nostra("preview", "r.csv", env=token)
    assert (ended.code, "nostra preview ./r.csv" in ended.err) == (code, True)
    assert "./" not in nostra("preview", "other.csv", env=token).err


def test_a_reader_that_closes_the_pipe_is_not_an_error(nostra: Runner) -> None:
    command = f"{NOSTRA} preview demo-large -n 10000 | head -1"
    done = subprocess.run(
        ["sh", "-c", command], env=dict(nostra.env), capture_output=True, check=False
    )
    assert (done.stdout, done.stderr) == (b"000000000000\t0.000000\n", b"")


def test_an_interrupt_ends_it(home: Path, tmp_path: Path) -> None:
    with faulty('[[fault]]\npath = "*/csv"\nrate = 20000\n') as sandbox:
        nostra = runner_for(sandbox, home, tmp_path)
        command = [NOSTRA, "preview", "demo-large", "--stats", "-v"]
        with subprocess.Popen(command, env=dict(nostra.env), stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            assert any(b"< 200" in line for line in process.stderr)
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 130


def test_a_terminal_gets_a_table(nostra: Runner) -> None:
    (nostra.cwd / "w.csv").write_text(
        "n,日本,x\x1by,long name\n1,日本商事株式会社,a,b\n20,y,c,d\n", encoding="utf-8"
    )
    command = [NOSTRA, "preview", "./w.csv", "--color", "never"]
    for columns, wanted in ((80, WIDE), (30, NARROW), (1, "w.csv")):
        with terminal(command, nostra.env, nostra.cwd, columns) as shown:
            assert shown.read_to_end() == 0
        text = shown.seen.decode().replace("\r\n", "\n")
        assert wanted in text, text
        assert "\x1b" not in text


def test_a_terminal_gets_statistics_and_a_plot(nostra: Runner) -> None:
    command = [NOSTRA, "preview", "demo-demand", "-n", "2", "--stats", "--color", "never"]
    for env, bar in (({}, "▇█▆▆▇▇▆▅▇▅▅█▆██▇"), ({"PYTHONIOENCODING": "ascii"}, "#@**##*+#++@*@@#")):
        with terminal(command, {**nostra.env, **env}, nostra.cwd) as shown:
            assert shown.read_to_end() == 0
        text = shown.seen.decode()
        assert "demo-demand (csv, 6.1 KiB), the first 2 of 300 rows" in text
        assert f"Quantity   {bar}  0 to 498" in text
        assert "Quantity, summed by OrderDate" in text
        assert re.search("^ +2022-01-31 {50,}2022-08-22", text, re.MULTILINE)


pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of POSIX")
