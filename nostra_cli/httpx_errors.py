"""httpx's errors, told in our words: what happened, to which host, what to do next."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence

import httpx

from nostra_cli.errors import NostraError, ServiceProblem, Transient

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0


def told(error: httpx.HTTPError, url: httpx.URL) -> NostraError:
    """Turn httpx's error into ours; the host is named, the text of httpx is not trusted."""
    where = url.host
    chain = _chain(error)
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return _tls_problem(where, chain)
    if isinstance(error, httpx.ProxyError):
        return ServiceProblem(
            f"the proxy refused the connection to {where}", "check HTTPS_PROXY and NO_PROXY"
        )
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return ServiceProblem(f"{where}: the request could not be sent ({type(error).__name__})")
    if isinstance(error, httpx.ConnectTimeout):
        return Transient(f"{where}: no connection within {CONNECT_SECONDS:g} s", _NETWORK_HINT)
    if isinstance(error, httpx.TimeoutException):
        return Transient(f"{where}: no answer within {READ_SECONDS:g} s", _NETWORK_HINT)
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return Transient(f"{where}: the host name cannot be resolved", _NETWORK_HINT)
    if isinstance(error, httpx.ConnectError):
        return Transient(f"{where}: {_reason(chain) or 'cannot connect'}", _NETWORK_HINT)
    return broken_off(where, chain)


def broken_off(where: str, chain: Sequence[BaseException]) -> Transient:
    """Make the error of a connection to `where` that broke off, for the reason in `chain`."""
    reason = _reason(chain)
    return Transient(
        f"{where}: the connection broke off" + (f" ({reason})" if reason else ""), AGAIN
    )


def _reason(chain: Sequence[BaseException]) -> str:
    words = (cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror)
    return next(words, "").lower()


AGAIN = "try again; nostra download goes on where it stopped"


_NETWORK_HINT = "check the base URL and the network (nostra's proxy is HTTPS_PROXY)"


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and len(chain) < 10:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def _tls_problem(where: str, chain: list[BaseException]) -> NostraError:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ServiceProblem(
                f"{where}: its certificate is not trusted ({cause.verify_message})",
                "for a private certificate authority name its file in SSL_CERT_FILE",
            )
    return Transient(
        f"{where}: the TLS connection failed", "check the base URL; for a private CA SSL_CERT_FILE"
    )
