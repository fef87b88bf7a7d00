"""A certificate authority for one test: a server certificate for the loopback address, one for another host, and a client's."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files."""

    ca: Path
    certificate: Path
    key: Path
    elsewhere: Path
    """A certificate for another host, with its key."""
    client: Path
    """A client's certificate."""
    client_key: Path

    def server_context(self, *, certificate: Path | None = None, wants_client: bool = False) -> ssl.SSLContext:
        """What a server speaks TLS with; with `certificate`, which holds its key too, in place of the usual one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate or self.certificate, None if certificate else self.key)
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def make_certificates(folder: Path) -> Certificates:
    """All signed by one authority."""
    authority = trustme.CA()
    made = Certificates(*(folder / name for name in ("ca.pem", "server.pem", "server.key", "elsewhere.pem", "client.pem", "client.key")))
    authority.cert_pem.write_to_path(made.ca)
    here = authority.issue_cert("127.0.0.1")
    here.cert_chain_pems[0].write_to_path(made.certificate)
    here.private_key_pem.write_to_path(made.key)
    authority.issue_cert("elsewhere.test").private_key_and_cert_chain_pem.write_to_path(made.elsewhere)
    client = authority.issue_cert("watchdog@client.test")
    client.cert_chain_pems[0].write_to_path(made.client)
    client.private_key_pem.write_to_path(made.client_key)
    return made
