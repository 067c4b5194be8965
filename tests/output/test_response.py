"""The response of any endpoint, on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from nostra_cli.api.parsing import parse_value
from nostra_cli.errors import Corrupt, UsageProblem
from nostra_cli.output.response import MAX_SHOWN, show_response
from nostra_cli.output.streams import OutputOptions
from tests.output.screens import Screen

HARMFUL = b'{"a":["\\u001b[1m\\u202e",1]}'
LAID_OUT = '{\n  "a": [\n    "\\u001b[1m\\u202e",\n    1\n  ]\n}\n'
PARSE = partial(parse_value, what="GET /x")


def shown(screen: Screen, *chunks: bytes) -> str:
    show_response(screen.output, (), chunks, PARSE)
    return screen.out


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HARMFUL, LAID_OUT),
        (b" 5 ", "5\n"),
        (b"a\tb\x1b[1m\n\r\nc\xe2\x80\xae\n", "a       b\\x1b[1m\n\nc\\u202e\n"),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}\n'),
        (b"[1, NaN]", "[1, NaN]\n"),
        (b"", ""),
        (b"\n", ""),
    ],
)
def test_a_person_gets_indented_json_and_neutralised_text(content: bytes, expected: str) -> None:
    screen = Screen(terminal=True)
    assert shown(screen, content[:3], content[3:]) == expected


def test_json_too_deep_to_indent_is_shown_as_it_is() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert shown(Screen(terminal=True), deep) == deep.decode() + "\n"


@pytest.mark.parametrize("content", [b"PK\x03\x04\xff", b"a\x00b", "ö".encode("latin-1")])
def test_binary_is_not_for_a_terminal(content: bytes) -> None:
    screen = Screen(terminal=True)
    with pytest.raises(UsageProblem, match="binary"):
        shown(screen, content)
    assert screen.out == ""


@pytest.mark.parametrize("options", [OutputOptions(), OutputOptions(json=True)])
def test_a_response_too_large_to_show_is_refused(options: OutputOptions) -> None:
    screen = Screen(options, terminal=not options.json)
    with pytest.raises(UsageProblem, match="larger than 16 MiB"):
        shown(screen, b" " * MAX_SHOWN, b" ")


def test_a_pipe_gets_the_bytes_as_they_come() -> None:
    screen = Screen()
    seen: list[str] = []

    def coming() -> Iterator[bytes]:
        for chunk in (b"\x1b[1m", b"\r\n"):
            seen.append(screen.out)
            yield chunk

    show_response(screen.output, ["HTTP/1.1 200 OK", "a: \x9b"], coming(), PARSE)
    head = "HTTP/1.1 200 OK\na: \\x9b\n\n"
    assert seen == [head, f"{head}\x1b[1m"]
    assert screen.out == f"{head}\x1b[1m\r\n"


def test_json_is_checked_before_a_byte_of_it_is_written() -> None:
    screen = Screen(OutputOptions(json=True))
    assert shown(screen, b'{"a"', b": 1.10}\n") == '{"a": 1.10}\n'
    for content in (b"abc", b'{"a": 1', b'{"a": 1, "a": 2}', b"<html>"):
        with pytest.raises(Corrupt):
            shown(screen, content)
    assert screen.out == '{"a": 1.10}\n'
