"""Neutralise the strings of others before they are shown."""

from __future__ import annotations

import re

# Controls (C0, DEL, C1), what turns or hides text (bidi controls, zero width, line and paragraph
# separators, byte order mark), and surrogates, which no encoding takes.
_HARMFUL = (
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def sanitize(text: str) -> str:
    r"""Return the text with every harmful character as an escape: `\x1b`, `\u202e`, `\n`."""
    if text.isprintable():  # no harmful character is
        return text
    return re.sub(_HARMFUL, _escape, text)


def sanitize_lines(text: str) -> str:
    r"""Return text of several lines with every harmful character but `\n` and `\t` escaped."""
    return re.sub(_HARMFUL, lambda found: found[0] if found[0] in "\n\t" else _escape(found), text)


def sanitize_json(text: str) -> str:
    r"""Return JSON text with harmful characters as JSON escapes: the value stays the same."""
    text = text.replace("\x7f", "\\u007f")  # the one control character that JSON leaves alone
    if text.isascii():
        return text
    import json

    return "".join(json.dumps(c)[1:-1] if not c.isascii() and sanitize(c) != c else c for c in text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
