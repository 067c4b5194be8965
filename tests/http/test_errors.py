"""Errors of connections, converted: the class, and the message that names the host."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import httpcore
import pytest

from nostra_cli.errors import NostraError, ServiceProblem, TooManyOpenFiles, Transient, Truncated
from nostra_cli.http.errors import (
    connect_error,
    convert_body_error,
    convert_error,
    proxy_refusal,
    tls_error,
)

RESET, REFUSED, TIMED_OUT = (
    os.strerror(number).lower()
    for number in (errno.ECONNRESET, errno.ECONNREFUSED, errno.ETIMEDOUT)
)


def of_system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def of_tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] some text")
    error.reason = reason
    return error


def of_certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "self-signed certificate"
    return error


def check(found: NostraError, kind: type[NostraError], message: str) -> None:
    assert (type(found), found.message) == (kind, message)


@pytest.mark.parametrize(
    ("code", "problem", "hint"),
    [
        (9, "is not valid yet", "set this machine's clock"),
        (10, "has expired", "have it renewed"),
        (62, "is for another host", "check the host name h"),
        (64, "is for another host", "check the host name h"),
        (18, "is not trusted (self-signed certificate)", "set SSL_CERT_FILE to its certificate"),
    ],
)
def test_a_certificate_that_is_refused_has_its_hint(code: int, problem: str, hint: str) -> None:
    found = tls_error("h", of_certificate(code))
    check(found, ServiceProblem, f"h: its certificate {problem}")
    assert hint in found.hint


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (TimeoutError(), Transient, "h: no TLS handshake within 10 s"),
        (of_tls("WRONG_VERSION_NUMBER"), ServiceProblem, "h: the port does not speak TLS"),
        (
            of_tls("SSLV3_ALERT_HANDSHAKE_FAILURE"),
            ServiceProblem,
            "h: the server refused TLS without a client certificate",
        ),
        (
            of_tls("NO_SHARED_CIPHER"),
            ServiceProblem,
            "h: the TLS handshake failed (no shared cipher)",
        ),
        (ValueError("label too long"), ServiceProblem, "h is not a valid host name"),
        (
            of_tls("UNEXPECTED_EOF_WHILE_READING"),
            Transient,
            "h: the connection broke off in the TLS handshake",
        ),
        (
            of_system(errno.ECONNRESET),
            Transient,
            f"h: {RESET} in the TLS handshake",
        ),
    ],
)
def test_a_tls_handshake_that_fails(
    error: Exception, kind: type[NostraError], message: str
) -> None:
    check(tls_error("h", error), kind, message)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            of_system(errno.EMFILE),
            TooManyOpenFiles,
            "too many open files for a connection to h",
        ),
        (socket.gaierror(-2, "no"), Transient, "h: the host name cannot be resolved"),
        (UnicodeError("label"), ServiceProblem, "h is not a valid host and port"),
        (OverflowError("port"), ServiceProblem, "h is not a valid host and port"),
        (TimeoutError(), Transient, "h: no connection within 10 s"),
        (of_system(errno.ETIMEDOUT), Transient, f"h: {TIMED_OUT}"),
        (of_system(errno.ECONNREFUSED), Transient, f"h: {REFUSED}"),
    ],
)
def test_a_connection_that_cannot_be_made(
    error: Exception, kind: type[NostraError], message: str
) -> None:
    check(connect_error("h", error), kind, message)


def test_the_hint_of_a_connection_names_the_proxy_if_there_is_one() -> None:
    error = of_system(errno.ECONNREFUSED)
    assert connect_error("proxy h:1", error).hint == "check HTTPS_PROXY and NO_PROXY"
    assert connect_error("h", error).hint.startswith("check the base URL and the network")


@pytest.mark.parametrize(
    ("line", "kind", "status"),
    [
        (b"HTTP/1.1 503 Busy", Transient, 503),
        (b"HTTP/1.1 407", ServiceProblem, 407),
        (b"HTTP/1.1 403 No", ServiceProblem, 403),
        (b"HTTP/1.1 \xff", ServiceProblem, 0),
        (b"", ServiceProblem, 0),
    ],
)
def test_a_proxy_that_opens_no_tunnel(line: bytes, kind: type[NostraError], status: int) -> None:
    found = proxy_refusal("proxy p:1", line, "h")
    check(found, kind, f"proxy p:1: status {status} for the connection to h")
    assert ("password" in found.hint) == (status == 407)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            of_system(errno.ENFILE),
            TooManyOpenFiles,
            "too many open files for a connection to h",
        ),
        (
            of_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            ServiceProblem,
            "h: the server refused TLS without a client certificate",
        ),
        (
            httpcore.LocalProtocolError("Illegal header value b's3cret'"),
            ServiceProblem,
            "h: the request could not be sent (LocalProtocolError)",
        ),
        (httpcore.ReadTimeout(), Transient, "h: no response within 7 s"),
        (
            of_system(errno.ECONNRESET),
            Transient,
            f"h: the connection broke off ({RESET})",
        ),
        (EOFError(), Transient, "h: the connection broke off"),
    ],
)
def test_a_request_that_fails(error: Exception, kind: type[NostraError], message: str) -> None:
    check(convert_error(error, "h", 7), kind, message)


@pytest.mark.parametrize(
    "error", [EOFError(), ssl.SSLEOFError(8, "EOF"), httpcore.RemoteProtocolError("incomplete")]
)
def test_a_body_that_ends_early_is_truncated(error: Exception) -> None:
    check(convert_body_error(error, "h", 7), Truncated, "h: the body ended too early")


def test_a_body_that_stalls_is_transient() -> None:
    check(convert_body_error(TimeoutError(), "h", 7), Transient, "h: no data for 7 s")
