"""Prompt for a secret."""

from __future__ import annotations

import sys

from nostra_cli.errors import ExitCode, Signalled, UsageProblem, usage_errors


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
