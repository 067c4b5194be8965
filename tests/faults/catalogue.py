"""The catalogue of faults: what can go wrong, what must hold, and the tests of each line.

`python -m tests.faults` prints it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])

LINES = {
    # Connection and TLS
    "dns": "the host name cannot be resolved: retried, then 6; the message names the host",
    "refused": "the connection is refused or never accepted: retried, then 6",
    "reset": "reset in the middle of a body: continued",
    "no-head": "closed before the headers: retried",
    "kept-alive": "a kept-alive connection that died: one silent retry",
    "certificate": "untrusted, expired or wrong-host certificate: 6 at once, each with its hint",
    "not-tls": "https to a port that speaks plain http: 6 at once",
    "client-certificate": "the server wants a client certificate: 6 at once",
    "cut-tls": "TLS that ends without close_notify: a body without a length is truncated, 7",
    "private-ca": "a private CA in SSL_CERT_FILE: done",
    "proxy": "HTTPS_PROXY and NO_PROXY are honoured",
    "proxy-down": "the proxy is down or answers 5xx: handled as if the service did",
    "proxy-refused": "the proxy answers 407 or 403: 6 at once, named, its password not shown",
    "proxy-kind": "a proxy of a kind that is not supported: 2, named",
    # Status codes and headers
    "auth": "401 and 403, also in the middle of a wait: 3 at once",
    "not-found": "404: 4",
    "final": "400, 409, 410, 501: one request, 6 with the server's detail",
    "passing": "408, 425, 429, 500, 502, 503, 504 for a while: done",
    "for-ever": "the same for ever: retries until the budget is spent, then 6",
    "retry-after": "Retry-After as seconds, date, past date, 1e9, -1, garbage",
    "retry-after-deadline": "Retry-After beyond the deadline: 124 without sleeping",
    "html": "a web page where JSON, CSV or XLSX was due: 7, nothing saved",
    "empty": "204 or an empty body: 7",
    "lengths": "conflicting Content-Lengths, endless headers: bounded, 6 or 7",
    # Body
    "short": "short of its length, or chunked without its end: continued; for ever: 7, part kept",
    "no-length": "no length at all: verified by its format",
    "resume": "206 with the same strong ETag: continued; 200: restarted",
    "no-mix": "206 at a wrong offset, changed or weak ETag: restarted, never a mixed file",
    "416": "416: complete only if the validator and the size match",
    "gzip": "an unrequested gzip encoding: decoded; truncated or damaged: 7",
    "bomb": "a small body that inflates to gigabytes: memory stays bounded",
    "cut-format": "XLSX truncated or not XLSX, JSON truncated, CSV cut inside a quoted field: 7",
    "slow": "slower than the minimum speed: retried, then 6",
    # JSON of the service
    "unknown-status": "an unknown status: still in progress",
    "fields": "missing, null or wrong-typed fields, a list for an object: 7, field named",
    "bad-json": "duplicate keys, BOM, NaN, deep nesting, long numbers, lone surrogates: 7",
    "huge-json": "a status of gigabytes: 7 with bounded memory",
    "no-result": "completed without the result asked for: 4 and those there are",
    "result-error": "a result with status error: 5",
    # Redirects
    "other-origin": "another origin gets no Authorization",
    "bad-redirect": "https to http, file:, a loop, 21 hops: 6",
    "signed": "the query of a signed URL is never printed",
    # Files
    "no-space": "no space, or a file-size limit: 8 without a network retry",
    "directory": "missing or read-only directory, target is a directory: 8 before any polling",
    "long-names": "names of 255 bytes",
    "special": "a symbolic link, FIFO or device as target: 8, never unlinked",
    "planted": "a symbolic link planted at the part's path: refused",
    "umask": "new files get the umask's mode",
    "killed": "killed with -9 at any moment: the target is old or complete, the next run is clean",
    "two": "two processes, one target: one complete file",
    # Signals and terminal
    "signals": "INT, TERM, HUP in a poll, a sleep, a transfer: 130, 143, 129 within a second",
    "second-int": "a second INT: at once",
    "cursor": "the cursor is restored",
    "pipe": "| head -1: 141 or 0, silent",
    "streams": "stderr or stdout closed, LC_ALL=C, width 1, resize, suspend and resume: no crash",
    # Settings
    "token-newline": "a token with a newline at its end: stripped",
    "token-bad": "a token with spaces, control or non-ASCII characters: 2, value not shown",
    "bad-toml": "bad TOML: 2 with file and line, no content",
    "unknown-key": "an unknown key, a loose mode: a warning",
    "two-writers": "two processes that write the config file: it stays valid",
}

TABLE: dict[str, list[str]] = defaultdict(list)


def register(line: str, name: str) -> None:
    """Record that a test covers a line."""
    assert line in LINES, line
    TABLE[line].append(name)


def covers(*lines: str) -> Callable[[F], F]:
    """Record that a test function covers these lines."""

    def mark(function: F) -> F:
        for line in lines:
            register(line, f"{function.__module__.rpartition('.')[2]}::{function.__name__}")
        return function

    return mark
