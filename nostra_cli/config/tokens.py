"""Tokens: what can be one, and where it is read from when it is not typed."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from nostra_cli.errors import UsageProblem

_LARGEST = 64 * 1024


class Token:
    """A token that does not show itself by accident."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        """Keep it."""
        self.value = value


def redacted(token: Token) -> str:
    """Tell of a token what may be shown: that it is there, and its end if it is a long one."""
    return f"present, ends in {token.value[-4:]}" if len(token.value) > 12 else "present"


def check_token(text: str, origin: str) -> Token:
    """Give the token without white space around it.

    Raises UsageProblem, without the value, where it could not be sent in a header.
    """
    token = text.strip()
    if not token or not all("!" <= character <= "~" for character in token):
        problem = "is empty" if not token else "has a space, a control or a non-ASCII character"
        raise UsageProblem(
            f"the token ({origin}) {problem}", "copy it again: it is one word of ASCII characters"
        )
    return Token(token)


def read_token(file: BinaryIO) -> str:
    """Read what should be a token; what is not ASCII in it is left for `check_token` to find."""
    return file.read(_LARGEST).decode("ascii", "replace")


def read_token_file(path: str) -> str:
    """Read the file that NOSTRA_TOKEN_FILE names; raises UsageProblem."""
    try:
        with Path(path).open("rb") as file:
            return read_token(file)
    except OSError as error:
        raise UsageProblem(
            f"cannot read the token file {path}: {error.strerror}",
            "mend NOSTRA_TOKEN_FILE or unset it",
        ) from error
