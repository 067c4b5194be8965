"""A scripted service and a sink in memory; only the script and sleeping advance the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from nostra_cli.api.client import Service
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.resume import BodyVersion
from nostra_cli.downloads.sinks.protocol import Sink
from nostra_cli.downloads.stream import BodyStream, StreamOptions, stream_body
from nostra_cli.downloads.verify.level import Level
from nostra_cli.errors import Transient, Truncated
from nostra_cli.http.retry import BUDGET, Retrier
from nostra_cli.http.timeouts import Deadline, LowSpeed
from nostra_cli.http.transport import Response, Transport
from nostra_cli.models import Format, Piece, Result

BASE = "https://service.example"
URL = f"{BASE}/api/invocation/demo/csv"
ETAG = '"v1"'
RESULT = Result("main", True, "completed", frozenset(Format))
ITEM = Item("demo", RESULT, Format.CSV, Path("demo.csv"), by_id=False)
WHOLE = b"row,word\n" + b"".join(b"%03d,x\n" % n for n in range(100, 200))
SIZE = len(WHOLE)
VERSION = BodyVersion(URL, ETAG, None, SIZE)
CUT = Truncated("the body ended too early")
RESET = Transient("the connection broke off")

Step = bytes | float | Exception
"""A step of a body: bytes, a pause in seconds, or an error that ends it."""


@dataclass(frozen=True)
class Canned:
    """A response of the service to one request."""

    body: Sequence[Step]
    headers: Mapping[str, str]
    status: int = 200

    def but(self, **headers: str | None) -> Canned:
        """Change headers (`_` for `-`); None removes one."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        merged = {**self.headers, **changed}
        return replace(self, headers={k: v for k, v in merged.items() if v is not None})


def whole(*body: Step) -> Canned:
    """Return a 200 response with WHOLE, or with `body` in its place."""
    return Canned(body or (WHOLE,), {"content-length": str(SIZE), "etag": ETAG})


def rest(start: int, *body: Step) -> Canned:
    """Return a 206 response with the end of WHOLE, or with `body` in its place."""
    headers = {"content-range": f"bytes {start}-{SIZE - 1}/{SIZE}", "etag": ETAG}
    return Canned(body or (WHOLE[start:],), headers, 206)


class Memory:
    """A sink in memory, which may hold bytes of an earlier run."""

    def __init__(self, data: bytes = b"", version: BodyVersion | None = None) -> None:
        self.data = data
        self.version = version
        self.restarts = 0

    @property
    def size(self) -> int:
        return len(self.data)

    @size.setter
    def size(self, _value: int) -> None:
        raise AssertionError("a sink counts for itself")

    def restart(self, version: BodyVersion) -> None:
        self.data = b""
        self.version = version
        self.restarts += 1

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, self.size, 7):
            yield self.data[start : start + 7]

    def write(self, data: Piece) -> None:
        self.data += bytes(data)


class Scripted(Transport):
    """A transport without a network."""

    def __init__(self, world: World) -> None:
        self.base_url = BASE
        self._world = world

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body_seconds: float | None = None,
        content: bytes | None = None,
        max_pause: float | None = None,
    ) -> Iterator[Response]:
        assert (method, path, body_seconds) == (
            "GET",
            f"/api/invocation/demo/{self._world.item.format}",
            None,
        )
        answer = self._world.respond(dict(headers or {}))
        chunks = self._world.read(answer.body)
        yield Response(answer.status, answer.headers, chunks, "service.example", cross_origin=False)


Script = Sequence[Canned | Callable[[dict[str, str]], Canned]]
"""The responses to one request after the other, or functions of its headers."""


@dataclass
class World:
    """One fetch from a service that follows `script`."""

    script: Script
    sink: Sink = field(default_factory=Memory)
    level: Level = Level.FULL
    hashing: bool = True
    seconds: float | None = None
    low_speed: LowSpeed = field(default_factory=LowSpeed)
    item: Item = ITEM
    budget: int = BUDGET
    now: float = 0.0
    requests: list[dict[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    starts: list[tuple[int, int | None]] = field(default_factory=list)
    counted: int = 0
    stop: int | None = None
    streamed: BodyStream = field(init=False)

    def __post_init__(self) -> None:
        self.left = list(self.script)
        retrier = Retrier(
            deadline=Deadline(self.seconds, lambda: self.now),
            budget=self.budget,
            sleep=self._sleep,
            random=lambda: 1.0,
        )
        self.service = Service(Scripted(self), retrier)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def respond(self, headers: dict[str, str]) -> Canned:
        self.requests.append(headers)
        assert self.left, f"unexpected request: {headers}"
        response = self.left.pop(0)
        return response if isinstance(response, Canned) else response(headers)

    def read(self, body: Sequence[Step]) -> Iterator[bytes]:
        for step in body:
            if isinstance(step, bytes):
                yield step
            elif isinstance(step, Exception):
                raise step
            else:
                self.now += step

    def start(self, done: int, total: int | None) -> None:
        self.starts.append((done, total))
        self.counted = done

    def advance(self, count: int) -> None:
        self.counted += count

    def stream(self) -> None:
        """Fetch to the end."""
        options = StreamOptions(self.level, self.hashing, self.low_speed, lambda: self.now)
        args = (self.service, self.item, self.sink, self, options)
        self.streamed = stream_body(*args, stop=self.stop)

    def run(self) -> bytes:
        """Fetch to the end; return the bytes in the sink once all of the script was used."""
        assert isinstance(self.sink, Memory)
        self.stream()
        assert self.left == [], "not every response was requested"
        return self.sink.data

    @property
    def ranges(self) -> list[str | None]:
        """The Range of each request."""
        return [headers.get("Range") for headers in self.requests]
