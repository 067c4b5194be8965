"""Convert errors of connections: what happened, to which host, what to do next."""

from __future__ import annotations

import socket
import ssl

import httpcore

from nostra_cli.errors import (
    NostraError,
    ServiceProblem,
    TooManyOpenFiles,
    Transient,
    Truncated,
    is_out_of_descriptors,
)
from nostra_cli.http.retry import RETRYABLE_STATUSES
from nostra_cli.http.timeouts import CONNECT_SECONDS
from nostra_cli.units import show_duration

HTTP_ERRORS = (
    OSError,
    EOFError,
    httpcore.ProtocolError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
"""Errors of a request or a body that `convert_error` converts."""

_NETWORK_HINT = "check the base URL and the network (nostra's proxy is HTTPS_PROXY)"
_PROXY_HINT = "check HTTPS_PROXY and NO_PROXY"

_NOT_TLS = frozenset(
    {
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)
# The server requires a client certificate; the second is TLS 1.2's alert for it.
_CLIENT_CERTIFICATE = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_NO_CERTIFICATE",
        "TLSV1_ALERT_ACCESS_DENIED",
    }
)


def connect_error(peer: str, error: Exception) -> NostraError:
    """Convert the error of a connection that could not be made."""
    if is_out_of_descriptors(error):
        return _limit_error(peer)
    hint = _PROXY_HINT if peer.startswith("proxy ") else _NETWORK_HINT
    if isinstance(error, socket.gaierror):
        return Transient(f"{peer}: the host name cannot be resolved", hint)
    if isinstance(error, (UnicodeError, OverflowError)):
        return ServiceProblem(f"{peer} is not a valid host and port", hint)
    if _is_stall(error):
        return Transient(f"{peer}: no connection within {CONNECT_SECONDS:g} s", hint)
    return Transient(f"{peer}: {_system_reason(error) or 'cannot connect'}", hint)


def proxy_refusal(proxy: str, status_line: bytes, host: str) -> NostraError:
    """Return the error for `proxy` (its name in messages) opening no tunnel to `host`."""
    words = status_line.split()
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    message = f"{proxy}: status {status} for the connection to {host}"
    if status in RETRYABLE_STATUSES:
        return Transient(message, "try again later; " + _PROXY_HINT)
    if status == 407:
        return ServiceProblem(message, "check the user name and the password in HTTPS_PROXY")
    return ServiceProblem(message, f"the proxy does not allow {host}; " + _PROXY_HINT)


def tls_error(peer: str, error: Exception) -> NostraError:
    """Convert the error of a TLS handshake with `peer`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_error(peer, error)
    if _is_stall(error):
        return Transient(f"{peer}: no TLS handshake within {CONNECT_SECONDS:g} s", _NETWORK_HINT)
    reason = _reason_of_tls(error)
    if reason in _NOT_TLS:
        return ServiceProblem(
            f"{peer}: the port does not speak TLS", "check the port of the URL, or use http://"
        )
    if reason in _CLIENT_CERTIFICATE:
        return _client_certificate_error(peer)
    if isinstance(error, ValueError):
        return ServiceProblem(f"{peer} is not a valid host name", "check the base URL")
    if reason in ("", "UNEXPECTED_EOF_WHILE_READING", "TLSV1_ALERT_INTERNAL_ERROR"):
        words = _system_reason(error) or "the connection broke off"
        return Transient(f"{peer}: {words} in the TLS handshake", _NETWORK_HINT)
    words = reason.lower().replace("_", " ")
    return ServiceProblem(
        f"{peer}: the TLS handshake failed ({words})",
        "check the base URL; the server may need another TLS version",
    )


def _certificate_error(peer: str, error: ssl.SSLCertVerificationError) -> NostraError:
    no_help = "SSL_CERT_FILE does not help"
    match error.verify_code:
        case 9:  # X509_V_ERR_CERT_NOT_YET_VALID
            problem, hint = "is not valid yet", f"set this machine's clock; {no_help}"
        case 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            problem = "has expired"
            hint = f"have it renewed, or set this machine's clock; {no_help}"
        case 62 | 64:  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
            problem = "is for another host"
            hint = f"check the host name {peer} in the base URL; {no_help}"
        case _:
            problem = f"is not trusted ({error.verify_message})"
            hint = "for a private certificate authority set SSL_CERT_FILE to its certificate"
    return ServiceProblem(f"{peer}: its certificate {problem}", hint)


def _client_certificate_error(peer: str) -> NostraError:
    return ServiceProblem(
        f"{peer}: the server refused TLS without a client certificate",
        "nostra has none to send; ask for access through a gateway that needs none",
    )


def not_http(where: str) -> Transient:
    """Return the error for a response whose head cannot be parsed; perhaps the next one can."""
    return Transient(
        f"{where}: the response is not valid HTTP",
        "check the base URL and its port; a proxy may stand in between",
    )


def convert_body_error(error: Exception, where: str, seconds: float) -> NostraError:
    """Convert the error of a body whose pieces may take `seconds` each."""
    if isinstance(error, (EOFError, ssl.SSLEOFError, httpcore.RemoteProtocolError)):
        return Truncated(f"{where}: the body ended too early", "try again")
    if _is_stall(error):
        return Transient(f"{where}: no data for {seconds:g} s", _NETWORK_HINT)
    return convert_error(error, where, seconds)


def convert_error(error: Exception, where: str, seconds: float) -> NostraError:
    """Convert the error of a request to `where`, sent `seconds` ago."""
    if is_out_of_descriptors(error):
        return _limit_error(where)
    if isinstance(error, ssl.SSLError) and _reason_of_tls(error) in _CLIENT_CERTIFICATE:
        return _client_certificate_error(where)  # TLS 1.3 sends the alert after the handshake
    if isinstance(error, (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError)):
        return ServiceProblem(f"{where}: the request could not be sent ({type(error).__name__})")
    if _is_stall(error):
        return Transient(f"{where}: no response within {show_duration(seconds)}", _NETWORK_HINT)
    words = _system_reason(error)
    reason = f" ({words})" if words else ""
    return Transient(f"{where}: the connection broke off{reason}", "try again")


def _limit_error(peer: str) -> NostraError:
    return TooManyOpenFiles(
        f"too many open files for a connection to {peer}",
        "raise the limit (ulimit -n), or set jobs = 1",
    )


def _is_stall(error: Exception) -> bool:
    """Return whether one of our timeouts expired; the system's own have an errno."""
    expired = isinstance(error, TimeoutError) and error.errno is None
    return expired or isinstance(error, httpcore.TimeoutException)


def _reason_of_tls(error: Exception) -> str:
    return (error.reason or "") if isinstance(error, ssl.SSLError) else ""


def _system_reason(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return (error.strerror or "").lower()
    return ""
