"""The way to the service, step by step: name, connection, TLS. Each step ends in bounded time."""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Generator

from nostra_cli.doctor.environment import Peer
from nostra_cli.doctor.finding import Finding, fine, warning, wrong
from nostra_cli.errors import ServiceProblem, UsageProblem
from nostra_cli.http.errors import tls_error
from nostra_cli.http.tls import tls_context

_NEAR_DAYS = 14
_DAY = 86400.0

Address = tuple[socket.AddressFamily, tuple[object, ...]]
Step = Generator[Finding, None, bool]
"""Findings as they come; gives whether it is worth going on."""


def reach(peer: Peer, before: str, hint: str, tls: bool, seconds: float) -> Step:
    """Check up `peer`, connect to it, and shake hands if `tls`; each within `seconds`.

    `before` comes in front of the names of the checks, `hint` says what to mend.
    """
    try:
        addresses = _resolve(peer, seconds)
    except (OSError, UnicodeError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else "it cannot be resolved"
        yield wrong(f"{before}name", ServiceProblem(f"{peer.host}: {reason}", hint))
        return False
    shown = ", ".join(dict.fromkeys(str(address[0]) for _, address in addresses))
    yield fine(f"{before}name", f"{peer.host}: {shown}" if shown != peer.host else shown)
    where = f"[{peer.host}]:{peer.port}" if ":" in peer.host else f"{peer.host}:{peer.port}"
    try:
        connection = _connect(addresses, seconds)
    except OSError as error:
        reason = (error.strerror or f"no connection within {seconds:g} s").lower()
        yield wrong(f"{before}connection", ServiceProblem(f"{where}: {reason}", hint))
        return False
    with connection:
        yield fine(f"{before}connection", where)
        return (yield from _shake_hands(connection, peer, seconds)) if tls else True


def _resolve(peer: Peer, seconds: float) -> list[Address]:
    """Ask for the addresses in another thread: the system's resolver knows no limit."""
    answers: queue.SimpleQueue[list[Address] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(*peer, type=socket.SOCK_STREAM)
            answers.put([(family, address) for family, _, _, _, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if not isinstance(answer, list):
        raise answer
    return answer


def _connect(addresses: list[Address], seconds: float) -> socket.socket:
    """Try one address after the other, with equal parts of the time that is left."""
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


def _shake_hands(connection: socket.socket, peer: Peer, seconds: float) -> Step:
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
        yield wrong("tls", ServiceProblem(f"{peer.host}: no TLS within {seconds:g} s", hint))
        return False
    except (OSError, ValueError) as error:
        yield wrong("tls", tls_error(peer.host, error))
        return False
    yield _certificate(str((certificate or {}).get("notAfter", "")), str(version))
    return True


def _certificate(not_after: str, version: str) -> Finding:
    """Judge a trusted certificate by how long it is still good."""
    days = (ssl.cert_time_to_seconds(not_after) - time.time()) / _DAY
    detail = f"{version}, trusted until {not_after}"
    if days < _NEAR_DAYS:
        return warning("tls", f"{detail}: {days:.0f} days", "tell those who run the service")
    return fine("tls", detail)
