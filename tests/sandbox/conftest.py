"""One running sandbox for each test worker."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from nostra_cli.sandbox.server import Sandbox, serving
from tests.sandbox.calling import curl_api

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE_BYTES = 3_000_017  # some blocks of rows, and nothing round


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose `demo` is completed: each reading of its clock is 10 seconds later."""
    clock = partial(next, count(0.0, 10.0))
    with serving(large_bytes=LARGE_BYTES, clock=clock) as running:
        curl_api(running, "invocation/demo")
        yield running
