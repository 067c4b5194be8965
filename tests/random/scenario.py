"""Generate a scenario from a seed: invocations, faults and a command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from urllib.parse import quote

from nostra_cli.sandbox.fault import Fault
from nostra_cli.sandbox.scenario import Plan, Scenario
from nostra_cli.sandbox.state import Result as SandboxResult
from nostra_cli.sandbox.state import typed

FORMATS = ("json", "csv", "xlsx")
TYPES = ("churn-prediction", "deduplication", "insights")
IN_PROGRESS = ("queued", "running", "R\u00e9ady soon", "\x1b[31mred\x1b[0m", "[bold]x[/bold]")
FAILED = ("failed", "error", "CANCELLED", "canceled")
_WHOLE = ("ok", "members")
_DAMAGED = ("truncated", "bad-crc")
PASSING = (408, 425, 429, 500, 502, 503, 504, 522)


@dataclass(frozen=True)
class Trouble:
    """A fault, the retries it costs, and its possible exit codes (none if it is temporary)."""

    fault: Fault
    retries: int = 0
    codes: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Job:
    """One invocation: its statuses (none if it does not exist) and its faults."""

    id: str
    type: str = "churn-prediction"
    statuses: tuple[str, ...] = ("completed",)
    status_trouble: Trouble | None = None
    body_trouble: Trouble | None = None

    @property
    def last(self) -> str:
        """The last status."""
        return self.statuses[-1].lower() if self.statuses else "missing"

    @property
    def results(self) -> tuple[SandboxResult, ...]:
        """Its results."""
        return typed(self.id, self.type)

    def rules(self) -> list[Fault]:
        """Return its faults as rules of the sandbox."""
        path = f"/api/invocation/{quote(self.id, safe='')}"
        found = []
        if self.body_trouble:
            found.append(replace(self.body_trouble.fault, path=f"{path}/*"))
        if self.status_trouble:
            found.append(replace(self.status_trouble.fault, path=path))
        return found


@dataclass(frozen=True)
class Run:
    """A command line, the service, and the environment of the run."""

    seed: int
    command: str
    jobs: tuple[Job, ...]
    options: tuple[str, ...]
    terminal: bool
    columns: int
    old: frozenset[str]
    """Names of the files that exist before the run."""
    signal: int | None
    signal_after: float
    """Seconds from the start of the run."""

    @property
    def argv(self) -> list[str]:
        """The command line without the program's name."""
        return [self.command, *(job.id for job in self.jobs), *self.options]

    @property
    def scenario(self) -> Scenario:
        """The invocations and faults as the sandbox reads them."""
        plans = [
            Plan(job.id, type=job.type, statuses=job.statuses) for job in self.jobs if job.statuses
        ]
        return Scenario(tuple(rule for job in self.jobs for rule in job.rules()), tuple(plans))

    def has(self, *names: str) -> bool:
        """Return whether one of these words is among the options."""
        return any(name in self.options for name in names)


def body(job: Job, result: SandboxResult, format_: str) -> bytes:
    """Return the complete body that the sandbox serves."""
    content = result.contents[format_]
    return b"".join(content.chunks(0, content.size))


def generate(seed: int) -> Run:
    """Generate the run of a seed."""
    random = Random(seed)
    command = random.choice(("status", "wait", "wait", "download", "download", "download"))
    count = random.choice((1, 1, 2, 2, 3, 4, 6, 17))
    options = _options(random, command, count)
    waits = command == "wait" or "--wait" in options
    endless = command == "status" or "--timeout" in options or not waits
    jobs = tuple(_job(random, number, endless) for number in range(count))
    old = frozenset(
        f"{job.id}.csv" for job in jobs if command == "download" and random.random() < 0.15
    )
    interrupted = random.random() < 0.12
    return Run(
        seed,
        command,
        jobs,
        options,
        terminal=random.random() < 0.4 and "-" not in options,
        columns=random.choice((20, 80, 80, 120, 200)),
        old=old,
        signal=random.choice((1, 2, 15)) if interrupted else None,
        signal_after=random.uniform(0.0, 0.4),
    )


def _options(random: Random, command: str, count: int) -> tuple[str, ...]:
    options: list[str] = []

    def maybe(share: float, *words: str) -> None:
        if random.random() < share:
            options.extend(words)

    maybe(0.25, "--json")
    maybe(0.1, "-q")
    maybe(0.1, "-v")
    maybe(0.15, random.choice(("--color=always", "--color=never")))
    maybe(0.1, "--ci")
    if command == "status":
        maybe(0.3, "--exit-status")
    if command == "wait":
        maybe(0.2, "--any")
        maybe(0.2, "--fail-fast")
    if command == "download":
        maybe(0.5, "--wait")
        maybe(0.6, "-f", random.choice((*FORMATS, "all")))
        maybe(0.4, "--all-results")
        maybe(0.3, "-j", random.choice(("1", "2", "16")))
        maybe(0.2, "--checksums")
        maybe(0.3, random.choice(("--overwrite", "--skip-existing")))
        maybe(0.2, "--verify", random.choice(("full", "off")))
        maybe(0.1, "--no-resume")
        maybe(0.1, "-d", "folder/below")
        single = count == 1 and not {"--all-results", "all", "-d", "--checksums", "--ci"} & {
            *options
        }
        maybe(0.3 if single and "--json" not in options else 0.0, "-o", "-")
    if command == "wait" or "--wait" in options:
        maybe(0.4, "--timeout", random.choice(("15s", "60s")))
        maybe(0.2, "--interval", "1s")
    return tuple(options)


