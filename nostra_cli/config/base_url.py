"""The base URL: which ones the token may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from nostra_cli.errors import UsageProblem

DEFAULT_BASE_URL = "https://nostradamus.u-hopper.com"


def check_base_url(text: str, origin: str) -> str:
    """Give the base URL without a slash at its end.

    Raises UsageProblem unless it is https (or http to this machine) with a host and no more than
    a path behind it.
    """
    hint = f"it looks like {DEFAULT_BASE_URL}"
    try:
        url = urlsplit(text.strip())
        host, _port = url.hostname, url.port
    except ValueError as error:
        raise UsageProblem(f"the base URL ({origin}) is not a URL", hint) from error
    plain = _is_host(host) and text.strip().isprintable() and not set(text.strip()) & set(" \\")
    if url.scheme not in ("http", "https") or not host or not plain:
        raise UsageProblem(f"the base URL ({origin}) is not an http(s) URL", hint)
    if "@" in url.netloc or set("?#") & set(text):
        raise UsageProblem(
            f"the base URL ({origin}) has a user name, a query or a fragment in it", hint
        )
    if url.scheme == "http" and not is_loopback(host):
        raise UsageProblem(
            f"the base URL ({origin}) is http:// to {host}: the token would travel in the clear",
            "use https:// (http:// is only for this machine, as with nostra sandbox)",
        )
    return text.strip().rstrip("/")


def _is_host(host: str | None) -> bool:
    if not host:
        return False
    if host.isascii():
        return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def is_loopback(host: str) -> bool:
    """Tell whether a URL's host is this machine: `localhost` or a loopback address."""
    if host.casefold() in ("localhost", "127.0.0.1", "::1"):
        return True
    import ipaddress  # for the rest of 127.0.0.0/8 and other ways to write it

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
