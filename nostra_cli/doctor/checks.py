"""All the checks, in the order in which one thing needs the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nostra_cli.config.credentials import Token
from nostra_cli.config.settings import Settings
from nostra_cli.doctor import connectivity as network
from nostra_cli.doctor import environment as surroundings
from nostra_cli.doctor import local, service
from nostra_cli.doctor.environment import Peer
from nostra_cli.doctor.finding import Finding, warning
from nostra_cli.http.timeouts import CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from nostra_cli.http.transport import Trace


def examine(
    settings: Settings,
    token: Token | None,
    problems: local.Problems,
    env: Mapping[str, str],
    trace: Trace | None = None,
) -> Iterator[Finding]:
    """Give what there is to say, each as soon as it is known; an error does not end it.

    `problems` are those of the settings, by their names; `trace` is told of the request.
    """
    yield from local.config_file(settings, problems, env)
    yield from local.effective(settings, problems)
    yield from surroundings.proxies(env)
    yield from surroundings.authorities(env)
    if "base_url" in problems:
        yield from _left_out("the base URL cannot be used", "see base_url")
        return
    most = settings.timeout.value or READ_SECONDS
    if (yield from _way(settings.base_url.value, min(CONNECT_SECONDS, most))):
        seconds = min(READ_SECONDS, most)
        yield from service.ask(settings.base_url.value, token, trace, seconds)
    else:
        yield from _left_out("the service was not reached", "see above")


def _way(base_url: str, seconds: float) -> network.Step:
    url, proxy = urlsplit(base_url), surroundings.proxy_of(base_url)
    if proxy is not None:
        hint = "check HTTPS_PROXY and NO_PROXY"
        return network.reach(proxy, "proxy_", hint, tls=False, seconds=seconds)
    tls = url.scheme == "https"
    peer = Peer(url.hostname or "", url.port or (443 if tls else 80))
    hint = "check the base URL and the network (nostra's proxy is HTTPS_PROXY)"
    return network.reach(peer, "", hint, tls, seconds)


def _left_out(why: str, hint: str) -> Iterator[Finding]:
    for check in ("request", "clock"):
        yield warning(check, f"not checked: {why}", hint)
