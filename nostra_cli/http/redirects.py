"""A request and what a redirect makes of it: every hop is looked at before it is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import httpx

from nostra_cli.config.credentials import is_loopback
from nostra_cli.errors import ServiceProblem

MOST_REDIRECTS = 20
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_IDEMPOTENT = _SAFE | {"PUT", "DELETE"}
# Which body is wanted, and no more: any other header may be a secret of its first receiver.
_FOR_ANYONE = frozenset({"accept", "range", "if-range"})
_HINT = "check the base URL; a proxy or a login page may stand in between"


def is_idempotent(method: str) -> bool:
    """Tell whether a request may be sent twice (RFC 9110, 9.2.2); POST and PATCH may not."""
    return method in _IDEMPOTENT


class Asked(NamedTuple):
    """One request, but for the token."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows if it was carried out."""
        return is_idempotent(self.method)

    def redirected(self, status: int, location: str) -> Asked:
        """Give the request that follows this one (RFC 9110, 15.4).

        What changes something goes on as a GET, or, with its body, to the same origin only.
        Raises ServiceProblem for a redirect that must not be followed.
        """
        url = _next_hop(self.url, location)
        foreign = origin(url) != origin(self.url)
        kept = self.headers.items()
        headers = {k: v for k, v in kept if not foreign or k.lower() in _FOR_ANYONE}
        if self.method in _SAFE and self.content is None:
            return Asked(self.method, url, headers)
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            bare = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
            return Asked("HEAD" if self.method == "HEAD" else "GET", url, bare)
        if foreign:
            raise ServiceProblem(
                f"{self.url.host} redirects a {self.method} to {url.scheme}://{url.host}", _HINT
            )
        return Asked(self.method, url, headers, self.content)


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Give what the token is bound to: scheme, host and port."""
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _next_hop(url: httpx.URL, location: str) -> httpx.URL:
    """Give the URL a redirect leads to; raise ServiceProblem for one that must not be followed."""
    try:
        target = url.join(location).copy_with(username=None, password=None)
        host = target.host  # a host that cannot be decoded is found out here
    except (httpx.InvalidURL, ValueError) as error:
        raise not_a_url(url) from error
    if target.scheme not in ("http", "https") or not host:
        raise ServiceProblem(f"{url.host} redirects to a {target.scheme}: URL", _HINT)
    if target.scheme == "http" and (url.scheme == "https" or not is_loopback(target.host)):
        raise ServiceProblem(
            f"{url.host} redirects to http://{target.host}, which is not encrypted", _HINT
        )
    return target


def not_a_url(url: httpx.URL) -> ServiceProblem:
    """Make the error for a URL, or one it redirects to, that is none."""
    where = url.netloc.decode("ascii", "replace").rpartition("@")[2]
    return ServiceProblem(
        f"{where} is not a host, or redirects to what is not a URL", "check the base URL"
    )
