"""What is known of one column, gathered in one pass and in bounded memory."""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from nostra_cli.preview.kinds import Kind, Sorted

BINS = 16
_TOP = 5
_SAMPLE = 8_192
_LONGEST_KEPT = 200


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many of `sample` values lie in each part, equally wide, of the range of the column."""

    least: float
    most: float
    counts: tuple[int, ...]
    sample: int


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """A column of `filled` cells with something in them and `empty` ones.

    `distinct` values were counted, more than that where it is not `exact`. `least`, `most` and
    `mean` are of values of one kind, else None; `top` is by count, None where it is not known.
    """

    name: str
    kind: Kind
    kinds: dict[str, int]
    filled: int
    empty: int
    distinct: int
    exact: bool
    least: int | float | str | None
    most: int | float | str | None
    mean: float | None
    histogram: Histogram | None
    top: tuple[tuple[str, int], ...] | None


@dataclass(slots=True)
class _Numbers:
    """Numbers: their range, their sum, a fair sample of them."""

    count: int = 0
    total: int | float = 0
    least: int | float = math.inf
    most: int | float = -math.inf
    sample: list[int | float] = field(default_factory=list)
    _rate: float = 1.0
    _owed: float = 0.0
    # The same in each run; nothing is kept secret by it.
    _random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    def add(self, values: Sequence[int | float], whole: bool) -> None:
        self.count += len(values)
        self.total = sum(values, self.total) if whole else math.fsum((self.total, *values))
        least, most = min(values), max(values)
        self.least, self.most = min(self.least, least), max(self.most, most)
        self._owed += len(values) * self._rate
        wanted = min(int(self._owed), len(values))
        self._owed -= wanted
        chosen = values if self._rate == 1.0 else self._random.sample(values, wanted)
        self.sample.extend(chosen)
        while len(self.sample) > _SAMPLE:
            self.sample = self._random.sample(self.sample, len(self.sample) // 2)
            self._rate /= 2

    def histogram(self, whole: bool) -> Histogram:
        low, high = float(self.least), float(self.most)
        bins = int(min(BINS, high - low + 1)) if whole else BINS
        if low == high:
            return Histogram(low, high, (len(self.sample),), len(self.sample))
        scale = bins / (high - low)
        places = Counter(min(int((value - low) * scale), bins - 1) for value in self.sample)
        return Histogram(low, high, tuple(places[i] for i in range(bins)), len(self.sample))


@dataclass(slots=True)
class Column:
    """A column that is being read."""

    filled: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    _counts: Counter[str] = field(default_factory=Counter)
    _limit: int | None = None
    _numbers: _Numbers = field(default_factory=_Numbers)
    _ends: dict[Kind, tuple[str, str]] = field(default_factory=dict)

    def add(self, found: Sorted, limit: int) -> None:
        """Take the cells of some rows, by their kinds; count up to `limit` distinct values."""
        for kind, texts in found.items():
            self.filled += len(texts)
            self.kinds[kind] += len(texts)
            self._count(texts, limit)
            if kind in (Kind.INTEGER, Kind.NUMBER):
                whole = kind is Kind.INTEGER
                self._numbers.add(list(map(int if whole else float, texts)), whole)
            else:
                ends = (min(texts), max(texts), *self._ends.get(kind, ()))
                self._ends[kind] = min(ends), max(ends)

    def _count(self, texts: Sequence[str], limit: int) -> None:
        if self._limit is not None:
            return
        if max(map(len, texts)) > _LONGEST_KEPT:
            texts = list(map(_short, texts))
        self._counts.update(texts)
        if len(self._counts) > limit:
            self._limit = limit
            self._counts.clear()

    def kind(self) -> Kind:
        """Tell what the cells have in common."""
        kinds = set(self.kinds)
        if kinds == {Kind.INTEGER, Kind.NUMBER}:
            return Kind.NUMBER
        if len(kinds) > 1:
            return Kind.MIXED
        return kinds.pop() if kinds else Kind.EMPTY

    def stats(self, name: str, rows: int) -> ColumnStats:
        """Tell all, `rows` being how many there were."""
        kind, numbers = self.kind(), self._numbers
        numeric = kind in (Kind.INTEGER, Kind.NUMBER)
        least, most = self._range(kind)
        return ColumnStats(
            name=name,
            kind=kind,
            kinds=self._kinds(),
            filled=self.filled,
            empty=rows - self.filled,
            distinct=len(self._counts) if self._limit is None else self._limit,
            exact=self._limit is None,
            least=least,
            most=most,
            mean=numbers.total / numbers.count if numeric else None,
            histogram=numbers.histogram(kind is Kind.INTEGER) if numeric else None,
            top=self._top() if self._limit is None else None,
        )

    def _kinds(self) -> dict[str, int]:
        """Count by kind; among numbers that are not whole, whole ones are not told apart."""
        kinds = Counter(self.kinds)
        if Kind.NUMBER in kinds:
            kinds[Kind.NUMBER] += kinds.pop(Kind.INTEGER, 0)
        return {str(kind): count for kind, count in sorted(kinds.items())}

    def _range(self, kind: Kind) -> tuple[int | float | str | None, int | float | str | None]:
        if kind in (Kind.INTEGER, Kind.NUMBER):
            return self._numbers.least, self._numbers.most
        if kind not in self._ends:
            return None, None
        least, most = self._ends[kind]
        return _short(least), _short(most)

    def _top(self) -> tuple[tuple[str, int], ...]:
        # Among equals the first in the alphabet: the answer is the same in each run.
        return tuple(sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:_TOP])


def _short(text: str) -> str:
    """Give a long text as its beginning and a digest: as distinct as it is, and bounded."""
    if len(text) <= _LONGEST_KEPT:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{text[:100]}… ({len(text)} characters, {digest})"
