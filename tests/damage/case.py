"""One random case: the versions of a body, and how the server responds to each request."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nostra_cli.downloads.verify.level import Level
from nostra_cli.models import Format
from tests.downloads.bodies import archive

LARGE = 1_200_000  # bytes: a body that is read straight from its socket
RANGES = (
    "honest",
    "no-total",
    "short",
    "short-no-total",
    "wrong-total",
    "shifted",
    "wrong-length",
    "no-etag",
    "no-content-range",
    "multipart",
    "gzip",
    "ends-early",
    "too-much",
    "any-version",
    "ignored",
    "as-200",
    "416",
    "416-no-etag",
    "416-wrong",
)


@dataclass(frozen=True)
class Version:
    """A complete body of the server, under its validator; `sound` where its format is."""

    body: bytes
    validator: tuple[str, str] | None
    sound: bool


@dataclass(frozen=True)
class Step:
    """How the server responds to one request; shares are of the bytes that would be sent."""

    version: int
    framing: str = "length"
    gzip: bool = False
    range: str = "honest"
    cut: float | None = None
    damage: str | None = None
    place: float = 0.0
    failure: int | None = None


@dataclass(frozen=True)
class Case:
    """What is asked for, and what the server does; `steps` are followed by good responses."""

    seed: int
    format: Format
    level: Level
    stdout: bool
    versions: tuple[Version, ...]
    last: int
    steps: tuple[Step, ...] = field(default_factory=tuple)


def generate(seed: int) -> Case:
    """Make the case of a seed."""
    choice = random.Random(seed)
    format_ = choice.choice(list(Format))
    first = _version(choice, format_, 0)
    second = _version(choice, format_, 1)
    if choice.random() < 0.6:  # as long as the first, which is where a mixture shows nowhere else
        second = replace(second, body=first.body.replace(b"a", b"b"), sound=False)
    return Case(
        seed=seed,
        format=format_,
        level=choice.choice([Level.AUTO, Level.AUTO, Level.FULL, Level.OFF]),
        stdout=choice.random() < 0.2,
        versions=(first, second),
        last=choice.choice([0, 0, 1]),
        steps=tuple(_step(choice) for _ in range(choice.choice([1, 2, 3, 4, 6]))),
    )


def _step(choice: random.Random) -> Step:
    framing = choice.choice(["length", "length", "chunked", "chunked", "close"])
    packed = choice.random() < 0.1
    return Step(
        version=choice.choice([0, 0, 1]),
        framing=framing,
        gzip=packed,
        range=choice.choice(["honest", *RANGES]),
        # Nothing tells a cut from an end where the framing has no end.
        cut=choice.random() if choice.random() < 0.8 and (packed or framing != "close") else None,
        damage=choice.choice(["flip", "hole", "twice"]) if choice.random() < 0.15 else None,
        place=choice.random(),
        failure=choice.choice([500, 503, 429, 404, 401]) if choice.random() < 0.05 else None,
    )


def _version(choice: random.Random, format: Format, number: int) -> Version:
    size = LARGE if choice.random() < 0.01 else choice.choice([3, 300, 5000])
    body = _GOOD[format](choice, size)
    sound = choice.random() < 0.7
    if not sound:
        body = damaged(choice, body)
    date = f"Mon, 01 Jan 2024 10:00:{number:02} GMT"
    validator = choice.choice(
        [("ETag", f'"v{number}"')] * 5 + [("Last-Modified", date), ("ETag", f'W/"v{number}"'), None]
    )
    return Version(body, validator, sound)


def damaged(choice: random.Random, body: bytes) -> bytes:
    """Return a body with a hole, a cut, a flipped bit, a part twice or in another encoding."""
    start = choice.randrange(len(body))
    stop = min(len(body), start + choice.choice([1, 2, 16, 300]))
    kind = choice.choice(["cut", "hole", "flip", "twice", "latin-1", "utf-16", "zeros"])
    if kind == "cut":
        return body[:start]
    if kind == "hole":
        return body[:start] + body[stop:]
    if kind == "flip":
        flipped = body[start] ^ (1 << choice.randrange(8))
        return body[:start] + bytes([flipped]) + body[start + 1 :]
    if kind == "twice":
        return body[:stop] + body[start:]
    if kind == "zeros":
        return body[:start] + bytes(stop - start) + body[stop:]
    return body.decode("utf-8", "replace").encode(kind, "replace")


def _csv(choice: random.Random, size: int) -> bytes:
    cells = ["1", "größe", '"a, ""b"""', '"x\ny"', "", '5" pipe', "日本"]
    end = choice.choice(["\n", "\r\n"])
    row = end.join(",".join(choice.choices(cells, k=3)) for _ in range(40)) + end
    return ("id,name,x" + end + row * (size // len(row) + 1)).encode()


def _json(choice: random.Random, size: int) -> bytes:
    row = {"id": choice.randrange(10**6), "größe": '日本 \\ "', "x": [None, True, -1.5e3, {}]}
    text = json.dumps(row, ensure_ascii=choice.random() < 0.5)
    return ("[" + ", ".join([text] * (size // len(text) + 1)) + "]").encode()


def _xlsx(choice: random.Random, size: int) -> bytes:
    members = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}
    noise = "".join(choice.choices("abcdefgh<>/", k=min(size, 4000))) * (size // 4000 + 1)
    return archive({**members, "xl/worksheets/sheet1.xml": noise})


_GOOD: dict[Format, Callable[[random.Random, int], bytes]] = {
    Format.CSV: _csv,
    Format.JSON: _json,
    Format.XLSX: _xlsx,
}
