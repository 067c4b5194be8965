"""`nostra://` in pandas, DuckDB and Dask, each as its users use it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import fsspec
import pytest

from nostra_cli.sandbox.server import Sandbox
from tests.conftest import runner_for
from tests.data.conftest import BATCH
from tests.data.pages import check

pandas = pytest.importorskip("pandas")


@pytest.fixture
def downloaded(service: Sandbox, home: Path, tmp_path: Path) -> list[str]:
    """Return the paths of the batch's files, as the command line downloads them."""
    nostra = runner_for(service, home, tmp_path)
    ended = nostra("download", *BATCH, "-f", "csv", "-q")
    assert ended.code == 0
    return [str(tmp_path / name) for name in ended.out.split()]


def test_pandas(service: Sandbox, home: Path, tmp_path: Path) -> None:
    nostra = runner_for(service, home, tmp_path)
    assert nostra("download", "demo-dedup", "-f", "all").code == 0
    csv = pandas.read_csv(tmp_path / "demo-dedup.csv")
    pandas.testing.assert_frame_equal(pandas.read_csv("nostra://demo-dedup.csv"), csv)
    pandas.testing.assert_frame_equal(pandas.read_json("nostra://demo-dedup.json"), csv)
    pandas.testing.assert_frame_equal(pandas.read_excel("nostra://demo-dedup.xlsx"), csv)
    options = {"base_url": service.base_url}
    small = pandas.read_csv("nostra://demo-dedup.csv", nrows=5, storage_options=options)
    pandas.testing.assert_frame_equal(small, csv[:5])


def test_polars(service: Sandbox, home: Path, tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    pytest.importorskip("fastexcel")
    nostra = runner_for(service, home, tmp_path)
    assert nostra("download", "demo-dedup", "-f", "all").code == 0
    local = polars.read_excel(tmp_path / "demo-dedup.xlsx")
    with fsspec.open("nostra://demo-dedup.xlsx") as file:
        assert polars.read_excel(file).equals(local)
    with fsspec.open("nostra://demo-dedup.csv") as file:
        assert polars.read_csv(file).equals(local)


def test_pandas_over_a_cache_of_blocks_on_the_disk(service: Sandbox, tmp_path: Path) -> None:
    options = {"blockcache": {"cache_storage": str(tmp_path)}}
    for name in ("demo-dedup.csv", "demo-large.csv"):
        expected = pandas.read_csv(f"nostra://{name}")
        found = pandas.read_csv(f"blockcache::nostra://{name}", storage_options=options)
        pandas.testing.assert_frame_equal(found, expected)


def test_duckdb(service: Sandbox) -> None:
    duckdb = pytest.importorskip("duckdb")
    frame = pandas.read_csv("nostra://demo-large.csv")
    with duckdb.connect() as database:
        database.register_filesystem(fsspec.filesystem("nostra"))
        query = "select count(*), max(churnLikelihood) from read_csv('nostra://demo-large.csv')"
        [found] = database.sql(query).fetchall()
    assert found == (len(frame), frame["churnLikelihood"].max())


def test_dask_on_three_processes(service: Sandbox, cluster: Any, downloaded: list[str]) -> None:
    dataframe = pytest.importorskip("dask.dataframe")
    service.requests.clear()
    urls = [f"nostra://{name}.csv" for name in BATCH]
    lazy, local = (dataframe.read_csv(paths, blocksize=8_000) for paths in (urls, downloaded))
    assert lazy.npartitions >= 2 * len(BATCH)
    assert len(set(cluster.run(os.getpid).values()) - {os.getpid()}) == 3
    assert service.token.encode() not in pickle.dumps(dict(lazy.optimize().dask))
    assert lazy.npartitions == local.npartitions
    pandas.testing.assert_frame_equal(
        lazy.compute(scheduler=cluster), local.compute(scheduler="threads")
    )
    whole = dataframe.read_csv(urls, blocksize=None)
    expected = pandas.concat(map(pandas.read_csv, downloaded))
    pandas.testing.assert_frame_equal(whole.compute(scheduler=cluster), expected)


def test_an_error_comes_back_from_a_worker(service: Sandbox, cluster: Any) -> None:
    from nostra_cli.errors import NotReady

    def read() -> object:
        return pandas.read_csv("nostra://demo-stuck.csv")

    with pytest.raises(NotReady, match="still in progress") as raised:
        cluster.submit(read).result()
    assert "nostra wait demo-stuck" in raised.value.hint


def test_pages(service: Sandbox, cluster: Any) -> None:
    for module in ("duckdb", "polars", "fastexcel", "pyarrow"):
        pytest.importorskip(module)
    check("python: pandas")
    check("python: polars")
    check("python: duckdb")
    check("python: fsspec")
    check("python: dask", {"tcp://scheduler:8786": cluster.scheduler.address})


def test_costs(service: Sandbox, cluster: Any) -> None:
    dataframe = pytest.importorskip("dask.dataframe")
    service.requests.clear()
    fsspec.get_filesystem_class("nostra").clear_instance_cache()
    urls = [f"nostra://{name}.csv" for name in BATCH[:10]]
    frame = dataframe.read_csv(urls, blocksize=None)
    assert len(service.requests) == 10 + 1  # each status, and the start of the first file
    assert len(frame) > 0
    bodies = [request for request in service.requests if request.path.endswith("/csv")]
    assert len(bodies) == 10 + 1
