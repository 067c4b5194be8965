"""The trusted certificate authorities."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import certifi
import pytest
import trustme

from nostra_cli.config import file as config_file
from nostra_cli.errors import UsageProblem
from nostra_cli.http import tls
from nostra_cli.http.tls import CaKind, CaSource, ca_source, tls_context
from tests.faults.raw import listening
from tests.faults.secured import server_context
from tests.transports import connect, get, serve_tls


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system without certificates, whose directory and bundle are in a folder."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(tls, "_SYSTEM_DIRECTORIES", (str(tmp_path / "more"),))
    monkeypatch.setattr(tls, "_SYSTEM_BUNDLES", (str(tmp_path / "more.pem"),))
    paths = SimpleNamespace(
        openssl_capath=str(tmp_path / "certs"), openssl_cafile=str(tmp_path / "bundle.pem")
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return tmp_path


def hashed(folder: Path, authority: trustme.CA) -> Path:
    """Make a directory as `openssl rehash` does."""
    folder.mkdir()
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(folder / "ca.pem")]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (folder / f"{name}.0").write_bytes(authority.cert_pem.bytes())
    return folder


def test_a_file_comes_before_a_directory_and_both_before_the_system(system: Path) -> None:
    hashed(system / "certs", trustme.CA())
    both = {"SSL_CERT_FILE": "/a.pem", "SSL_CERT_DIR": "/b"}
    assert ca_source(both) == CaSource(CaKind.FILE, "/a.pem")
    assert ca_source({**both, "SSL_CERT_FILE": ""}) == CaSource(CaKind.DIRECTORY, "/b")
    assert ca_source({}) == CaSource(CaKind.SYSTEM_DIRECTORY, str(system / "certs"))


@pytest.mark.parametrize("name", ["bundle.pem", "more.pem"])
def test_a_system_without_a_hashed_directory_has_a_bundle(name: str, system: Path) -> None:
    (system / "certs").mkdir()
    (system / "certs" / "ca.pem").touch()
    (system / name).write_text("x")
    assert ca_source({}) == CaSource(CaKind.SYSTEM_BUNDLE, str(system / name))


def test_a_system_without_certificates_uses_those_of_certifi(system: Path) -> None:
    (system / "bundle.pem").touch()
    assert ca_source({}) == CaSource(CaKind.CERTIFI, certifi.where())
    assert tls_context({}).cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_macos_and_windows_use_the_operating_system(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    truststore = ModuleType("truststore")
    truststore.SSLContext = ssl.SSLContext  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "truststore", truststore)
    monkeypatch.setattr(sys, "platform", platform)
    assert ca_source({}) == CaSource(CaKind.PLATFORM)
    context = tls_context({})
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("variable", ["SSL_CERT_DIR", "the system"])
def test_a_hashed_directory_is_trusted(
    variable: str, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    folder = hashed(system / "certs", authority)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    if variable == "SSL_CERT_DIR":
        monkeypatch.setenv(variable, f"{system / 'none'}:{folder.rename(system / 'other')}")
    context = server_context(authority.issue_cert("localhost"))
    monkeypatch.setenv("NO_PROXY", "*")
    with (
        listening(serve_tls(context)) as raw,
        connect(f"https://localhost:{raw.port}") as transport,
    ):
        assert get(transport) == (200, b"secure", False)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SSL_CERT_FILE", "none.pem", "SSL_CERT_FILE: no such file: none.pem"),
        ("SSL_CERT_FILE", ".", "SSL_CERT_FILE: cannot read ."),
        ("SSL_CERT_FILE", __file__, f"SSL_CERT_FILE: no certificate can be read from {__file__}"),
        ("SSL_CERT_DIR", "none", "SSL_CERT_DIR: no such directory: none"),
        ("SSL_CERT_DIR", "none:/none", "SSL_CERT_DIR: no such directory: none:/none"),
        ("SSL_CERT_DIR", "no\0ne", "SSL_CERT_DIR: no such directory: no\0ne"),
    ],
)
def test_an_unreadable_bundle_is_a_usage_error_that_names_it(
    variable: str, value: str, message: str
) -> None:
    with pytest.raises(UsageProblem) as caught:
        tls_context({variable: value})
    assert (caught.value.message, caught.value.hint) == (message, f"fix {variable} or unset it")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_bundle_may_be_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "bundle"
    os.mkfifo(pipe)
    bundle = "# an authority in Zürich\n".encode() + trustme.CA().cert_pem.bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(bundle,), daemon=True)
    writer.start()
    assert len(tls_context({"SSL_CERT_FILE": str(pipe)}).get_ca_certs()) == 1
    writer.join(10)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_pipe_that_gives_no_bundle_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_file, "READ_SECONDS", 0.05)
    pipe = tmp_path / "bundle"
    os.mkfifo(pipe)
    with pytest.raises(UsageProblem, match=f"SSL_CERT_FILE: cannot read {pipe}"):
        tls_context({"SSL_CERT_FILE": str(pipe)})
