"""Fetch the version of a body and ranges of it, for programs that read from any position."""

from __future__ import annotations

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.stream import (
    BodyStream,
    NoMeter,
    StopStream,
    StreamOptions,
    stream_body,
)
from nostra_cli.errors import Corrupt
from nostra_cli.http.timeouts import LowSpeed
from nostra_cli.models import Piece


def fetch_version(service: Service, item: Item, low_speed: LowSpeed) -> BodyVersion | None:
    """Request one byte, to learn the version of a body and, if the server sends it, its length."""
    sink = _VersionSink()
    options = StreamOptions(low_speed=low_speed)
    stream_body(service, item, sink, NoMeter(), options, stop=1)
    return sink.version


class _VersionSink(Sink):
    """Keep the version of a body, and none of its bytes."""

    def __init__(self) -> None:
        self.size = 0
        self.version: BodyVersion | None = None

    def restart(self, version: BodyVersion) -> None:
        self.version = version

    def write(self, _data: Piece) -> None:
        raise StopStream


def fetch_range(
    service: Service, item: Item, version: BodyVersion, start: int, stop: int, low_speed: LowSpeed
) -> bytes:
    """Return the bytes from `start` up to `stop` of a body that is still of `version`.

    `version` needs a validator. Raises Corrupt if the body has changed.
    """
    sink = _RangeSink(start, version, item.label)
    options = StreamOptions(low_speed=low_speed)
    BodyStream(service, item, sink, NoMeter(), options, stop).run()
    return bytes(sink.data)


class _RangeSink(Sink):
    """Hold a range in memory; `size` includes the bytes before it."""

    def __init__(self, start: int, version: BodyVersion, label: str) -> None:
        self.size = start
        self.version: BodyVersion | None = version
        self.data = bytearray()
        self._label = label

    def restart(self, version: BodyVersion) -> None:  # noqa: ARG002 - part of the protocol
        raise Corrupt(f"{self._label} changed while it was read", "open it again")

    def write(self, data: Piece) -> None:
        self.data += data
        self.size += len(data)
