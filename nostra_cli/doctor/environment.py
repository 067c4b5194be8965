"""Check the environment variables of proxies and certificate authorities."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from nostra_cli.doctor.check import Check, failed, passed, warning
from nostra_cli.errors import UsageProblem
from nostra_cli.http.proxies import parse_proxy, proxy_for
from nostra_cli.http.tls import CaKind, ca_source, is_hashed, load_ca_certificates


def proxy(base_url: str, env: Mapping[str, str]) -> Check:
    """Check the proxy for the base URL; the user in its URL is not shown."""
    named = [name for name in ("HTTPS_PROXY", "ALL_PROXY") if _variable(env, name)]
    if not named:
        return passed("proxy", "none: neither HTTPS_PROXY nor ALL_PROXY is set")
    try:
        found = proxy_for(base_url)
        parse_proxy(_variable(env, named[0]))
    except UsageProblem as problem:
        if _needs_tls(base_url):
            return failed("proxy", UsageProblem(f"{named[0]}: {problem.message}", problem.hint))
        return warning("proxy", f"{named[0]}: {problem.message}", problem.hint)
    if found is not None:
        return passed("proxy", f"{found} ({named[0]})")
    if not _needs_tls(base_url):
        return passed("proxy", f"none for http://; {named[0]} is for https:// only")
    return passed("proxy", f"none for {urlsplit(base_url).hostname}: NO_PROXY names it")


def _variable(env: Mapping[str, str], name: str) -> str:
    """Return the effective value: lower case comes first, even if empty."""
    return env.get(name.lower(), env.get(name, ""))


def _needs_tls(base_url: str) -> bool:
    return urlsplit(base_url).scheme == "https"


def ca_certificates(base_url: str, env: Mapping[str, str]) -> Iterator[Check]:
    """Check the certificate authorities that TLS trusts, and report their source."""
    name, source = "ca_certificates", ca_source(env)
    where = f"{source.kind.value}: {source.path}" if source.path else source.kind.value
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if source.kind is not CaKind.PLATFORM:
            load_ca_certificates(context, source)
    except UsageProblem as problem:
        broken = _needs_tls(base_url)
        yield failed(name, problem) if broken else warning(name, problem.message, problem.hint)
        return
    hashed = any(map(is_hashed, source.path.split(os.pathsep)))
    if source.kind is CaKind.DIRECTORY and not hashed:
        detail = f"{where} has no certificate under the name that OpenSSL looks for"
        yield warning(name, detail, f"openssl rehash {source.path}")
    else:
        count = context.cert_store_stats()["x509_ca"]
        yield passed(name, f"{where} ({count} certificates)" if count else where)
    if source.kind is CaKind.FILE and env.get("SSL_CERT_DIR"):
        yield passed(name, "SSL_CERT_DIR is not used: SSL_CERT_FILE comes first")
