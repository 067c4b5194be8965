"""Values and errors on stdout and stderr."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

import pytest

from nostra_cli.api.schedule import Transition, Waited
from nostra_cli.config.masking import mask_token
from nostra_cli.config.text import Shown
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.transfer import TransferResult
from nostra_cli.errors import (
    Corrupt,
    DeadlinePassed,
    ExitCode,
    NostraError,
    NotFound,
    Signalled,
    Transient,
)
from nostra_cli.models import Format, Invocation, JsonValue, Result
from nostra_cli.output.console import Output
from nostra_cli.output.sanitize import sanitize
from nostra_cli.output.streams import Color, OutputOptions
from nostra_cli.output.views import DOWNLOADS, RESULTS, SETTINGS, STATUSES, WAITED, View
from tests.output.screens import Screen, Stream

T = TypeVar("T")
JSON = OutputOptions(json=True)
PATHS: View[str] = View(("path",), lambda path: (path,), lambda path: {"path": path}, bare=True)
MISSING = NotFound("no invocation 'gone'", "check the id")


def invocation(id_: str, status: str = "completed", **more: JsonValue) -> Invocation:
    return Invocation(id_, status, (), {"status": status, **more})


def waited(id_: str, *statuses: str) -> Waited:
    """Make a wait with one status every 1.5 seconds, from the epoch on."""
    seen = statuses or ("completed",)
    changes = tuple(Transition(one, 1.5 * n, 1.5 * n) for n, one in enumerate(seen))
    return Waited(invocation(id_, seen[-1]), changes)


def test_piped_values_are_tab_separated_lines_without_a_header() -> None:
    screen = Screen()
    code = screen.output.show(STATUSES, [invocation("a"), invocation("b" * 300, "running")])
    assert code is ExitCode.DONE
    assert screen.out == f"a\tcompleted\n{'b' * 300}\trunning\n"
    assert screen.err == ""


def test_results_have_their_columns() -> None:
    screen = Screen()
    formats = frozenset({Format.JSON, Format.XLSX})
    screen.output.show(RESULTS, [Result("main", True, "completed", formats)])
    assert screen.out == "main\tyes\tcompleted\tyes\tno\tyes\n"


def test_a_value_of_the_server_stays_in_its_cell() -> None:
    screen = Screen()
    screen.output.show(STATUSES, [invocation("a", "x\ty\nz\x1b[2J\u202e")])
    assert screen.out == "a\tx\\ty\\nz\\x1b[2J\\u202e\n"


def test_each_line_is_written_before_the_next_value_is_requested() -> None:
    screen = Screen()
    seen: list[str] = []

    def values() -> Iterator[Invocation]:
        for id_ in "abc":
            seen.append(screen.out)
            yield invocation(id_)

    screen.output.show(STATUSES, values())
    assert seen == ["", "a\tcompleted\n", "a\tcompleted\nb\tcompleted\n"]


def test_json_is_one_array_with_the_keys_of_the_service_and_of_nostra() -> None:
    screen = Screen(JSON)
    screen.output.show(STATUSES, [invocation("a", other=[1, None]), invocation("b", "Failed")])
    [line] = screen.out.splitlines()
    assert json.loads(line) == [
        {"status": "completed", "other": [1, None], "invocation": "a", "outcome": "completed"},
        {"status": "Failed", "invocation": "b", "outcome": "failed"},
    ]


def test_json_without_items_is_an_empty_array_but_nothing_after_an_error() -> None:
    screen = Screen(JSON)
    assert screen.output.show(STATUSES, []) is ExitCode.DONE
    assert screen.out == "[]\n"
    screen = Screen(JSON)
    assert screen.output.show(STATUSES, [MISSING]) is ExitCode.NOT_FOUND
    assert screen.out == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_json_of_a_wait_is_one_object_a_line_at_once(terminal: bool) -> None:
    screen = Screen(JSON, terminal)
    seen: list[int] = []

    def values() -> Iterator[Waited | NostraError]:
        yield waited("a", "line\u2028end")
        seen.append(len(screen.out.splitlines()))
        yield waited("b")

    screen.output.show(WAITED, values())
    assert seen == [1]
    lines = [json.loads(line) for line in screen.out.splitlines()]
    assert [line["invocation"] for line in lines] == ["a", "b"]
    assert lines[0]["status"] == "line\u2028end"


def test_json_of_a_wait_has_the_time_of_each_status() -> None:
    screen = Screen(JSON)
    screen.output.show(WAITED, [waited("a", "queued", "odd\x9b", "failed")])
    assert json.loads(screen.out) == {
        "status": "failed",
        "invocation": "a",
        "outcome": "failed",
        "at": "1970-01-01T00:00:03.000Z",
        "waited": 3.0,
        "transitions": [
            {"status": "queued", "at": "1970-01-01T00:00:00.000Z"},
            {"status": "odd\x9b", "at": "1970-01-01T00:00:01.500Z"},
            {"status": "failed", "at": "1970-01-01T00:00:03.000Z"},
        ],
    }


def test_an_error_is_shown_in_order_and_the_first_sets_the_code() -> None:
    screen = Screen()
    items: list[Invocation | NostraError] = [
        invocation("a"),
        MISSING,
        Corrupt("broken"),
        invocation("b"),
    ]
    assert screen.output.show(STATUSES, items) is ExitCode.NOT_FOUND
    assert screen.out == "a\tcompleted\nb\tcompleted\n"
    assert screen.err == "error: no invocation 'gone'\nhint: check the id\nerror: broken\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_that_ends_the_values_keeps_the_earlier_ones(as_json: bool) -> None:
    screen = Screen(OutputOptions(json=as_json))

    def values() -> Iterator[Invocation]:
        yield invocation("a")
        raise DeadlinePassed("too late", "--timeout")

    assert screen.output.show(STATUSES, values()) is ExitCode.DEADLINE
    assert "completed" in screen.out
    assert screen.err.count("too late") == 1


def test_a_signal_shows_the_collected_items_and_is_raised_again() -> None:
    screen = Screen(JSON)

    def values() -> Iterator[Invocation]:
        yield invocation("a")
        raise Signalled(ExitCode.INTERRUPT)

    with pytest.raises(Signalled):
        screen.output.show(STATUSES, values())
    assert [item["invocation"] for item in json.loads(screen.out)] == ["a"]


def test_an_error_in_json_is_one_object_on_stderr() -> None:
    screen = Screen(JSON)
    screen.output.error(NotFound("no \x1b[2J\u202ething", "look"))
    assert screen.out == ""
    assert json.loads(screen.err) == {
        "error": {
            "code": 4,
            "kind": "not_found",
            "message": "no \x1b[2J\u202ething",
            "hint": "look",
        }
    }
    assert sanitize(screen.err.rstrip("\n")) == screen.err.rstrip("\n")


def test_the_text_of_an_error_is_neutralised() -> None:
    screen = Screen()
    screen.output.error(Transient("bad\x1b[2J\nerror: not ours", "do\rthis"))
    assert screen.err == "error: bad\\x1b[2J\\nerror: not ours\nhint: do\\rthis\n"


@pytest.mark.parametrize(("hint", "shown"), [("look", "hint: a; b; look\n"), ("", "hint: a; b\n")])
def test_notes_of_an_error_come_before_its_hint(hint: str, shown: str) -> None:
    error = Corrupt("broken", hint)
    error.add_note("a")
    error.add_note("b")
    screen = Screen()
    screen.output.error(error)
    assert screen.err == f"error: broken\n{shown}"


def at(columns: int, view: View[T], items: Sequence[T], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a table on a terminal of this width."""
    monkeypatch.setenv("COLUMNS", str(columns))
    screen = Screen(terminal=True, NO_COLOR="1")
    screen.output.show(view, items)
    return screen.out


