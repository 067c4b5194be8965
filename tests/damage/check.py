"""Play a case, and say what of its outcome must not be."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nostra_cli.api.client import Service
from nostra_cli.config.credentials import Token
from nostra_cli.downloads.plan import Item
from nostra_cli.downloads.stream import NoMeter
from nostra_cli.downloads.transfer import DownloadOptions, download
from nostra_cli.errors import NostraError
from nostra_cli.http.retry import Retrier
from nostra_cli.http.timeouts import Deadline
from nostra_cli.http.transport import Transport
from nostra_cli.models import Piece, Result
from tests.damage.case import Case, generate
from tests.damage.server import Server, content_of, serving


class Stdout(io.BytesIO):
    """A stdout in memory."""

    def write(self, data: Piece) -> int:  # type: ignore[override]
        return super().write(data)


@dataclass
class Outcome:
    """What one run gave: the bytes of the target (None: there is none), or what it raised."""

    body: bytes | None
    error: BaseException | None


class Player:
    """Plays cases against one server, with one pool of connections."""

    def __init__(self, server: Server, folder: Path) -> None:
        """Download into `folder`."""
        self._server = server
        self._folder = folder
        self.transport = Transport(server.url, Token("t0k3n-t0k3n"), Deadline())

    def problem_of(self, case: Case) -> str:
        """Play a case and then, where it failed, its last version alone; '' where all is well."""
        self._server.start(case, good=False)
        outcome = self._run(case)
        sent = list(self._server.sent)
        allowed = [version.body for version in case.versions]
        allowed += [content for wire in sent if (content := content_of(wire)) is not None]
        problem = _problem(outcome, allowed)
        if problem or outcome.error is None:
            return problem
        self._server.start(case, good=True)
        last = case.versions[case.last]
        again = self._run(case)
        problem = _problem(again, [last.body])
        if not problem and last.sound and again.error is not None:
            problem = f"the next run, of a sound body, failed: {again.error!r}"
        return problem and f"{problem} (after {outcome.error!r})"

    def _run(self, case: Case) -> Outcome:
        path, stdout = self._folder / f"x.{case.format}", Stdout()
        result = Result("r", True, "completed", frozenset({case.format}))
        item = Item("x", result, case.format, None if case.stdout else path, by_id=False)
        service = Service(self.transport, Retrier(Deadline(), sleep=lambda _seconds: None))
        options = DownloadOptions(level=case.level)
        error: BaseException | None = None
        try:
            download(service, item, options, NoMeter(), stdout)
        except Exception as raised:  # noqa: BLE001 - this is what is looked for
            error = raised
        if case.stdout:
            return Outcome(stdout.getvalue(), error)
        body = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        return Outcome(body, error)

    def left(self) -> list[str]:
        """List what is left in the folder, and remove it."""
        names = sorted(path.name for path in self._folder.iterdir())
        for name in names:
            (self._folder / name).unlink()
        return names


def _problem(outcome: Outcome, allowed: list[bytes]) -> str:
    if outcome.error is None:
        if outcome.body in allowed:
            return ""
        size = "no" if outcome.body is None else len(outcome.body)
        return f"exit 0 with {size} bytes that are no body of the server"
    if not isinstance(outcome.error, NostraError):
        return f"exit 1: {outcome.error!r}"
    return ""


@contextmanager
def playing() -> Iterator[Player]:
    """Yield a player with a server and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        player = Player(server, Path(folder))
        try:
            yield player
        finally:
            player.transport.close()


def failures(seeds: Iterable[int]) -> Iterator[str]:
    """Play the cases of these seeds; yields a line for each that fails."""
    with playing() as player:
        for seed in seeds:
            case = generate(seed)
            if problem := player.problem_of(case):
                yield f"python -m tests.damage --count 1 --seed {seed}  # {problem}"
            player.left()
