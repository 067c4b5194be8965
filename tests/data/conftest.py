"""What the tests with heavy packages share: one cluster, one S3 server, one batch of results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.data.store import Store, serving_s3
from tests.sandbox.calling import faulty

BATCH = [f"batch-{number:02}" for number in range(50)]
BATCH_BYTES = 20_000
_TOML = "".join(f'[invocation."{name}"]\nresults = 1\nbytes = {BATCH_BYTES}\n' for name in BATCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let other people's deprecations be: nothing of ours depends on them."""
    for item in items:
        if item.path.parent.name == "data":
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def service() -> Iterator[Sandbox]:
    """Yield a sandbox with a batch of invocations, and point this process at it."""
    with faulty(_TOML) as running, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("NOSTRA_")]:
            patch.delenv(name)
        patch.setenv("NOSTRA_BASE_URL", running.base_url)
        patch.setenv("NOSTRA_TOKEN", running.token)
        patch.setenv("NOSTRA_CONFIG", f"{os.devnull}/none")
        yield running


@pytest.fixture(scope="session")
def cluster(service: Sandbox) -> Iterator[Any]:
    """Yield a Dask client of three worker processes, which have this process's environment."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=2, processes=True, dashboard_address=None
        ) as running,
        distributed.Client(running) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Store]:
    """Yield a running S3 server."""
    pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    with serving_s3() as store:
        yield store


@pytest.fixture
def s3(s3_server: Store) -> Store:
    """Return the S3 server with an empty bucket."""
    s3_server.clear()
    return s3_server
