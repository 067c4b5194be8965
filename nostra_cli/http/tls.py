"""TLS: the trusted certificate authorities, and the context that loads them."""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from nostra_cli.config.file import read_bounded
from nostra_cli.errors import UsageProblem

_SYSTEM_DIRECTORIES = ("/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash")
_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_MAX_PIPE = 16 << 20
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class CaKind(Enum):
    """A source of certificate authorities; the value completes "trusts ..."."""

    FILE = "SSL_CERT_FILE"
    DIRECTORY = "SSL_CERT_DIR"
    SYSTEM_DIRECTORY = "the system's certificate directory"
    SYSTEM_BUNDLE = "the system's certificate bundle"
    PLATFORM = "the operating system"
    CERTIFI = "certifi's bundle (the system has no certificates)"


@dataclass(frozen=True, slots=True)
class CaSource:
    """The certificate authorities that TLS trusts; PLATFORM has no `path`."""

    kind: CaKind
    path: str = ""


def ca_source(env: Mapping[str, str]) -> CaSource:
    """Choose SSL_CERT_FILE, else SSL_CERT_DIR, else the system's certificates, else certifi's."""
    if path := env.get("SSL_CERT_FILE"):
        return CaSource(CaKind.FILE, path)
    if path := env.get("SSL_CERT_DIR"):
        return CaSource(CaKind.DIRECTORY, path)
    if sys.platform.startswith(("darwin", "win32")):
        return CaSource(CaKind.PLATFORM)
    if source := _system_source():
        return source
    import certifi  # only for a system without certificates

    return CaSource(CaKind.CERTIFI, certifi.where())


def _system_source() -> CaSource | None:
    """Prefer a hashed directory: only the certificates that are needed are read from it."""
    built_in = ssl.get_default_verify_paths()
    for directory in (built_in.openssl_capath, *_SYSTEM_DIRECTORIES):
        if is_hashed(directory):
            return CaSource(CaKind.SYSTEM_DIRECTORY, directory)
    for bundle in (built_in.openssl_cafile, *_SYSTEM_BUNDLES):
        if _has_content(bundle):
            return CaSource(CaKind.SYSTEM_BUNDLE, bundle)
    return None


def is_hashed(directory: str) -> bool:
    """Return whether a directory has certificates under the names that OpenSSL looks for."""
    try:
        with os.scandir(directory) as entries:
            return any(_HASHED_NAME.fullmatch(entry.name) for entry in entries)
    except OSError:
        return False


def _has_content(bundle: str) -> bool:
    try:
        return Path(bundle).stat().st_size > 0
    except OSError:
        return False


def tls_context(env: Mapping[str, str]) -> ssl.SSLContext:
    """Return a client's context that trusts the authorities of `ca_source`; raises UsageProblem."""
    source = ca_source(env)
    if source.kind is CaKind.PLATFORM:  # macOS and Windows
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        load_ca_certificates(context, source)
    # Without close_notify the connection was cut: the body may be incomplete.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # OpenSSL 3
    return context


def load_ca_certificates(context: ssl.SSLContext, source: CaSource) -> None:
    """Load a file or a directory into `context`; raises UsageProblem if it cannot be read."""
    try:
        if source.kind in (CaKind.DIRECTORY, CaKind.SYSTEM_DIRECTORY):
            if not any(Path(part).is_dir() for part in source.path.split(os.pathsep)):
                raise NotADirectoryError
            context.load_verify_locations(capath=source.path)
        elif _is_pipe_or_device(Path(source.path)):
            content = read_bounded(Path(source.path), _MAX_PIPE).content
            context.load_verify_locations(cadata=content.decode("ascii", "ignore") or " ")
        else:
            context.load_verify_locations(cafile=source.path)
    except (OSError, ValueError) as error:  # ssl.SSLError, a NUL in the path
        raise UsageProblem(
            f"{source.kind.value}: {_reason(error, source)}", f"fix {source.kind.value} or unset it"
        ) from error


def _is_pipe_or_device(path: Path) -> bool:
    """Return whether OpenSSL, which nothing interrupts, could wait for its content for ever."""
    return path.exists() and not (path.is_file() or path.is_dir())


def _reason(error: Exception, source: CaSource) -> str:
    if isinstance(error, NotADirectoryError):
        return f"no such directory: {source.path}"
    if isinstance(error, FileNotFoundError):
        return f"no such file: {source.path}"
    if isinstance(error, ssl.SSLError):
        return f"no certificate can be read from {source.path}"
    return f"cannot read {source.path}"
