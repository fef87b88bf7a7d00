"""The TLS contexts that all connections of a process share."""

import ssl
from pathlib import Path

from tests.servers.certificates import make_certificates
from watchdog.net.tls_files import TlsFiles, tls_context


def shaken(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """The client's side of a connection between two contexts, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return ours


def test_a_connection_does_not_change_the_context_that_others_are_using(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    server = certificates.server_context()
    server.set_alpn_protocols(["h2", "http/1.1"])
    shared = tls_context(TlsFiles(ca_file=str(certificates.ca)))
    shared.set_alpn_protocols(["h2"])  # as the HTTP library does before each connection
    assert shaken(shared, server).selected_alpn_protocol() == "http/1.1"
