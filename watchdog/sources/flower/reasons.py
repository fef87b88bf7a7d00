"""Reasons why Flower gave no usable answer, one sentence per cause: what was requested, what was received, which setting to change.

In: an exception of the HTTP client, or a status and the start of its body. Out: a sentence without secrets.
"""

import re
import socket
import ssl
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from watchdog.core.text.exception_chain import exception_chain
from watchdog.net.http_proxy import Proxy, proxy_answer
from watchdog.net.tls_files import TlsFiles

__all__ = ["Asked", "login_required", "refusal", "silence", "stale"]

_NOT_ACCEPTED = "UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED"


class Asked(Struct, frozen=True):
    """One query, for use in reasons: `url` without userinfo, and the settings that may be wrong.

    `what` is asked, `of` is the key that configures it, `limit` the one that limits how long it takes; `token_source` is the key that says
    where the token came from, empty without one.
    """

    base: str
    path: str
    timeout_s: float
    connect_timeout_s: float
    tls: TlsFiles
    has_credentials: bool
    proxy: Proxy | None = None
    what: str = "Flower"
    of: str = "flower"
    limit: str = "timeout"
    token_source: str = ""

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

    @property
    def of_workers(self) -> bool:
        """Whether Flower has to ask workers before it can answer."""
        return "refresh=" in self.path


def stale(error: Exception) -> bool:
    """Whether the other side may just have closed a kept-alive connection: then one retry is justified."""
    return isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError)


def silence(error: Exception, asked: Asked) -> str:
    """The reason if there was no HTTP answer at all."""
    if isinstance(error, httpx.ProxyError) and asked.proxy:
        status = re.match(r"\d{3}", str(error))
        return f"flower: {proxy_answer(int(status[0]) if status else 0, asked.proxy, asked.base)}"
    for cause in exception_chain(error):
        if sentence := _network(cause, asked):
            return sentence
    if isinstance(error, httpx.ConnectTimeout):
        return f"flower: no connection to {asked.connected_to} within {asked.connect_timeout_s:g}s: host down, or a firewall in between?"
    if isinstance(error, httpx.TimeoutException):
        why = (
            "it waits for workers, which takes Flower 1 to 2 s, or for a broker that hangs"
            if asked.of_workers
            else "it hangs or is too busy"
        )
        return f"flower: no answer from {asked.url} within {asked.timeout_s:g}s{asked.through}: {why} (the limit is `{asked.limit}`)"
    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
        return (
            f"flower: expected an HTTP answer from {asked.url}, found the connection closed or something else{asked.through}: "
            f"is it the port of {asked.what}, and is https:// missing?"
        )
    return f"flower: the connection to {asked.base} broke during the request for {asked.path} ({type(error).__name__}){asked.through}"


def _network(cause: BaseException, asked: Asked) -> str | None:
    """The reason for an error of the operating system or TLS."""
    if isinstance(cause, socket.gaierror):
        return f"flower: the host name in {asked.connected_to} cannot be resolved (DNS): is it spelt right?"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"flower: the certificate of {asked.base} is not trusted ({cause.verify_message}){asked.through}: {_ca(asked)}"
    if isinstance(cause, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (cause.reason or ""):
        return f"flower: {asked.base} requires a client certificate{asked.through}: set `cert_file` and `key_file` of {asked.of}"
    if isinstance(cause, ssl.SSLError) and asked.tls.cert_file and re.search(_NOT_ACCEPTED, cause.reason or ""):
        return f"flower: {asked.base} does not accept the client certificate {asked.tls.cert_file} (`cert_file` of flower; {cause.reason})"
    if isinstance(cause, ssl.SSLError) or (isinstance(cause, TimeoutError) and "handshake" in str(cause)):
        why = getattr(cause, "reason", None) or "no handshake"
        return f"flower: no TLS connection to {asked.base} ({why}): does that port speak TLS, or should it be http://?"
    if isinstance(cause, ConnectionRefusedError):
        what = "it" if asked.proxy else asked.what
        return f"flower: connection refused by {asked.connected_to}: is {what} running there, on that port?"
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError | ConnectionError) and cause.strerror:
        return f"flower: no connection to {asked.connected_to}: {cause.strerror}"
    return None