def _job(random: Random, number: int, endless: bool) -> Job:
    name = random.choice(("job-{}", "job-{}", "job-{}", "a{}.b", "\u00e9 t\u00e9 {}", "x%2F{}"))
    progress = tuple(random.choice(IN_PROGRESS) for _ in range(random.choice((0, 0, 0, 1, 2, 4))))
    end = random.random()
    statuses: tuple[str, ...] = (*progress, "completed")
    if end < 0.12:
        statuses = (*progress, random.choice(FAILED))
    elif end < 0.18:
        statuses = ()
    elif end < 0.26 and endless:
        statuses = ("running",)
    return Job(
        name.format(number),
        random.choice(TYPES),
        statuses,
        _status_trouble(random) if random.random() < 0.3 else None,
        _body_trouble(random) if random.random() < 0.4 else None,
    )


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


def _status_trouble(random: Random) -> Trouble:
    times = random.choice((1, 1, 2, 3))
    if random.random() < 0.75:
        passing = (
            Fault(status=random.choice(PASSING), times=times),
            Fault(status=429, retry_after=random.choice(("0", "1", "-1", "soon")), times=times),
            Fault(drop=True, times=times),
            Fault(cut_after=random.choice((0, 1, 10)), times=times),
            Fault(reset=True, times=times),
            Fault(cut_after=5, reset=True, times=times),
            Fault(framing=random.choice(("chunked", "close"))),
            Fault(gzip=random.choice(_WHOLE)),
            Fault(delay=random.choice((0.02, 0.3))),
        )
        return Trouble(random.choice(passing), retries=times)
    lasting = (
        Trouble(Fault(status=random.choice(PASSING)), 30, _codes(6)),
        Trouble(Fault(drop=True), 30, _codes(6)),
        Trouble(Fault(status=401), 0, _codes(3)),
        Trouble(Fault(status=random.choice((400, 409, 501))), 0, _codes(6)),
        Trouble(Fault(page="Sign in"), 0, _codes(7)),
        Trouble(Fault(body=random.choice(("[]", "{}", '{"status": 5}', "nul", ""))), 0, _codes(7)),
        Trouble(Fault(body='{"status":"completed","invocationResults":[]}'), 0, _codes(4, 7)),
        Trouble(Fault(status=204), 0, _codes(7)),
    )
    return random.choice(lasting)


def _body_trouble(random: Random) -> Trouble:
    times, cut = random.choice((1, 1, 2)), random.choice((0, 1, 100, 700, 5000))
    if random.random() < 0.7:
        passing = (
            Fault(status=random.choice(PASSING), times=times),
            Fault(cut_after=cut, times=times),
            Fault(cut_after=cut, reset=True, times=times),
            Fault(cut_after=cut, framing="chunked", times=times),
            Fault(cut_after=cut, ranges=False, times=times),
            Fault(cut_after=cut, changing=True, times=times),
            Fault(cut_after=cut, etag='W/"weak"', times=times),
            Fault(drop=True, times=times),
            Fault(framing="chunked"),
            Fault(framing="close"),
            Fault(gzip=random.choice(_WHOLE)),
            Fault(ranges=False),
            Fault(range_shift=random.choice((-3, 3))),
            Fault(ignore_if_range=True),
            Fault(etag='"other-{attempt}"'),
        )
        return Trouble(random.choice(passing), retries=times)
    lasting = (
        Trouble(Fault(status=random.choice(PASSING)), 30, _codes(6)),
        Trouble(Fault(drop=True), 30, _codes(6)),
        Trouble(Fault(cut_after=50, ranges=False), 30, _codes(7)),
        Trouble(Fault(cut_after=50, framing="chunked", ranges=False), 30, _codes(7)),
        Trouble(Fault(length_off=10, ranges=False), 30, _codes(7)),
        Trouble(Fault(page="Sign in"), 0, _codes(7)),
        Trouble(Fault(status=204), 0, _codes(7)),
        Trouble(Fault(status=404), 0, _codes(4)),
        Trouble(Fault(status=403), 0, _codes(3)),
        Trouble(Fault(status=410), 0, _codes(6)),
        Trouble(Fault(gzip=random.choice(_DAMAGED)), 30, _codes(7)),
    )
    return random.choice(lasting)
