"""The Python sessions of the pages about data tools."""

from __future__ import annotations

import doctest
from typing import Any

from tests.docs.pages import block, page


def check(mark: str, replaced: dict[str, str] | None = None, **names: Any) -> None:
    """Run a Python session and hold each output against the page."""
    text = block(page("data-tools"), mark)
    for old, new in (replaced or {}).items():
        assert old in text
        text = text.replace(old, new)
    test = doctest.DocTestParser().get_doctest(text, names, mark, None, None)
    assert test.examples
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=failures.append)
    assert failures == [], "".join(failures)
