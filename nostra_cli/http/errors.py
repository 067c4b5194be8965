"""httpx's errors, told in our words: what happened, to which host, what to do next."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence

import httpx

from nostra_cli.errors import NostraError, ServiceProblem, Transient, Truncated
from nostra_cli.http.watchdog import CONNECT_SECONDS, READ_SECONDS


def told(error: Exception, url: httpx.URL, in_body: bool) -> NostraError:
    """Turn httpx's or a socket's error into ours.

    The host is named, the text of httpx is not trusted. `in_body` says that a body had begun.
    """
    where = url.host
    chain = _chain(error)
    if in_body and isinstance(error, (EOFError, httpx.RemoteProtocolError)):
        return Truncated(f"{where}: the body ended too early", _AGAIN)
    if any(isinstance(cause, ssl.SSLError) for cause in chain):
        return tls_problem(where, chain)
    if isinstance(error, httpx.ProxyError):
        return ServiceProblem(
            f"the proxy refused the connection to {where}", "check HTTPS_PROXY and NO_PROXY"
        )
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return ServiceProblem(f"{where}: the request could not be sent ({type(error).__name__})")
    if isinstance(error, httpx.ConnectTimeout):
        return Transient(f"{where}: no connection within {CONNECT_SECONDS:g} s", _NETWORK_HINT)
    stalled = isinstance(error, TimeoutError) and error.errno is None  # else it is the system's
    if stalled or isinstance(error, httpx.TimeoutException):
        return Transient(f"{where}: no answer within {READ_SECONDS:g} s", _NETWORK_HINT)
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return Transient(f"{where}: the host name cannot be resolved", _NETWORK_HINT)
    if isinstance(error, httpx.ConnectError):
        return Transient(f"{where}: {_reason(chain) or 'cannot connect'}", _NETWORK_HINT)
    reason = f" ({found})" if (found := _reason(chain)) else ""
    return Transient(f"{where}: the connection broke off{reason}", _AGAIN)


def _reason(chain: Sequence[BaseException]) -> str:
    words = (cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror)
    return next(words, "").lower()


_AGAIN = "try again; nostra download goes on where it stopped"


_NETWORK_HINT = "check the base URL and the network (nostra's proxy is HTTPS_PROXY)"


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and len(chain) < 10:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def tls_problem(where: str, chain: Sequence[BaseException]) -> NostraError:
    """Make the error of a TLS connection to `where` that failed, for the reason in `chain`."""
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ServiceProblem(
                f"{where}: its certificate is not trusted ({cause.verify_message})",
                "for a private certificate authority name its file in SSL_CERT_FILE",
            )
    return Transient(
        f"{where}: the TLS connection failed", "check the base URL; for a private CA SSL_CERT_FILE"
    )
