"""Previews of results and files in this process, without progress."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nostra_cli.downloads.batch import Metering
from nostra_cli.http.timeouts import DEFAULT_LOW_SPEED
from nostra_cli.models import Format
from nostra_cli.preview.first_rows import Preview, PreviewOptions
from nostra_cli.preview.local import preview_file
from nostra_cli.preview.remote import preview_result
from tests.asking import World
from tests.faults.raw import Raw, head, listening, ok


class NoMeter:
    def start(self, done: int, total: int | None) -> None:
        pass

    def advance(self, count: int) -> None:
        pass


@contextmanager
def no_meter(_label: str) -> Iterator[NoMeter]:
    yield NoMeter()


@contextmanager
def no_progress(_count: int) -> Iterator[Metering]:
    yield no_meter


def preview(
    world: World,
    invocation: str = "demo-dedup",
    result: str | None = None,
    format: Format | None = None,
    rows: int = 3,
    stats: bool = False,
) -> Preview:
    """Preview a result of a service."""
    options = PreviewOptions(format, rows, stats)
    return preview_result(
        world.service, invocation, result, options, DEFAULT_LOW_SPEED, no_progress
    )


@contextmanager
def world_at(raw: Raw) -> Iterator[World]:
    """Yield the service that a raw socket is."""
    world = World(raw.base_url, "t0ken")
    try:
        yield world
    finally:
        world.transport.close()


def preview_response(
    body: bytes,
    *headers: str,
    format: Format | None = None,
    rows: int = 3,
    stats: bool = False,
) -> Preview:
    """Preview what a server without ranges responds to everything."""

    def handle(connection: socket.socket, _number: int) -> None:
        while head(connection):
            connection.sendall(ok(body, *headers))

    with listening(handle) as raw, world_at(raw) as world:
        return preview(world, format=format, rows=rows, stats=stats)


def preview_path(
    path: Path, format: Format | None = None, rows: int = 3, stats: bool = False
) -> Preview:
    """Preview a file."""
    return preview_file(str(path), PreviewOptions(format, rows, stats))
