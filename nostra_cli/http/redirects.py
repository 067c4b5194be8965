"""Requests and their redirects; each redirect is checked before it is followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import httpx

from nostra_cli.config.credentials import is_loopback
from nostra_cli.errors import ServiceProblem

MAX_REDIRECTS = 20
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_IDEMPOTENT = _SAFE | {"PUT", "DELETE"}
# Any other header may hold a secret for the first origin.
_CROSS_ORIGIN_HEADERS = frozenset({"accept", "range", "if-range"})
_HINT = "check the base URL; a proxy or a login page may stand in between"


def is_idempotent(method: str) -> bool:
    """Return whether a request may be sent twice (RFC 9110, 9.2.2); POST and PATCH may not."""
    return method in _IDEMPOTENT


class Request(NamedTuple):
    """One request, without the token."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = None

    def redirected(self, status: int, location: str) -> Request:
        """Return the next request (RFC 9110, 15.4).

        An unsafe method becomes a GET, or is sent again, with its body, to the same origin only.
        Raises ServiceProblem for a redirect that must not be followed.
        """
        url = redirect_target(self.url, location)
        cross_origin = origin(url) != origin(self.url)
        headers = {
            name: value
            for name, value in self.headers.items()
            if not cross_origin or name.lower() in _CROSS_ORIGIN_HEADERS
        }
        if self.method in _SAFE and self.content is None:
            return Request(self.method, url, headers)
        if status == 303 or (status in (301, 302) and self.method == "POST"):
            bare = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
            return Request("HEAD" if self.method == "HEAD" else "GET", url, bare)
        if cross_origin:
            raise ServiceProblem(
                f"{self.url.host} redirects a {self.method} to {url.scheme}://{url.host}", _HINT
            )
        return Request(self.method, url, headers, self.content)


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Return scheme, host and port: the token is bound to them."""
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def redirect_target(url: httpx.URL, location: str) -> httpx.URL:
    """Return the URL a redirect leads to; raises ServiceProblem if it must not be followed."""
    try:
        target = url.join(location).copy_with(username=None, password=None)
        host = target.host  # raises for a host that cannot be decoded
    except (httpx.InvalidURL, ValueError) as error:
        raise invalid_url(url) from error
    if target.scheme not in ("http", "https") or not host:
        raise ServiceProblem(f"{url.host} redirects to a {target.scheme}: URL", _HINT)
    if target.scheme == "http" and (url.scheme == "https" or not is_loopback(target.host)):
        raise ServiceProblem(
            f"{url.host} redirects to http://{target.host}, which is not encrypted", _HINT
        )
    return target


def invalid_url(url: httpx.URL) -> ServiceProblem:
    """Return the error for a URL that is invalid or redirects to an invalid one."""
    where = url.netloc.decode("ascii", "replace").rpartition("@")[2]
    return ServiceProblem(
        f"{where} is not a valid host, or redirects to an invalid URL", "check the base URL"
    )
