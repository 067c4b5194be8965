"""Check the connection step by step: host name, TCP, TLS; each in bounded time."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Generator
from functools import partial
from typing import NamedTuple

from nostra_cli.concurrency import call_within
from nostra_cli.doctor.check import Check, failed, passed, warning
from nostra_cli.errors import FileProblem, ServiceProblem, UsageProblem
from nostra_cli.http.errors import tls_error
from nostra_cli.http.tls import tls_context

_NEAR_DAYS = 14
_DAY = 86400.0


class Peer(NamedTuple):
    """Host and port to connect to."""

    host: str
    port: int


Address = tuple[socket.AddressFamily, tuple[object, ...]]
Step = Generator[Check, None, bool]
"""Yields checks as they end; returns whether the next ones make sense."""


def reach(peer: Peer, before: str, hint: str, tls: bool, seconds: float) -> Step:
    """Resolve `peer`, connect to it, and do a TLS handshake if `tls`; each within `seconds`.

    `before` comes in front of the names of the checks, `hint` says what to fix.
    """
    try:
        addresses = call_within(seconds, partial(_resolve, peer))  # the resolver has no limit
    except (OSError, UnicodeError) as error:
        reason = "no response" if isinstance(error, TimeoutError) else "cannot be resolved"
        yield failed(f"{before}name", ServiceProblem(f"{peer.host}: {reason}", hint))
        return False
    except FileProblem as problem:
        yield failed(f"{before}name", problem)
        return False
    shown = ", ".join(dict.fromkeys(str(address[0]) for _, address in addresses))
    yield passed(f"{before}name", f"{peer.host}: {shown}" if shown != peer.host else shown)
    where = f"[{peer.host}]:{peer.port}" if ":" in peer.host else f"{peer.host}:{peer.port}"
    try:
        connection = _connect(addresses, seconds)
    except OSError as error:
        reason = (error.strerror or f"no connection within {seconds:g} s").lower()
        yield failed(f"{before}connection", ServiceProblem(f"{where}: {reason}", hint))
        return False
    with connection:
        yield passed(f"{before}connection", where)
        return (yield from _handshake(connection, peer, seconds)) if tls else True


def _resolve(peer: Peer) -> list[Address]:
    found = socket.getaddrinfo(*peer, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def _connect(addresses: list[Address], seconds: float) -> socket.socket:
    """Try each address in turn, with equal parts of the time that is left."""
    end, failure = time.monotonic() + seconds, OSError()
    for number, (family, address) in enumerate(addresses):
        connection = socket.socket(family, socket.SOCK_STREAM)
        left = max(0.1, end - time.monotonic())
        connection.settimeout(left / (len(addresses) - number))
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _handshake(connection: socket.socket, peer: Peer, seconds: float) -> Step:
    try:
        context = tls_context(os.environ)
    except UsageProblem as problem:
        yield warning("tls", f"not checked: {problem.message}", problem.hint)
        return False
    connection.settimeout(seconds)  # for all of the handshake, not for each read
    try:
        with context.wrap_socket(connection, server_hostname=peer.host) as secure:
            certificate, version = secure.getpeercert(), secure.version()
    except TimeoutError:
        hint = "check the base URL: does that port speak TLS?"
        yield failed("tls", ServiceProblem(f"{peer.host}: no TLS within {seconds:g} s", hint))
        return False
    except (OSError, ValueError) as error:
        yield failed("tls", tls_error(peer.host, error))
        return False
    yield _certificate(str((certificate or {}).get("notAfter", "")), str(version))
    return True


def _certificate(not_after: str, version: str) -> Check:
    """Report a trusted certificate, and whether it expires soon."""
    days = (ssl.cert_time_to_seconds(not_after) - time.time()) / _DAY
    detail = f"{version}, trusted until {not_after}"
    if days < _NEAR_DAYS:
        return warning(
            "tls", f"{detail}: {days:.0f} days", "report it to those who run the service"
        )
    return passed("tls", detail)
