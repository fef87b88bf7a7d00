"""Reasons why there was no HTTP answer, one sentence per cause: what was requested, what was found, which setting to change.

In: an exception of the HTTP client. Out: a sentence without secrets, which begins with the name of the source that asked.
"""

import re
import socket
import ssl

import httpx
from msgspec import Struct

from watchdog.core.text.exception_chain import exception_chain
from watchdog.net.http_proxy import Proxy, proxy_answer
from watchdog.net.tls_files import TlsFiles

__all__ = ["Asked", "silence", "stale"]

_NOT_ACCEPTED = "UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED"


class Asked(Struct, frozen=True):
    """One request, for use in reasons: `url` without userinfo, and the settings that may be wrong.

    `source` begins each reason. `what` is asked, `of` is the key that configures it, `limit` the one that limits how long it takes;
    `token_source` is the key that says where the token came from, empty without one.
    """

    base: str
    path: str
    timeout_s: float
    connect_timeout_s: float
    tls: TlsFiles
    has_credentials: bool
    proxy: Proxy | None = None
    source: str = "flower"
    what: str = "Flower"
    of: str = "flower"
    limit: str = "timeout"
    token_source: str = ""
    why_slow: str = "it hangs or is too busy"
    """What an answer that takes too long most likely waits for."""

    @property
    def connected_to(self) -> str:
        """What the first connection goes to."""
        return str(self.proxy or self.base)

    @property
    def through(self) -> str:
        """For the end of a clause."""
        return f", through {self.proxy}" if self.proxy else ""

    @property
    def url(self) -> str:
        """The whole URL."""
        return self.base + self.path


def stale(error: Exception) -> bool:
    """Whether the other side may just have closed a kept-alive connection: then one retry is justified."""
    return isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError)


def silence(error: Exception, asked: Asked) -> str:
    """The reason if there was no HTTP answer at all."""
    return f"{asked.source}: {_why(error, asked)}"


def _why(error: Exception, asked: Asked) -> str:
    if isinstance(error, httpx.ProxyError) and asked.proxy:
        status = re.match(r"\d{3}", str(error))
        return proxy_answer(int(status[0]) if status else 0, asked.proxy, asked.base)
    for cause in exception_chain(error):
        if sentence := _network(cause, asked):
            return sentence
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection to {asked.connected_to} within {asked.connect_timeout_s:g}s: host down, or a firewall in between?"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer from {asked.url} within {asked.timeout_s:g}s{asked.through}: {asked.why_slow} (the limit is `{asked.limit}`)"
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
        return (
            f"expected an HTTP answer from {asked.url}, found the connection closed or something else{asked.through}: "
            f"is it the port of {asked.what}, and is https:// missing?"
        )
    return f"the connection to {asked.base} broke during the request for {asked.path} ({type(error).__name__}){asked.through}"


def _network(cause: BaseException, asked: Asked) -> str | None:
    """The reason for an error of the operating system or TLS."""
    if isinstance(cause, socket.gaierror):
        return f"the host name in {asked.connected_to} cannot be resolved (DNS): is it spelt right?"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {asked.base} is not trusted ({cause.verify_message}){asked.through}: {_ca(asked)}"
    if isinstance(cause, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (cause.reason or ""):
        return f"{asked.base} requires a client certificate{asked.through}: set `cert_file` and `key_file` of {asked.of}"
    if isinstance(cause, ssl.SSLError) and asked.tls.cert_file and re.search(_NOT_ACCEPTED, cause.reason or ""):
        return f"{asked.base} does not accept the client certificate {asked.tls.cert_file} (`cert_file` of {asked.source}; {cause.reason})"
    if isinstance(cause, ssl.SSLError) or (isinstance(cause, TimeoutError) and "handshake" in str(cause)):
        why = getattr(cause, "reason", None) or "no handshake"
        return f"no TLS connection to {asked.base} ({why}): does that port speak TLS, or should it be http://?"
    if isinstance(cause, ConnectionRefusedError):
        what = "it" if asked.proxy else asked.what
        return f"connection refused by {asked.connected_to}: is {what} running there, on that port?"
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError | ConnectionError) and cause.strerror:
        return f"no connection to {asked.connected_to}: {cause.strerror}"
    return None


def _ca(asked: Asked) -> str:
    if asked.tls.ca_file:
        return f"expected one that {asked.tls.ca_file} (`ca_file` of {asked.of}) has signed, for that host name"
    return f"set `ca_file` of {asked.of} to the certificate of the authority that signed it"