@pytest.mark.parametrize("columns", [26, 400])
def test_a_table_where_there_is_room(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [invocation("a-1"), invocation("完", "in progress")]
    assert at(columns, STATUSES, items, monkeypatch) == (
        "invocation  status\na-1         completed\n完          in progress\n"
    )


def test_only_the_last_column_of_a_table_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = [Shown("base_url", "https://x", "base_url in /home/me/.config/nostra/config.toml")]
    assert at(45, SETTINGS, settings, monkeypatch) == (
        "key       value      origin\n"
        "base_url  https://x  base_url in\n"
        "                     /home/me/.config/nostra/\n"
        "                     config.toml\n"
    )


def test_a_table_for_which_there_is_no_room_is_a_block_for_each_item(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = [
        Result("a" * 24, True, "completed", frozenset()),
        Result("b", False, "error", frozenset()),
    ]
    assert at(20, RESULTS, results, monkeypatch) == (
        f"result   {'a' * 24}\nprimary  yes\nstatus   completed\njson     no\ncsv      no\n"
        "xlsx     no\n\n"
        "result   b\nprimary  no\nstatus   error\njson     no\ncsv      no\nxlsx     no\n"
    )


@pytest.mark.parametrize("columns", [1, 20, 60])
def test_a_status_of_spaces_is_no_bug(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at(columns, STATUSES, [invocation("a", " " * 200)], monkeypatch).startswith("invocation")


def test_a_status_is_coloured_and_a_heading_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (80, 9):
        monkeypatch.setenv("COLUMNS", str(columns))
        screen = Screen(terminal=True)
        screen.output.show(STATUSES, [invocation("a", "failed")])
        assert screen.out.startswith("\x1b[1minvocation")
        assert screen.out.endswith("\x1b[31mfailed\x1b[0m\n")


def test_an_error_is_coloured_on_a_terminal_only() -> None:
    screen = Screen(terminal=True)
    screen.output.error(Corrupt("broken", "hm"))
    assert screen.err == "\x1b[1;31merror\x1b[0m: broken\n\x1b[2mhint\x1b[0m: hm\n"


def test_a_warning_is_coloured_on_a_terminal_only() -> None:
    screen = Screen(terminal=True)
    screen.output.warn("odd")
    assert screen.err == "\x1b[1;33mwarning\x1b[0m: odd\n"


def test_warnings_and_messages_go_to_stderr_and_quiet_keeps_errors() -> None:
    for quiet in (False, True):
        screen = Screen(OutputOptions(quiet=quiet))
        screen.output.warn("careful\x07")
        screen.output.info("going on")
        screen.output.error(Corrupt("broken"))
        shown = "" if quiet else "warning: careful\\x07\ngoing on\n"
        assert screen.err == f"{shown}error: broken\n"
        assert screen.out == ""


def test_warnings_in_json_are_objects_and_messages_are_left_out() -> None:
    screen = Screen(JSON)
    screen.output.warn("careful")
    screen.output.info("going on")
    assert [json.loads(line) for line in screen.err.splitlines()] == [{"warning": "careful"}]
    screen = Screen(OutputOptions(json=True, quiet=True))
    screen.output.warn("careful")
    assert screen.err == ""


SECRETS = ['q"uote-s3cret', "back\\slash-s3cret", "~!#$%&'()*+-s3cret0"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_masked_secret_is_shown_nowhere(secret: str, as_json: bool) -> None:
    screen = Screen(OutputOptions(json=as_json))
    output = screen.output
    output.mask(partial(mask_token, secret))
    output.show(STATUSES, [invocation(f"id-{secret}", f"is {secret}", **{secret: secret})])
    output.error(Corrupt(f"has {secret}", f"not {secret}"))
    output.warn(f"warn {secret}")
    output.info(f"info {secret}")
    output.trace(f"> Authorization: Token {secret}")
    shown = screen.out + screen.err
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert form not in shown
    assert "id-***" in screen.out
    assert "has ***" in screen.err


@pytest.mark.parametrize("token", ["e", "1", "test", "true", "completed"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_token_that_is_a_common_word_changes_no_data(token: str, as_json: bool) -> None:
    screen = Screen(OutputOptions(json=as_json))
    screen.output.mask(partial(mask_token, token))
    found = invocation("test-1", "completed", sha256="e1e1", done=True)
    screen.output.show(STATUSES, [found])
    if as_json:
        expected = {"status": "completed", "sha256": "e1e1", "done": True}
        assert json.loads(screen.out) == [
            {**expected, "invocation": "test-1", "outcome": "completed"}
        ]
    else:
        assert screen.out == "test-1\tcompleted\n"


def test_masked_json_is_still_json() -> None:
    screen = Screen(JSON)
    screen.output.mask(partial(mask_token, "/s3cret-t0ken"))
    screen.output.show(STATUSES, [invocation("a", 'x\\/s3cret-t0ken"')])
    assert json.loads(screen.out)[0]["status"] == 'x***"'


def done(name: str, size: int, status: str = "downloaded") -> TransferResult:
    result = Result("r", True, "completed", frozenset({Format.CSV}))
    return TransferResult(Item("a", result, Format.CSV, Path(name), False), status, size, 0.1)


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ([done("a", 1)], ""),
        ([done("a", 1024), done("b", 512)], "2 files, 1.5 KiB in 0.0 s\n"),
        (
            [done("a", 1024), done("b", 512, "skipped")],
            "1 file, 1.0 KiB in 0.0 s, 1 skipped\n",
        ),
    ],
)
def test_a_last_line_sums_up_several_files(items: list[TransferResult], shown: str) -> None:
    screen = Screen()
    screen.output.show(DOWNLOADS, items)
    assert screen.err == shown


def test_the_last_lines_name_the_failures_again() -> None:
    screen = Screen()
    broken = Corrupt("b.csv: not CSV", "download it again")
    items: list[TransferResult | NostraError] = [MISSING, done("a", 1), broken]
    assert screen.output.show(DOWNLOADS, items) is ExitCode.NOT_FOUND
    assert screen.err.splitlines()[-3:] == [
        "1 file, 1 B in 0.0 s; 2 failed:",
        "  no invocation 'gone'",
        "  b.csv: not CSV",
    ]


@pytest.mark.parametrize("options", [JSON, OutputOptions(quiet=True)])
def test_nothing_is_summed_up_for_a_script(options: OutputOptions) -> None:
    screen = Screen(options)
    screen.output.show(DOWNLOADS, [done("a", 1), done("b", 2)])
    assert screen.err == ""


def test_a_table_may_have_other_items_than_a_pipe() -> None:
    for terminal, lines in ((True, ["b", "a"]), (False, ["a"])):
        screen = Screen(OutputOptions(color=Color.NEVER), terminal, TERM="xterm")
        screen.output.show(WAITED, [waited("a")], lambda shown: [waited("b", "running"), *shown])
        rows = [line.split()[0] for line in screen.out.splitlines()]
        assert [row for row in rows if row != "invocation"] == lines


class Gone(Stream):
    """A terminal that was closed."""

    def __init__(self) -> None:
        super().__init__(terminal=True)
        self.kept = GoneFile()

    @property
    def buffer(self) -> BinaryIO:
        return self.kept


class GoneFile(BytesIO):
    def write(self, _data: object) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_was_closed_does_not_stop_the_work() -> None:
    output = Output(OutputOptions(), Gone(), Gone(), {"TERM": "xterm"})
    output.info("still here")
    assert output.show(STATUSES, [invocation("a"), invocation("b")]) is ExitCode.DONE


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("terminal", [False, True])
def test_every_status_can_be_shown_in_every_encoding(encoding: str, terminal: bool) -> None:
    screen = Screen(None, terminal, encoding, TERM="xterm")
    screen.output.show(STATUSES, [invocation("a", "läuft €"), invocation("b", "完成")])
    screen.output.info("läuft €")
    expected = "läuft €".encode(encoding, "backslashreplace")
    assert expected in screen.stdout.content
    assert expected in screen.stderr.content


def test_a_table_is_for_a_terminal() -> None:
    screen = Screen(OutputOptions(color=Color.NEVER), terminal=True, TERM="xterm", COLUMNS="80")
    screen.output.show(STATUSES, [invocation("a", "x\x1b[2J"), invocation("b", "running")])
    head, *rows = [line.split() for line in screen.out.splitlines()]
    assert head == ["invocation", "status"]
    assert rows == [["a", "x\\x1b[2J"], ["b", "running"]]
    assert "\x1b" not in screen.out


def test_only_the_status_is_coloured_and_a_pipe_only_on_request() -> None:
    screen = Screen(OutputOptions(color=Color.ALWAYS))
    for status in ("completed", "error", "queued"):
        screen.output.show(STATUSES, [invocation("a", status)])
    assert screen.out == (
        "a\t\x1b[32mcompleted\x1b[0m\na\t\x1b[31merror\x1b[0m\na\t\x1b[33mqueued\x1b[0m\n"
    )


def test_a_path_is_unchanged_in_a_pipe_and_neutralised_on_a_terminal() -> None:
    paths = ["a b", "\udcff", "x\u202ey"]
    screen = Screen()
    screen.output.show(PATHS, paths)
    assert screen.stdout.content == b"a b\n\xff\nx\xe2\x80\xaey\n"
    screen = Screen(terminal=True)
    screen.output.show(PATHS, paths)
    assert screen.out == "a b\n\\udcff\nx\\u202ey\n"
