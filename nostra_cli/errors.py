"""Errors with exit codes, messages and hints."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class ExitCode(IntEnum):
    """The exit codes of `nostra`, the source of help texts and of the README's table."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Create a member from its number and its meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "done"
    BUG = 1, "a bug in nostra"
    USAGE = 2, "usage or configuration"
    AUTH = 3, "no token, or the service refused it (401, 403)"
    NOT_FOUND = 4, "no such invocation, result or format"
    FAILED = 5, "the invocation or the result ended in error"
    SERVICE = 6, "the service or the network failed, after retries"
    CORRUPT = 7, "the answer is not what was promised: truncated, corrupt, malformed"
    FILE = 8, "a local file problem: exists, no space, no permission"
    NOT_READY = 9, "not ready: still in progress"
    DEADLINE = 124, "the deadline of --timeout passed"
    HANGUP = 129, "ended by SIGHUP"
    INTERRUPT = 130, "ended by SIGINT"
    PIPE = 141, "ended by SIGPIPE"
    TERMINATE = 143, "ended by SIGTERM"


OF_AN_INVOCATION = tuple(code for code in ExitCode if code != ExitCode.BUG and code < 129)
"""The exit codes of a command that requests an invocation (without signals and bugs)."""


class KeptPart(NamedTuple):
    """A partial file of `size` bytes that the next run with the same target resumes."""

    target: str
    size: int


class NostraError(Exception):
    """An error that is reported to the user.

    `message` says what happened to which id or file, `hint` what to do next (it may be empty).
    Both may contain text of the server, which `output` sanitizes. `invocation` is set when the
    work on one of many ids ends with the error; `kept` are partial files to resume.
    """

    code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.invocation: str | None = None
        self.kept: list[KeptPart] = []

    def about(self, invocation: str) -> Self:
        """Set the invocation, and name it in the message."""
        self.invocation = invocation
        # In quotes or as a file name: an id may be a word of the message, or a part of 127.0.0.1.
        file = rf"(?<![\w.-]){re.escape(invocation)}\S*\.(json|csv|xlsx)\b"
        if repr(invocation) not in self.message and not re.search(file, self.message):
            self.message = f"{invocation}: {self.message}"
        return self

    @property
    def kind(self) -> str:
        """The name of the exit code, as `--json` shows it."""
        return self.code.name.lower()

    @property
    def advice(self) -> str:
        """The notes, then the hint."""
        notes = _notes(self)
        return "; ".join([*notes, self.hint] if self.hint else notes)


def _notes(error: BaseException) -> list[str]:
    return [str(note) for note in getattr(error, "__notes__", ())]


class UsageProblem(NostraError):
    """Wrong options, or a configuration that cannot be used."""

    code = ExitCode.USAGE


class AuthProblem(NostraError):
    """No token is set, or the service refused it."""

    code = ExitCode.AUTH


class NotFound(NostraError):
    """The service knows no such invocation, result or format."""

    code = ExitCode.NOT_FOUND


class Failed(NostraError):
    """The invocation or the result ended in error."""

    code = ExitCode.FAILED


class ServiceProblem(NostraError):
    """The service or the network failed permanently."""

    code = ExitCode.SERVICE


class Transient(ServiceProblem):
    """A temporary failure; `wait` is the server's Retry-After in seconds, None without one."""

    def __init__(self, message: str, hint: str = "", wait: float | None = None) -> None:
        super().__init__(message, hint)
        self.wait = wait


class Truncated(Transient):
    """A body ended too early: temporary, but corrupt if retries do not help."""

    code = ExitCode.CORRUPT


class TooManyOpenFiles(Transient):
    """No file descriptor was left for a connection: temporary, others may be closed."""

    code = ExitCode.FILE


class Corrupt(NostraError):
    """The response is not what was promised."""

    code = ExitCode.CORRUPT


class FileProblem(NostraError):
    """The local file system refused something."""

    code = ExitCode.FILE


class NotReady(NostraError):
    """The invocation is still in progress."""

    code = ExitCode.NOT_READY


class DeadlinePassed(NostraError):
    """The deadline of `--timeout` passed."""

    code = ExitCode.DEADLINE


class Signalled(BaseException):
    """A signal ends the process with exit code `code`; `kept` are partial files to resume."""

    kind: ClassVar[str] = "signal"

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code.meaning)
        self.code = code
        self.message = code.meaning
        self.kept: list[KeptPart] = []

    @property
    def advice(self) -> str:
        """The notes."""
        return "; ".join(_notes(self))


def add_kept(error: BaseException, parts: Iterable[KeptPart]) -> None:
    """Record kept partial files on a NostraError or a Signalled."""
    if isinstance(error, NostraError | Signalled):
        error.kept.extend(parts)


def kept_parts(error: object) -> list[KeptPart]:
    """Return the partial files recorded by `add_kept`."""
    return error.kept if isinstance(error, NostraError | Signalled) else []


def capture_error(invocation: str | None, attempt: Callable[[], T]) -> T | NostraError:
    """Return the result of `attempt` or its error, with the invocation set.

    Raises AuthProblem, DeadlinePassed and BrokenPipeError, which end the work on all ids.
    """
    try:
        return attempt()
    except (AuthProblem, DeadlinePassed, BrokenPipeError):
        raise
    except NostraError as error:
        found = error
    except OSError as error:
        if not error.strerror:  # not of the system: a bug
            raise
        found = system_error(error)
    return found if invocation is None else found.about(invocation)


def is_out_of_descriptors(error: BaseException) -> bool:
    """Return whether the system refused because too many files are open."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


def system_error(error: OSError) -> FileProblem:
    """Convert an OSError that no other conversion knows more about."""
    if is_out_of_descriptors(error):
        return FileProblem("too many open files", _DESCRIPTORS_HINT)
    where = f" ({error.filename})" if isinstance(error.filename, str) else ""
    return FileProblem(f"the system refused: {error.strerror}{where}", REPORT_HINT)


REPORT_HINT = "please report it with the command you ran"
_DESCRIPTORS_HINT = "raise the limit (ulimit -n), or use -j 1"


@contextmanager
def with_note(note: str) -> Iterator[None]:
    """Add a note, shown before the hint, to a NostraError raised in the block."""
    try:
        yield
    except NostraError as error:
        error.add_note(note)
        raise


@contextmanager
def usage_errors(what: str, hint: str) -> Iterator[None]:
    """Convert an OSError or a ValueError in the block to a UsageProblem that begins with `what`."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageProblem(f"{what}: {reason}", hint) from error


@contextmanager
def thread_errors() -> Iterator[None]:
    """Convert the RuntimeError of a thread that cannot be started to a FileProblem."""
    try:
        yield
    except RuntimeError as error:
        raise FileProblem(
            "the system allows no more threads", "raise the limit (ulimit -u); then run it again"
        ) from error


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Convert an OSError in the block to a FileProblem about `path`, with a hint."""
    try:
        yield
    except FileExistsError as error:
        raise FileProblem(
            f"{path} already exists (not overwritten)",
            "use --overwrite, --skip-existing or another name",
        ) from error
    except OSError as error:
        hint = {
            errno.ENOSPC: "make room; then run it again",
            errno.EDQUOT: "make room; then run it again",
            errno.EFBIG: "raise the limit (ulimit -f); then run it again",
            errno.EMFILE: _DESCRIPTORS_HINT,
            errno.ENFILE: _DESCRIPTORS_HINT,
            errno.ELOOP: "a symbolic link stands there: remove it",
        }.get(error.errno or 0, "check the directory and its permissions")
        raise FileProblem(f"cannot use {path}: {error.strerror}", hint) from error
