"""A client of a sandbox whose clock only sleeping advances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from nostra_cli.api.client import Service
from nostra_cli.config.credentials import Token
from nostra_cli.http.retry import NORMAL, Policy, Retrier
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import Transport
from nostra_cli.models import Format, Invocation
from nostra_cli.sandbox.server import Sandbox
from tests.sandbox.calling import faulty

STATUS = "/api/invocation/demo-dedup"


@dataclass
class World:
    """A client whose clock only sleeping advances."""

    base_url: str
    token: str
    seconds: float | None = None
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        deadline = Deadline(self.seconds, lambda: self.now)
        self.transport = Transport(self.base_url, Token(self.token), deadline)
        retrier = Retrier(deadline, sleep=self._sleep, random=lambda: 1.0)
        self.service = Service(self.transport, retrier)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def status(self, id_: str = "demo-dedup", policy: Policy = NORMAL) -> Invocation:
        return self.service.invocation(id_, policy)

    def body(self, headers: Mapping[str, str] | None = None, format: Format = Format.CSV) -> int:
        """Read a body to its end; return the status of the response."""
        with self.service.body("demo-dedup", None, format, headers) as response:
            list(response.chunks)
            return response.status


@contextmanager
def meeting(toml: str = "", seconds: float | None = None) -> Iterator[tuple[World, Sandbox]]:
    """Yield a client of a sandbox with this scenario."""
    with faulty(toml) as sandbox:
        world = World(sandbox.base_url, sandbox.token, seconds)
        try:
            yield world, sandbox
        finally:
            world.transport.close()
