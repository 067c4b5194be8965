"""Errors of one of many ids."""

from __future__ import annotations

import errno

import pytest

from nostra_cli.errors import (
    AuthProblem,
    DeadlinePassed,
    ExitCode,
    FileProblem,
    KeptPart,
    NostraError,
    NotFound,
    ServiceProblem,
    Signalled,
    add_kept,
    capture_error,
    kept_parts,
)


def fail(error: Exception) -> int:
    raise error


def test_an_error_of_one_id_does_not_affect_the_others() -> None:
    error = NotFound("none")
    assert [capture_error("a", lambda: 1), capture_error("b", lambda: fail(error))] == [1, error]
    assert error.invocation == "b"


@pytest.mark.parametrize(
    "error",
    [
        AuthProblem("refused"),
        DeadlinePassed("late"),
        ValueError("a bug"),
        OSError("a bug"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
    ],
)
def test_errors_that_end_all_work_are_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        capture_error("a", lambda: fail(error))


@pytest.mark.parametrize(
    ("id_", "message", "shown"),
    [
        ("a", "127.0.0.1: the answer is not JSON", "a: 127.0.0.1: the answer is not JSON"),
        ("1", "127.0.0.1: refused (409)", "1: 127.0.0.1: refused (409)"),
        ("127", "127.0.0.1: refused (410)", "127: 127.0.0.1: refused (410)"),
        ("410", "127.0.0.1: refused (410)", "410: 127.0.0.1: refused (410)"),
        ("refused", "127.0.0.1: refused (410)", "refused: 127.0.0.1: refused (410)"),
        ("a", "no invocation 'a' (404)", "no invocation 'a' (404)"),
        ("a", "a.csv already exists", "a.csv already exists"),
        ("a-1", "data-1.csv already exists", "a-1: data-1.csv already exists"),
        ("\u00e9 b", "no invocation '\u00e9 b'", "no invocation '\u00e9 b'"),
        (None, "no token", "no token"),
    ],
)
def test_an_error_of_one_of_many_names_its_id(id_: str | None, message: str, shown: str) -> None:
    def fail() -> None:
        raise ServiceProblem(message, "")

    error = capture_error(id_, fail)
    assert isinstance(error, NostraError)
    assert (error.message, error.invocation) == (shown, id_)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (OSError(errno.EMFILE, "Too many"), "a: too many open files"),
        (OSError(errno.ENFILE, "Too many"), "a: too many open files"),
        (OSError(errno.EIO, "I/O error", "/x"), "a: the system refused: I/O error (/x)"),
    ],
)
def test_an_error_of_the_system_ends_the_work_on_one_id_only(raised: OSError, message: str) -> None:
    error = capture_error("a", lambda: fail(raised))
    assert isinstance(error, FileProblem)
    assert (error.message, error.invocation) == (message, "a")


def test_kept_partial_files_are_recorded_on_our_errors_alone() -> None:
    part = KeptPart("demo.csv", 3)
    for error in (NotFound("none"), Signalled(ExitCode.INTERRUPT)):
        add_kept(error, [part])
        assert kept_parts(error) == [part]
    other = OSError()
    add_kept(other, [part])
    assert kept_parts(other) == []