def _ca(asked: Asked) -> str:
    if asked.tls.ca_file:
        return f"expected one that {asked.tls.ca_file} (`ca_file` of {asked.of}) has signed, for that host name"
    return f"set `ca_file` of {asked.of} to the certificate of the authority that signed it"


def refusal(status: int, body: bytes, location: str, asked: Asked) -> str:
    """The reason for an HTTP answer other than 200."""
    if status == 401:
        return _unauthorised(body, asked)
    if 300 <= status < 400:
        return _redirected(status, location, asked)
    sentences = {
        403: f"flower: 403 (forbidden) from {asked.url}: something in front of Flower, or its auth settings, lets this user not in",
        404: f"flower: 404 (not found) from {asked.url}: is it Flower, and is its url_prefix part of the configured URL?",
        405: (
            f"flower: 405 (not allowed) from {asked.url}: Flower 1.x has no API while authentication is on, so queues, pools and tasks "
            "cannot be seen; use Flower 2.x, or start this one without authentication behind a firewall"
        ),
    }
    if status in sentences:
        return sentences[status]
    if status >= 500 and asked.of_workers:
        return f"flower: {status} (server error) from {asked.url}: Flower could not query the workers; can it reach the broker? See its log"
    if status >= 500:
        return f"flower: {status} (server error) from {asked.url}: Flower, or a proxy in front of it, failed; see its log"
    return f"flower: expected 200 from {asked.url}, found {status}"


def _unauthorised(body: bytes, asked: Asked) -> str:
    """The reason for a 401: the API is switched off (then its text names the variable), or the credentials are wrong."""
    if b"FLOWER_UNAUTHENTICATED_API" in body:
        return (
            f"flower: 401 from {asked.url}: its API is switched off; start Flower with FLOWER_UNAUTHENTICATED_API=true, "
            "or with --basic_auth and set `username` and `password` of flower"
        )
    if asked.token_source:
        return f"flower: 401 from {asked.url}: it does not accept the token of `{asked.token_source}` of flower"
    if asked.has_credentials:
        return f"flower: 401 from {asked.url}: it does not accept the configured `username` and `password` (or headers) of flower"
    return f"flower: 401 from {asked.url}: it requires credentials; set `username` and `password` of flower"


def login_required(page_of: str, asked: Asked) -> str:
    """The reason if a login page answered."""
    found = f"flower: {asked.url} answered with the login page of {page_of}"
    if asked.token_source:
        return f"{found}: it does not accept the token of `{asked.token_source}` of flower"
    return f"{found}; set flower.token_command, flower.token_file or flower.oauth (docs/flower-auth.md)"


def _redirected(status: int, location: str, asked: Asked) -> str:
    """The reason for a redirect. Redirects are not followed, as that would send the credentials elsewhere.

    The location may contain tokens, so only a short path of it is shown.
    """
    try:
        to = urlsplit(location)
        host = to.hostname or ""
        path = to.path if re.fullmatch(r"/?[A-Za-z_-]{0,20}/?", to.path) else "/…"
        where = f"{to.scheme}://{host}{f':{to.port}' if to.port else ''}{path}" if host else path
        https_missing = to.scheme == "https" and asked.base.startswith("http://")
    except ValueError:
        where, https_missing = "", False
    hint = (
        "write https:// in the configured URL"
        if https_missing
        else "is Flower's url_prefix missing in the configured URL, or is this a login page?"
    )
    return f"flower: {status} (redirect) from {asked.url} to {where or 'an unknown place'}: redirects are not followed; {hint}"
