"""Prompt for a secret."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from nostra_cli.errors import ExitCode, Signalled, UsageProblem, usage_errors
from nostra_cli.signals import handled_signals, take_default_action


def read_secret(prompt: str) -> str:
    """Prompt for a secret without echo on a terminal; otherwise read it from stdin.

    Raises UsageProblem if the terminal cannot hide it.
    """
    if sys.stdin is None:
        return ""
    if not sys.stdin.isatty():
        from nostra_cli.config.credentials import read_token

        with usage_errors("cannot read stdin", "give the token on stdin"):
            return read_token(sys.stdin.buffer)
    import getpass
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            with _suspendable(sys.stdin.fileno(), prompt):
                return getpass.getpass(prompt)
    except getpass.GetPassWarning as error:
        raise UsageProblem("this terminal would show the token", "give it on stdin") from error
    except EOFError:
        sys.stderr.write("\n")
        return ""
    except UnicodeDecodeError:
        return "\ufffd"  # not valid in a token: the caller reports it
    except KeyboardInterrupt:  # Windows
        sys.stderr.write("\n")
        raise Signalled(ExitCode.INTERRUPT) from None
    except Signalled as error:
        if error.code != ExitCode.INTERRUPT:  # else its handler has ended the line
            sys.stderr.write("\n")
        raise


@contextmanager
def _suspendable(terminal: int, prompt: str) -> Iterator[None]:
    """Echo again while a signal stops the process, and hide what is typed when it continues."""
    if sys.platform == "win32":
        yield
    else:
        import termios

        before = termios.tcgetattr(terminal)

        def stop(number: int, _frame: FrameType | None) -> None:
            hidden = termios.tcgetattr(terminal)
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
            take_default_action(number)
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
            with suppress(OSError):  # it may be open for reading only
                os.write(terminal, prompt.encode())

        with handled_signals({"SIGTSTP": stop, "SIGQUIT": stop}):
            yield
