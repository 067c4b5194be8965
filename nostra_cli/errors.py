"""What can go wrong, as a person and a script are told of it."""

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
    """The exit codes of `nostra`; help texts and the README's table are made from this enum."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        """Make a member from its number and the sentence that explains it."""
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


OF_AN_INVOCATION = (
    ExitCode.DONE,
    ExitCode.USAGE,
    ExitCode.AUTH,
    ExitCode.NOT_FOUND,
    ExitCode.FAILED,
    ExitCode.SERVICE,
    ExitCode.CORRUPT,
    ExitCode.FILE,
    ExitCode.NOT_READY,
    ExitCode.DEADLINE,
)
"""What a command can exit with that asks for an invocation (signals and bugs apart)."""


class KeptPart(NamedTuple):
    """A partial file of `size` bytes that the next run with the same target continues."""

    target: str
    size: int


class NostraError(Exception):
    """An error that a user is told of.

    `message` says what happened to which id or file, `hint` what to do next (it may be empty).
    Both may hold the server's words: `output` neutralises them before a person sees them.
    `invocation` is the id it is about, once work on one of many ids ended in it; `kept` are the
    partial files that a later run can continue.
    """

    code: ClassVar[ExitCode] = ExitCode.BUG
    kind: ClassVar[str] = "bug"

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the two sentences."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.invocation: str | None = None
        self.kept: list[KeptPart] = []

    def about(self, invocation: str) -> Self:
        """Set the invocation that the error is about; its message then names it."""
        self.invocation = invocation
        # As a word of its own: 127.0.0.1 does not name the invocation 1.
        if not re.search(rf"(?<![\w.-]){re.escape(invocation)}(?!\w)", self.message):
            self.message = f"{invocation}: {self.message}"
        return self

    @property
    def advice(self) -> str:
        """What to do next: the notes that were added on the way, then the hint."""
        notes = [str(note) for note in getattr(self, "__notes__", ())]
        return "; ".join([*notes, self.hint] if self.hint else notes)


class UsageProblem(NostraError):
    """Wrong options, or a configuration that cannot be used."""

    code = ExitCode.USAGE
    kind = "usage"


class AuthProblem(NostraError):
    """There is no token, or the service refused it."""

    code = ExitCode.AUTH
    kind = "auth"


class NotFound(NostraError):
    """The service knows no such invocation, result or format."""

    code = ExitCode.NOT_FOUND
    kind = "not_found"


class Failed(NostraError):
    """The invocation or the result ended in error."""

    code = ExitCode.FAILED
    kind = "failed"


class ServiceProblem(NostraError):
    """The service or the network failed, for good."""

    code = ExitCode.SERVICE
    kind = "service"


class Transient(ServiceProblem):
    """A failure that may pass: the request can be repeated.

    `wait` is what the server asked for in Retry-After (seconds), None where it asked for nothing.
    """

    def __init__(self, message: str, hint: str = "", wait: float | None = None) -> None:
        """Keep the sentences and the server's wish."""
        super().__init__(message, hint)
        self.wait = wait


class Truncated(Transient):
    """A body broke off before its end. Worth repeating; if it stays so, the answer is corrupt."""

    code = ExitCode.CORRUPT
    kind = "corrupt"


class TooManyOpenFiles(Transient):
    """There was no file descriptor for a connection. Worth repeating: others may be closed."""

    code = ExitCode.FILE
    kind = "file"


class Corrupt(NostraError):
    """The answer is not what was promised."""

    code = ExitCode.CORRUPT
    kind = "corrupt"


class FileProblem(NostraError):
    """The local file system refused something."""

    code = ExitCode.FILE
    kind = "file"


class NotReady(NostraError):
    """The invocation is still in progress."""

    code = ExitCode.NOT_READY
    kind = "not_ready"


class DeadlinePassed(NostraError):
    """The deadline of `--timeout` passed."""

    code = ExitCode.DEADLINE
    kind = "deadline"


class Signalled(BaseException):
    """A signal asked the process to end; `code` is what it exits with.

    `kept` are the partial files that a later run can continue.
    """

    def __init__(self, code: ExitCode) -> None:
        """Keep the exit code that belongs to the signal."""
        super().__init__(code.meaning)
        self.code = code
        self.kept: list[KeptPart] = []


def add_kept(error: BaseException, parts: Iterable[KeptPart]) -> None:
    """Record on an error which partial files were kept; others than ours have no place for it."""
    if isinstance(error, NostraError | Signalled):
        error.kept.extend(parts)


def kept_parts(error: object) -> list[KeptPart]:
    """Give what `add_kept` recorded."""
    return error.kept if isinstance(error, NostraError | Signalled) else []


def capture_error(invocation: str | None, attempt: Callable[[], T]) -> T | NostraError:
    """Return what `attempt` returns, or the error that it raises: each of many stands for itself.

    The error gets the id of its invocation, and its message names it. Raises AuthProblem and
    DeadlinePassed, which end the work on all of them.
    """
    try:
        return attempt()
    except (AuthProblem, DeadlinePassed):
        raise
    except NostraError as error:
        return error if invocation is None else error.about(invocation)


@contextmanager
def with_note(note: str) -> Iterator[None]:
    """Add `note` to what goes before the hint of an error of ours that leaves the block."""
    try:
        yield
    except NostraError as error:
        error.add_note(note)
        raise


@contextmanager
def usage_errors(what: str, hint: str) -> Iterator[None]:
    """Turn an OSError or a ValueError of the block into a UsageProblem that begins with `what`."""
    try:
        yield
    except OSError as error:
        raise UsageProblem(f"{what}: {error.strerror or error}", hint) from error
    except ValueError as error:
        raise UsageProblem(f"{what}: {error}", hint) from error


@contextmanager
def thread_errors() -> Iterator[None]:
    """Turn the RuntimeError of a thread that cannot be started into a FileProblem."""
    try:
        yield
    except RuntimeError as error:
        raise FileProblem(
            "the system allows no more threads", "raise the limit (ulimit -u); then run it again"
        ) from error


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a FileProblem about `path`, with what to do."""
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
            errno.ELOOP: "a symbolic link stands there: remove it",
        }.get(error.errno or 0, "check the directory and its permissions")
        raise FileProblem(f"cannot use {path}: {error.strerror}", hint) from error
