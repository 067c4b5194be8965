"""Every command in every odd environment ends as the contract allows, never with exit code 1.

A seeded sample runs with the suite. All pairs: NOSTRA_TEST_ENVIRONMENTS=all; another sample:
NOSTRA_TEST_ENVIRONMENTS=<seed>. NOSTRA_TEST_COMMAND takes only the command lines with that text.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

from nostra_cli.sandbox.server import Sandbox

if sys.platform == "win32":
    pytest.skip("shells and limits of POSIX", allow_module_level=True)

from tests.environment import commands, environments
from tests.environment.commands import Command, Need
from tests.environment.environments import Environment
from tests.environment.running import complaint, run

SAMPLE = 4
_ASKED = os.environ.get("NOSTRA_TEST_ENVIRONMENTS", "1")
_COMMAND = os.environ.get("NOSTRA_TEST_COMMAND", "")


def sample(environment: Environment) -> list[Command]:
    """Return the commands that meet an environment in this run."""
    fitting = [
        command
        for command in commands.ALL
        if _COMMAND in command.line and not (environment.terminal and Need.STDIN in command.needs)
    ]
    if _ASKED == "all":
        return fitting
    chosen = random.Random(f"{_ASKED} {environment}")
    return chosen.sample(fitting, min(SAMPLE, len(fitting)))


@pytest.mark.parametrize("environment", environments.ALL, ids=str)
def test_every_command_ends_as_the_contract_allows(
    environment: Environment, sandbox: Sandbox, tmp_path: Path
) -> None:
    if not environments.usable(environment.wrapper):
        pytest.skip(f"{environment.wrapper[0]} is not allowed here")
    complaints = []
    for number, command in enumerate(sample(environment)):
        folder = tmp_path / str(number)
        ended = run(environment, command, sandbox, folder)
        if found := complaint(environment, command, ended, sandbox.token):
            complaints.append(found)
    assert not complaints, "\n\n".join(complaints)
