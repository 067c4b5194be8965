"""Scenarios: faults and invocations, written by hand as TOML.

A `[[fault]]` changes the responses to the requests it matches; an `[invocation.NAME]` adds an
invocation or changes one of the sandbox's own. Their keys are the fields of `Fault` and `Plan`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nostra_cli.sandbox import keys
from nostra_cli.sandbox.content import BLOCK_ROWS, Rows
from nostra_cli.sandbox.fault import Fault
from nostra_cli.sandbox.keys import key
from nostra_cli.sandbox.state import DONE, TABLES_OF_TYPE, Invocation, Life, Result, made_id, typed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FIRST_ROW_STEP = 1_000 * BLOCK_ROWS  # from one result of a batch to the next: no row in both
_MAX_RESULTS = 10_000
_MIN_BYTES = 200  # has room for a row in each format
_STATUSES = keys.list_of(keys.TEXT, "a list of texts")
_SECONDS = keys.list_of(keys.SECONDS, "a list of numbers of seconds")


class ScenarioError(ValueError):
    """A scenario that cannot be used: one line that names the file, the rule and the key."""


@dataclass(frozen=True)
class Plan:
    """One `[invocation.NAME]`; None keeps what the sandbox has.

    `results` is the number of churn predictions of exactly `bytes` each, as JSON and CSV; without
    it the results are those of the type. `statuses` and `seconds` are those of `Life`.
    """

    name: str
    type: str | None = key(keys.one_of(*TABLES_OF_TYPE), None)
    statuses: tuple[str, ...] | None = key(_STATUSES, None)
    seconds: tuple[float, ...] | None = key(_SECONDS, None)
    results: int | None = key(keys.integer(1, _MAX_RESULTS), None)
    bytes: int = key(keys.integer(_MIN_BYTES), 10_000)

    def invocation(self, known: Invocation | None) -> Invocation:
        """Make the invocation, from the one of this name if there is one."""
        kind = self.type or "churn-prediction"
        made = known or Invocation(self.name, kind, DONE, typed(self.name, kind))
        if self.type is not None:
            made = replace(made, type=kind, results=typed(self.name, kind))
        if self.statuses is not None:
            made = replace(made, life=Life(self.statuses, self.seconds))
        if self.results is not None:
            made = replace(made, results=tuple(map(self._result, range(self.results))))
        return made

    def _result(self, number: int) -> Result:
        first = number * _FIRST_ROW_STEP
        contents = {kind: Rows(kind, self.bytes, first) for kind in ("json", "csv")}
        return Result(made_id(f"{self.name} {number}"), contents, primary=number == 0)


@dataclass(frozen=True)
class Scenario:
    """Faults, and the invocations that are added to the sandbox's own or replace them."""

    faults: tuple[Fault, ...] = ()
    plans: tuple[Plan, ...] = ()

    def applied(self, invocations: tuple[Invocation, ...]) -> tuple[Invocation, ...]:
        """Return the invocations with the scenario's own added or put in their place."""
        known = {invocation.id: invocation for invocation in invocations}
        for plan in self.plans:
            known[plan.name] = plan.invocation(known.get(plan.name))
        return tuple(known.values())


def load(path: Path) -> Scenario:
    """Read a scenario; raises ScenarioError, also for a file that cannot be read."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as reason:
        raise ScenarioError(f"{path}: {reason.strerror}") from reason
    except UnicodeDecodeError as reason:
        raise ScenarioError(f"{path}: not UTF-8") from reason
    except (tomllib.TOMLDecodeError, ScenarioError) as reason:
        raise ScenarioError(f"{path}: {reason}") from reason


def parse(document: Mapping[str, object]) -> Scenario:
    """Convert a TOML document to a scenario; ScenarioError names the rule and the key."""
    unknown = sorted(document.keys() - {"fault", "invocation"})
    if unknown:
        raise ScenarioError(f'unknown key "{unknown[0]}"')
    faults, plans = document.get("fault", []), document.get("invocation", {})
    if not isinstance(faults, list):
        raise ScenarioError("fault: must be written as [[fault]]")
    if not isinstance(plans, dict):
        raise ScenarioError("invocation: must be written as [invocation.NAME]")
    return Scenario(
        tuple(_fault(f"fault {number}", table) for number, table in enumerate(faults, 1)),
        tuple(_plan(name, table) for name, table in plans.items()),
    )


def _fault(where: str, table: object) -> Fault:
    values = _values(where, table, Fault)
    if "path" not in values:
        raise ScenarioError(f"{where}: path: is missing")
    own = [name for name in ("detail", "page", "body", "body_hex", "serve") if name in values]
    if len(own) > 1:
        raise ScenarioError(f"{where}: {own[1]}: cannot be together with {own[0]}")
    return Fault(**values)


def _plan(name: str, table: object) -> Plan:
    where = f"invocation.{name}"
    plan = Plan(name, **_values(where, table, Plan))
    if plan.seconds is not None and len(plan.seconds) != len(plan.statuses or ()):
        raise ScenarioError(f"{where}: seconds: must be as many as statuses")
    return plan


def _values(where: str, table: object, rule: type[Fault | Plan]) -> dict[str, Any]:
    """Check and convert each key of one rule."""
    if not isinstance(table, dict):
        raise ScenarioError(f"{where}: must be a table")
    kinds = keys.kinds_of(rule)
    for name, value in table.items():
        if name not in kinds:
            raise ScenarioError(f'{where}: unknown key "{name}"')
        if not kinds[name].accepts(value):
            raise ScenarioError(f"{where}: {name}: must be {kinds[name].words}")
    return {name: kinds[name].convert(value) for name, value in table.items()}
