"""Run all checks, each after those it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nostra_cli.config.credentials import Token
from nostra_cli.config.settings import Settings
from nostra_cli.doctor import environment, service
from nostra_cli.doctor import settings as settings_checks
from nostra_cli.doctor.check import Check, Status, skipped
from nostra_cli.http.timeouts import READ_SECONDS

if TYPE_CHECKING:
    from nostra_cli.http.transport import Trace


def run_checks(
    settings: Settings,
    token: Token | None,
    problems: settings_checks.Problems,
    env: Mapping[str, str],
    trace: Trace | None = None,
) -> Iterator[Check]:
    """Yield each check as soon as it ends; an error does not end the rest.

    `problems` are those of the settings, by name; the request is logged to `trace`.
    """
    base_url = settings.base_url.value
    yield from settings_checks.config_file(settings, problems, env)
    yield from settings_checks.effective(settings, problems)
    needed = [environment.proxy(base_url, env), *environment.ca_certificates(base_url, env)]
    yield from needed
    broken = ["base_url"] if "base_url" in problems else []
    broken += [check.name for check in needed if check.status is Status.ERROR]
    if broken:
        yield skipped("request", f"not sent: {broken[0]} cannot be used", broken[0])
    else:
        seconds = min(READ_SECONDS, settings.timeout.value or READ_SECONDS)
        yield service.check_request(base_url, token, trace, seconds)
