"""Choose the proxy of a request from HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from nostra_cli.errors import UsageProblem

_HINT = "set HTTPS_PROXY to one like http://proxy.example:8080, or add the host to NO_PROXY"


class Proxy(NamedTuple):
    """An HTTP proxy, reached without TLS; its string is host and port."""

    host: str
    port: int
    user: str | None = None
    password: str = ""

    @property
    def credentials(self) -> tuple[bytes, bytes] | None:
        """User name and password as the environment has them, whatever the locale."""
        if not self.user:
            return None
        user, password = (
            text.encode("utf-8", "surrogateescape") for text in (self.user, self.password)
        )
        return user, password

    def __str__(self) -> str:
        """Return host and port, without the secret user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def proxy_for(url: str) -> Proxy | None:
    """Return the environment's proxy for `url`, or None.

    Plain http stays on this machine: no proxy may see its token. Raises UsageProblem for a proxy
    that is not supported.
    """
    from urllib.request import getproxies, proxy_bypass  # httpx has loaded it

    parts = urlsplit(url)
    if parts.scheme != "https":
        return None
    known = getproxies()
    named = known.get("https") or known.get("all")
    exempt = {name.strip() for name in known.get("no", "").split(",")}
    host, port = parts.hostname or "", parts.port or 443
    if not named or "*" in exempt or proxy_bypass(host) or proxy_bypass(f"{host}:{port}"):
        return None
    return parse_proxy(named)


def parse_proxy(text: str) -> Proxy:
    """Parse the URL of a proxy, whose scheme may be left out; raises UsageProblem."""
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        host, port = url.hostname or "", url.port
    except ValueError:
        raise UsageProblem("the proxy of the environment is not a valid URL", _HINT) from None
    # An @ after the host belongs to a password with a / or a # in it.
    misplaced = "@" in f"{url.path}{url.query}{url.fragment}"
    plain = host.isascii() and host.isprintable() and " " not in host
    if not (host and plain) or port == 0 or misplaced:
        raise UsageProblem("the proxy of the environment is not a valid URL", _HINT)
    if url.scheme != "http":
        raise UsageProblem(f"{url.scheme}:// proxies are not supported", _HINT)
    user = None if url.username is None else unquote(url.username)
    password = unquote(url.password or "")
    return Proxy(host, port or 80, user, password)
