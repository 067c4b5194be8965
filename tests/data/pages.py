"""The README's pages about data tools and stores."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

_README = Path(__file__).parent.parent.parent / "README.md"


def page(mark: str) -> str:
    """Give the one fenced block behind `<!-- mark -->`."""
    text = _README.read_text(encoding="utf-8")
    [found] = re.findall(rf"^<!-- {mark} -->\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


def check(mark: str, replaced: dict[str, str] | None = None, **names: Any) -> None:
    """Run a Python session and hold each output against the page."""
    text = page(mark)
    for old, new in (replaced or {}).items():
        assert old in text
        text = text.replace(old, new)
    test = doctest.DocTestParser().get_doctest(text, names, mark, None, None)
    assert test.examples
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert said == [], "".join(said)
