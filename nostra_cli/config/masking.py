"""Mask the token in shown text, however it is encoded."""

from __future__ import annotations

import re
from functools import cache

MASK = "***"
_LONG = 16
_SHORT = 8


def mask_token(token: str, text: str, by_service: bool = False) -> str:
    """Return the text with `***` in place of the token; `by_service`: the service wrote all of it.

    A long random token never occurs by chance. A short one or a common word (`test`, `1`) does, in
    ids, hashes and our own messages: it is masked as a whole word, and only in text of the service.
    """
    if len(text) < len(token):  # no form is shorter; to compile the pattern takes 1.5 ms
        return text
    if _is_distinctive(token):
        return _pattern(token).sub(MASK, text)
    return _pattern(token, as_word=True).sub(MASK, text) if by_service else text


def _is_distinctive(token: str) -> bool:
    mixed = any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    return len(token) >= _LONG or (len(token) >= _SHORT and mixed)


@cache
def _pattern(token: str, as_word: bool = False) -> re.Pattern[str]:
    """Compile what matches a token of ASCII characters as it is, percent-encoded or in base64."""
    import base64

    plain = token.encode("ascii", "backslashreplace")
    base64_forms = {base64.b64encode(plain), base64.urlsafe_b64encode(plain)}
    forms = ["".join(map(_any_form, token))]
    forms += [re.escape(form.decode().rstrip("=")) + "={0,2}" for form in base64_forms]
    pattern = "|".join(forms)
    return re.compile(rf"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])" if as_word else pattern)


def _any_form(character: str) -> str:
    r"""Match a character as it is, or as URLs (%2f), JSON (\u002f, \") and HTML write it."""
    code = f"{ord(character):02x}"
    digits = "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in code)
    return (
        rf"(?:\\?{re.escape(character)}|%{digits}|\\u00{digits}|\\x{digits}"
        rf"|&#{ord(character)};|&#x{digits};)"
    )
