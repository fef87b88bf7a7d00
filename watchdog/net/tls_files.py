"""TLS of HTTP clients: trusted authorities and client certificates.

In: paths of PEM files. Out: an `ssl.SSLContext`, cached by the files' paths and modification times: creating one costs 25 ms and most of a
megabyte. Renewed files give a new one, so that a certificate that is renewed each day needs no restart: a connection opened after a TLS
failure, or after a reload, uses it.
"""

import ssl
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["TlsFiles", "no_tls", "tls_context"]


class TlsFiles(Struct, frozen=True):
    """`ca_file` replaces the system's authorities; `cert_file` is the client certificate, `key_file` its key if kept in a separate file."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @property
    def trust_alone(self) -> "TlsFiles":
        """Without the client certificate, for a proxy, which need not know it."""
        return replace(self, cert_file=None, key_file=None)

    def __str__(self) -> str:
        named = [(name, path) for name in ("ca_file", "cert_file", "key_file") if (path := getattr(self, name))]
        return ", ".join(f"{path} (`{name}`)" for name, path in named)


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """The context for these files. OSError (including ssl.SSLError) if one cannot be read or is not a PEM file, or the key is locked."""
    paths = (files.ca_file, files.cert_file, files.key_file)
    return _made(files, tuple(Path(path).stat().st_mtime_ns if path else 0 for path in paths))


@lru_cache(maxsize=32)
def _made(files: TlsFiles, _renewed_at: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.ca_file)
    if files.cert_file:
        context.load_cert_chain(files.cert_file, files.key_file, password=_no_passphrase)
    context.set_alpn_protocols(["http/1.1"])
    context.set_alpn_protocols = _as_they_are  # type: ignore[assignment, method-assign]
    return context


def _as_they_are(_protocols: Iterable[str]) -> None:
    """Leaves what is offered unchanged: httpcore sets it anew before each connection, also while another thread begins one.

    That frees what OpenSSL is copying just then, because CPython 3.11 begins a connection without its global lock.
    """


def _no_passphrase() -> str:
    """Prevents OpenSSL from asking on the terminal."""
    return ""


@cache
def no_tls() -> ssl.SSLContext:
    """For plain http, where it is never used."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
