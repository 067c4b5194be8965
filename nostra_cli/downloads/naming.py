"""File names from ids: unique, safe on every system, inside the chosen directory."""

from __future__ import annotations

import hashlib
import string
import unicodedata
from collections.abc import Mapping

from nostra_cli.errors import UsageProblem

PRIMARY_TEMPLATE = "{invocation}.{format}"
OTHER_TEMPLATE = "{invocation}-{result}.{format}"
FIELDS = ("invocation", "result", "format")

MAX_NAME = 255
# ~ marks a shortened name; [ could begin a pattern of the shell or, as ##[...], a command in the
# log of a CI job.
_UNSAFE = frozenset('%/\\:*?"<>|~[')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "123456789\u00b9\u00b2\u00b3"]
)


def check_template(template: str) -> str:
    """Return a valid `--name` template; raises UsageProblem for another."""
    hint = "use a file name with {invocation}, {result} and {format} in it"
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageProblem(f"--name {template!r}: {error}", hint) from error
    for _text, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            raise UsageProblem(f"--name {template!r}: unknown field {{{name}}}", hint)
    control = any(unicodedata.category(character) == "Cc" for character in template)
    if not template or control or set("/\\") & set(template):
        raise UsageProblem(f"--name {template!r} is not a plain file name", hint)
    return template


def file_name(template: str, fields: Mapping[str, str]) -> str:
    """Fill a valid template with safe forms of `fields`.

    Special characters of file systems and shells are percent-encoded, so that different values
    give different names; a name of more than 255 bytes is cut and ends in a hash of all of it.
    """
    name = template.format_map({key: _encode(value) for key, value in fields.items()})
    if not name:
        return "%"
    if not fits(name):
        name = _shorten(name)
    stem = name.split(".", 1)[0].rstrip(" ").casefold()
    if name[0] in ".-" or stem in _DEVICES:
        name = _percent(name[0]) + name[1:]
    if name[-1] in ". ":
        name = name[:-1] + _percent(name[-1])
    return name if fits(name) else _shorten(name)


def fits(name: str) -> bool:
    """Return whether a file system accepts a name of this length (255 bytes of UTF-8)."""
    return len(name.encode("utf-8", "surrogatepass")) <= MAX_NAME


def _encode(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return "".join(c if _is_plain(c) else _percent(c) for c in text)


def _is_plain(character: str) -> bool:
    return character not in _UNSAFE and unicodedata.category(character)[0] not in "CZ"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _shorten(name: str) -> str:
    whole = name.encode("utf-8", "surrogatepass")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not 0 < len(suffix) <= 8:
        stem, dot, suffix = name, "", ""
    tail = f"~{hashlib.sha256(whole).hexdigest()[:16]}{dot}{suffix}"
    room = MAX_NAME - len(tail.encode())
    return stem.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore") + tail
