"""Paths and URLs as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nostra_cli.downloads.target import StoreUrl, parse_target
from nostra_cli.errors import UsageProblem


@pytest.mark.parametrize("text", ["s3://b", "s3://b/p", "abfs+x-y://c/p", "sftp://me@host/p"])
def test_urls(text: str) -> None:
    assert parse_target(text) == StoreUrl(text)
    assert str(parse_target(text)) == text


@pytest.mark.parametrize(
    "text", ["x", "a/b", "C:\\x", "://x", "a b://x", "s3:/b", "ü://x", "./s3://x"]
)
def test_paths(text: str) -> None:
    assert parse_target(text) == Path(text)


@pytest.mark.parametrize(
    ("folder", "joined"),
    [
        ("s3://b", "s3://b/x.csv"),
        ("s3://b/p/", "s3://b/p/x.csv"),
        ("file:///", "file:///x.csv"),
        ("memory://", "memory:///x.csv"),
    ],
)
def test_a_name_in_a_folder(folder: str, joined: str) -> None:
    found = StoreUrl(folder) / "x.csv"
    assert (found.url, found.name, found.scheme) == (joined, "x.csv", folder.partition(":")[0])


@pytest.mark.parametrize("text", ["sftp://me:secret@host/p", "s3://key:secret@b/p", "s3://:s@b"])
def test_a_password_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        parse_target(text)
    assert "secret" not in raised.value.message + raised.value.hint


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(UsageProblem, match="is not a path"):
        parse_target("a\0b")


def test_a_colon_elsewhere_is_no_password() -> None:
    for text in ("sftp://host:22/p", "s3://b/a:b@c"):
        assert parse_target(text) == StoreUrl(text)
