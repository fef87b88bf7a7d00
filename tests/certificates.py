"""A certificate authority for one test, and a server certificate that it signed for the loopback address; made with openssl."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files."""

    ca: Path
    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Skips the test where there is no openssl on PATH."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on PATH to make a certificate with")
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    new = [openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-x509", "-days", "2"]
    ca_key = folder / "ca.key"
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    run([*new, "-subj", "/CN=test authority", *usage, "-keyout", str(ca_key), "-out", str(made.ca)])
    signed = [
        "-CA",
        str(made.ca),
        "-CAkey",
        str(ca_key),
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    run([*new, "-subj", "/CN=test server", *signed, "-keyout", str(made.key), "-out", str(made.certificate)])
    return made


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
