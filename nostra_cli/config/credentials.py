"""Tokens, their commands and files, and base URLs."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from nostra_cli.config.file import read_bounded
from nostra_cli.errors import AuthProblem, UsageProblem, thread_errors
from nostra_cli.models import decode_text, local_name

if TYPE_CHECKING:
    from subprocess import Popen

DEFAULT_BASE_URL = "https://nostradamus.u-hopper.com"
COMMAND_SECONDS = 30.0
MAX_TOKEN = 8192
"""Servers accept no longer header, and to mask a longer one would take minutes."""
_MAX_BYTES = 64 * 1024
_BASE_URL_HINT = f"it looks like {DEFAULT_BASE_URL}"


class Token:
    """A token; its repr does not show it."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value


def redact(token: Token) -> str:
    """Describe a token without showing it: that it is set, and the end of a long one."""
    return f"present, ends in {token.value[-4:]}" if len(token.value) > 12 else "present"


def check_token(text: str) -> Token:
    """Return the token without surrounding white space.

    Raises UsageProblem, without the value, if it cannot be sent in a header.
    """
    token = text.strip()
    if not token:
        problem = "empty"
    elif not all("!" <= character <= "~" for character in token):
        problem = "a space, a control or a non-ASCII character in it"
    elif len(token) > MAX_TOKEN:
        problem = f"longer than {MAX_TOKEN} characters"
    else:
        return Token(token)
    raise UsageProblem(
        f"not a valid token: {problem}", "copy it again: it is one word of ASCII characters"
    )


def read_token(file: BinaryIO) -> str:
    """Read a token; `check_token` refuses characters that are not ASCII."""
    return _decode(file.read(_MAX_BYTES))


def read_token_file(path: str) -> Token:
    """Read the token in a file, such as the one NOSTRA_TOKEN_FILE names; raises UsageProblem."""
    try:
        content = read_bounded(Path(path), _MAX_BYTES).content
    except OSError as error:
        raise UsageProblem(
            f"cannot read the token file {path}: {error.strerror}",
            "check the path, or unset NOSTRA_TOKEN_FILE",
        ) from error
    try:
        return check_token(_decode(content))
    except UsageProblem as problem:
        raise UsageProblem(f"token file {path}: {problem.message}", problem.hint) from problem


def _decode(content: bytes) -> str:
    return content.decode("ascii", "replace")


class TokenCommand(NamedTuple):
    """A command that prints the token in the first line of its stdout."""

    words: tuple[str, ...]

    def run(self, hint: str, show_stderr: bool = True) -> Token:
        """Run it without a shell for at most COMMAND_SECONDS and return the token.

        stdin is the terminal or empty; stderr is passed through if `show_stderr`. Raises, with
        `hint`, UsageProblem if it fails and AuthProblem if it prints nothing; the errors show none
        of its output.
        """
        name = f"token_command {self.words[0]}"
        try:
            code, output = _run(self.words, show_stderr)
        except TimeoutError:
            problem = f"{name} did not finish within {COMMAND_SECONDS:g} s"
            raise UsageProblem(problem, hint) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its words cannot be passed to a command"
            raise UsageProblem(f"cannot run {name}: {reason}", hint) from error
        if len(output) > _MAX_BYTES:
            raise UsageProblem(f"{name} printed more than {_MAX_BYTES // 1024} KiB", hint)
        if code:
            ending = f"exit code {code}" if code > 0 else f"signal {-code}"
            raise UsageProblem(f"{name} failed with {ending}", hint)
        line = _decode(output.partition(b"\n")[0])
        if not line.strip():
            raise AuthProblem(f"{name} printed no token in its first line", hint)
        try:
            return check_token(line)
        except UsageProblem as problem:
            raise UsageProblem(f"{name} printed {problem.message}", hint) from None


def _run(words: tuple[str, ...], show_stderr: bool) -> tuple[int, bytes]:
    """Run a command; return its exit code and the start of its stdout. Raises TimeoutError."""
    import os
    import subprocess
    from functools import partial

    from nostra_cli.signals import deferred_signals, start_thread

    attended = _has_terminal()
    output = bytearray()
    process = None
    try:
        with deferred_signals():  # an exception in Popen would lose a process that has started
            process = subprocess.Popen(
                [local_name(word) for word in words],
                stdin=None if os.isatty(0) else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if show_stderr else subprocess.DEVNULL,
                # A command that may prompt stays in the terminal's foreground; any other is ended
                # together with its children.
                process_group=None if attended or sys.platform == "win32" else 0,
            )
        # Not communicate(): a child that stays in the background keeps stdout open.
        with thread_errors():
            reader = start_thread(partial(_collect, process, output))
        code = process.wait(COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        if process is not None and process.returncode is None:
            _end(process, group=not attended)
    reader.join(1.0)
    return code, bytes(output)


def _collect(process: Popen[bytes], output: bytearray) -> None:
    """Read up to a little more than _MAX_BYTES, then close it: the command ends by SIGPIPE."""
    import os

    if process.stdout is not None:
        with process.stdout as stdout:
            while len(output) <= _MAX_BYTES and (chunk := os.read(stdout.fileno(), _MAX_BYTES)):
                output += chunk


def _end(process: Popen[bytes], group: bool) -> None:
    """Terminate a command, so that it can restore the terminal; kill it after a second."""
    import os
    import signal
    import subprocess

    def send(number: int) -> None:
        with suppress(OSError):
            if group and sys.platform != "win32":
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)

    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        send(number)
        # Not for ever: a signal that interrupts wait() can leave its lock taken.
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
            return


def _has_terminal() -> bool:
    try:
        with Path("/dev/tty").open("rb", buffering=0):
            return True
    except OSError:
        return False


def check_base_url(text: str) -> str:
    """Return the base URL without a trailing slash.

    Raises UsageProblem unless it is https (or http to this machine) with a host and at most a path.
    """
    try:
        text = decode_text(text.strip())
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError as error:
        raise UsageProblem("not a valid URL", _BASE_URL_HINT) from error
    plain = _is_host(host) and text.isprintable() and not set(text) & set(" \\")
    if url.scheme not in ("http", "https") or not host or not plain:
        raise UsageProblem("not a valid http(s) URL", _BASE_URL_HINT)
    if "@" in url.netloc or set("?#") & set(text):
        raise UsageProblem("a user name, a query or a fragment in the base URL", _BASE_URL_HINT)
    if url.scheme == "http" and not is_loopback(host):
        raise UsageProblem(
            f"http:// to {host} would send the token unencrypted",
            "use https:// (http:// is only for this machine, as with nostra sandbox)",
        )
    return text.rstrip("/")


def _is_host(host: str | None) -> bool:
    if not host:
        return False
    if host.isascii():
        return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether a URL's host is this machine: `localhost` or a loopback address."""
    if host.casefold() in ("localhost", "127.0.0.1", "::1"):
        return True
    import ipaddress  # for the rest of 127.0.0.0/8 and other spellings

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
