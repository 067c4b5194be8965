"""The environment that httpx and OpenSSL look at: proxies and certificate authorities."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from nostra_cli.doctor.finding import Finding, fine, warning, wrong
from nostra_cli.errors import UsageProblem

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LIKE = "it looks like http://proxy.example:8080"


class Peer(NamedTuple):
    """Whom a connection is made to."""

    host: str
    port: int


def proxies(env: Mapping[str, str]) -> Iterator[Finding]:
    """Check the variables that name proxies; of their URLs no user and no password is shown."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        value = _variable(env, name)
        if not value:
            yield fine(name, "not set")
            continue
        try:
            url = _proxy_url(value)
        except ValueError:
            problem = UsageProblem(f"{name} is not the URL of an http proxy", f"mend it: {_LIKE}")
            yield wrong(name, problem)
            continue
        user = "***@" if "@" in url.netloc else ""
        yield fine(name, f"{url.scheme}://{user}{url.netloc.rpartition('@')[2]}")
    yield fine("NO_PROXY", _variable(env, "NO_PROXY") or "not set")


def _variable(env: Mapping[str, str], name: str) -> str:
    """Give a variable as it counts: lower case comes first, also when it is empty."""
    return env.get(name.lower(), env.get(name, ""))


def _proxy_url(text: str) -> SplitResult:
    """Read a proxy as httpx does; raises ValueError for what it cannot use."""
    url = urlsplit(text if "://" in text else f"http://{text}")
    known = url.scheme in _PORTS and (url.scheme[:5] != "socks" or find_spec("socksio") is not None)
    # An @ behind the host belongs to a password with a / or a # in it.
    torn = "@" in f"{url.path}{url.query}{url.fragment}"
    if not known or not url.hostname or url.port == 0 or torn:
        raise ValueError("not the URL of a proxy")
    return url


def proxy_of(base_url: str) -> Peer | None:
    """Tell which proxy a request to `base_url` goes through, None where it goes directly."""
    from urllib.request import getproxies, proxy_bypass

    url, known = urlsplit(base_url), getproxies()
    if url.scheme == "http":  # which is for this machine only
        return None
    named = known.get(url.scheme) or known.get("all")
    spared = {name.strip() for name in known.get("no", "").split(",")}
    if not named or "*" in spared or proxy_bypass(url.netloc):
        return None
    try:
        proxy = _proxy_url(named)
    except ValueError:
        return None  # told of already
    return Peer(proxy.hostname or "", proxy.port or _PORTS[proxy.scheme])


def authorities(env: Mapping[str, str]) -> Iterator[Finding]:
    """Check SSL_CERT_FILE and SSL_CERT_DIR, in the order in which they count."""
    file, folder = env.get("SSL_CERT_FILE"), env.get("SSL_CERT_DIR")
    bundle = "not set" if folder else "not set: the authorities of certifi are trusted"
    yield _bundle(file) if file else fine("SSL_CERT_FILE", bundle)
    if file and folder:
        yield fine("SSL_CERT_DIR", "does not count: SSL_CERT_FILE is set")
    else:
        yield _directory(Path(folder)) if folder else fine("SSL_CERT_DIR", "not set")


def _bundle(file: str) -> Finding:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        reason = "no certificate in it can be read"
    except OSError as error:
        reason = error.strerror or "cannot be read"
    else:
        count = context.cert_store_stats()["x509_ca"]
        return fine("SSL_CERT_FILE", f"{file}, {count} certificate authorities")
    hint = "mend SSL_CERT_FILE or unset it"
    return wrong("SSL_CERT_FILE", UsageProblem(f"{file}: {reason}", hint))


def _directory(folder: Path) -> Finding:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        problem = UsageProblem(f"{folder}: {error.strerror}", "mend SSL_CERT_DIR or unset it")
        return wrong("SSL_CERT_DIR", problem)
    count = sum(bool(re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name)) for name in names)
    if not count:
        detail = f"{folder}: no certificate has the name that OpenSSL looks for"
        return warning("SSL_CERT_DIR", detail, f"openssl rehash {folder}")
    return fine("SSL_CERT_DIR", f"{folder}, {count} certificates")
