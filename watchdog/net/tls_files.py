"""TLS of HTTP clients: whom to trust, and who we are where a server asks.

In: paths of PEM files. Out: an `ssl.SSLContext`, made once for the same files as they are on disk: making one costs 25 ms and most of a
megabyte. Renewed files make a new one, so that a certificate that is renewed each day needs no restart: a connection that is opened
after a failure of TLS, or after a reload, uses it.
"""

import ssl
from functools import cache, lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["TlsFiles", "no_tls", "tls_context"]


class TlsFiles(Struct, frozen=True):
    """`ca_file` replaces the system's authorities; `cert_file` is the client's certificate, `key_file` its key unless it is in there."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def trust_alone(self) -> "TlsFiles":
        """Without the client's certificate: a proxy on the way is not asked to know it."""
        return replace(self, cert_file=None, key_file=None)

    def __str__(self) -> str:
        named = [(name, path) for name in ("ca_file", "cert_file", "key_file") if (path := getattr(self, name))]
        return ", ".join(f"{path} (`{name}`)" for name, path in named)


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """For one set of files. OSError (ssl.SSLError is one) where one cannot be read, or is no PEM file, or the key is locked."""
    paths = (files.ca_file, files.cert_file, files.key_file)
    return _made(files, tuple(Path(path).stat().st_mtime_ns if path else 0 for path in paths))


@lru_cache(maxsize=32)
def _made(files: TlsFiles, _renewed_at: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.ca_file)
    if files.cert_file:
        context.load_cert_chain(files.cert_file, files.key_file, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    """OpenSSL would ask on the terminal."""
    return ""


@cache
def no_tls() -> ssl.SSLContext:
    """For plain http, where none is ever used."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
