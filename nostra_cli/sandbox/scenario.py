"""Scenarios: what goes wrong, when, and what there is to download, written by hand as TOML.

A `[[fault]]` changes the answers to the requests it matches; an `[invocation.NAME]` adds an
invocation, or gives one of the sandbox's own another life. Their keys are the fields of `Fault`
and :class:`Plan`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nostra_cli.sandbox.content import BLOCK_ROWS, Rows
from nostra_cli.sandbox.fault import Fault
from nostra_cli.sandbox.keys import FAULT_KEYS, PLAN_KEYS, Check, WrongValueError
from nostra_cli.sandbox.state import (
    DONE,
    Invocation,
    Life,
    Result,
    made_id,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FIRST_ROW_STEP = 1_000 * BLOCK_ROWS  # from one result of a batch to the next: no row in both


class ScenarioError(ValueError):
    """A scenario that cannot be used: one line that names the file, the rule and the key."""


@dataclass(frozen=True)
class Plan:
    """One `[invocation.NAME]`; what is None is as the sandbox has it.

    `results` are as many churn predictions of exactly `bytes` each, as JSON and CSV; without them
    the results are those of the type. With `seconds`, each status begins that long after the first
    poll; without, each poll sees the next one.
    """

    name: str
    type: str | None = None
    statuses: tuple[str, ...] | None = None
    seconds: tuple[float, ...] | None = None
    results: int | None = None
    bytes: int = 10_000

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
    """What goes wrong, and the invocations there are besides the sandbox's own."""

    faults: tuple[Fault, ...] = ()
    plans: tuple[Plan, ...] = ()

    def applied(self, invocations: tuple[Invocation, ...]) -> tuple[Invocation, ...]:
        """Give the invocations with the scenario's own added or put in their place."""
        known = {invocation.id: invocation for invocation in invocations}
        for plan in self.plans:
            known[plan.name] = plan.invocation(known.get(plan.name))
        return tuple(known.values())


def load(path: Path) -> Scenario:
    """Read a scenario; raises ScenarioError, also for a file that cannot be read."""
    try:
        document: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
        return parse(document)
    except OSError as reason:
        raise ScenarioError(f"{path}: {reason.strerror}") from reason
    except UnicodeDecodeError as reason:
        raise ScenarioError(f"{path}: not UTF-8") from reason
    except (tomllib.TOMLDecodeError, ScenarioError) as reason:
        raise ScenarioError(f"{path}: {reason}") from reason


def parse(document: Mapping[str, object]) -> Scenario:
    """Make a scenario of what a TOML file holds; ScenarioError names the rule and the key."""
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
        tuple(_plan(str(name), table) for name, table in plans.items()),
    )


def _fault(where: str, table: object) -> Fault:
    values = _values(where, table, FAULT_KEYS)
    if "path" not in values:
        raise ScenarioError(f"{where}: path: is missing")
    own = [key for key in ("detail", "page", "body", "body_hex", "serve") if key in values]
    if len(own) > 1:
        raise ScenarioError(f"{where}: {own[1]}: cannot be together with {own[0]}")
    return replace(Fault(), **values)


def _plan(name: str, table: object) -> Plan:
    where = f"invocation.{name}"
    plan = replace(Plan(name), **_values(where, table, PLAN_KEYS))
    if plan.seconds is not None and len(plan.seconds) != len(plan.statuses or ()):
        raise ScenarioError(f"{where}: seconds: must be as many as statuses")
    return plan


def _values(where: str, table: object, checks: Mapping[str, Check]) -> dict[str, Any]:
    """Check and convert each key of one rule."""
    if not isinstance(table, dict):
        raise ScenarioError(f"{where}: must be a table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in checks:
            raise ScenarioError(f'{where}: unknown key "{key}"')
        try:
            values[key] = checks[key](value)
        except WrongValueError as reason:
            raise ScenarioError(f"{where}: {key}: must be {reason}") from reason
    return values
