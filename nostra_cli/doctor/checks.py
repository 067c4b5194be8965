"""Run all checks, each after those it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nostra_cli.config.credentials import Token
from nostra_cli.config.settings import Settings
from nostra_cli.doctor import connectivity, environment, service
from nostra_cli.doctor import settings as settings_checks
from nostra_cli.doctor.check import Check, Status, skipped
from nostra_cli.doctor.connectivity import Peer
from nostra_cli.http.proxies import proxy_for
from nostra_cli.http.timeouts import CONNECT_SECONDS, READ_SECONDS

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
    proxy = environment.proxy(base_url, env)
    yield proxy
    yield from environment.ca_certificates(base_url, env)
    if "base_url" in problems:
        yield from _not_checked("the base URL cannot be used", "base_url")
    elif proxy.status is Status.ERROR:
        yield from _not_checked("the proxy cannot be used", "proxy")
    else:
        limit = settings.timeout.value or READ_SECONDS
        if (yield from _connection(base_url, min(CONNECT_SECONDS, limit))):
            yield from service.request(base_url, token, trace, min(READ_SECONDS, limit))
        else:
            yield from _not_checked("the service was not reached", "above")


def _connection(base_url: str, seconds: float) -> connectivity.Step:
    url, proxy = urlsplit(base_url), proxy_for(base_url)
    if proxy is not None:
        peer, hint = Peer(proxy.host, proxy.port), "check HTTPS_PROXY and NO_PROXY"
        return connectivity.reach(peer, "proxy_", hint, tls=False, seconds=seconds)
    tls = url.scheme == "https"
    peer = Peer(url.hostname or "", url.port or (443 if tls else 80))
    hint = "check the base URL and the network (a proxy is set with HTTPS_PROXY)"
    return connectivity.reach(peer, "", hint, tls, seconds)


def _not_checked(reason: str, other: str) -> Iterator[Check]:
    for name in ("request", "clock"):
        yield skipped(name, f"not checked: {reason}", other)
