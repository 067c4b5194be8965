"""Whom to trust: the certificate authorities, loaded when the first https URL is met."""

from __future__ import annotations

import os
import ssl

from nostra_cli.errors import UsageProblem


def trust(context: ssl.SSLContext, scheme: str) -> None:
    """Load the authorities into `context` unless they are there or `scheme` needs none.

    SSL_CERT_FILE, else SSL_CERT_DIR, else the bundle of certifi: httpx's own order. Loading takes
    some 30 ms, which a sandbox on plain http need not pay. Raises UsageProblem for a bad file.
    """
    if scheme != "https" or context.cert_store_stats()["x509"]:
        return
    file = os.environ.get("SSL_CERT_FILE")
    folder = os.environ.get("SSL_CERT_DIR")
    if not file and not folder:
        import certifi  # only needed for https without a named authority

        file = certifi.where()
    try:
        context.load_verify_locations(cafile=file or None, capath=None if file else folder)
    except (OSError, ssl.SSLError) as error:
        raise UsageProblem(
            f"cannot load the certificate authorities from {file or folder}",
            "mend SSL_CERT_FILE or unset it",
        ) from error
