"""One HTTP request and its outcome, shared by all receivers that use HTTP.

In: a URL, headers and a body. Out: an `Outcome` whose reason names the server and its answer, never the URL: paths and queries of webhook
URLs are secrets. The whole attempt ends with its timeout, whatever the other side does: httpx's timeouts apply to a single read, which a
server that sends byte by byte never exceeds, and name resolution has no timeout at all. So the attempt runs in its own thread, which is
abandoned when time is up. Its socket is closed, so it ends soon after; resolving a name may take longer, so the number of abandoned threads
is limited: above the limit no new attempt is made. An abandoned thread sends nothing more: see `http.deadline`.
"""

import os
import re
import socket
import ssl
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from watchdog import __version__
from watchdog.core.incidents.outcome import Later, Outcome, Refused
from watchdog.core.text.exception_chain import exception_chain
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.secrets import pieces_of_url
from watchdog.net.bounded_thread import MOST_LEFT_ALONE, BoundedThread
from watchdog.net.http_proxy import ENVIRONMENT, Proxy, proxy_answer, proxy_for
from watchdog.net.tls_files import TlsFiles, no_tls, tls_context
from watchdog.receivers.http.outcome import HttpAnswer, Sorting, outcome_of

if TYPE_CHECKING:
    import httpx

    from watchdog.receivers.http.deadline import DeadlineBackend

__all__ = ["HttpAttempt"]

LARGEST_ANSWER = 64 * 1024
LARGEST_TEXT = 4096
_SYSTEMS_TRUST = TlsFiles()
_SHORTEST_SECRET = 4


class _Answer(Struct):
    """What has been received so far; written by the attempt's thread, read when it is done or has timed out."""

    status: int | None = None
    retry_after: str | None = None
    text: str = ""
    whole: bool = False
    failure: Exception | None = None


class HttpAttempt:
    """Sends requests to one URL over one kept-alive connection. `secrets` never appear in a reason, even if the server repeats them.

    `proxy`: `environment` (that is `environ`), `none`, or a URL; see `http_proxy`.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        tls: TlsFiles = _SYSTEMS_TRUST,
        secrets: Iterable[str] = (),
        proxy: str = ENVIRONMENT,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._url = url
        self._proxy_setting, self._environ = proxy, environ
        self._proxy: Proxy | None = None
        self._timeout_s = timeout_s
        self._tls = tls
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._server = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        self._secrets = {*secrets, *pieces_of_url(url)}
        self._hidden = _worth_hiding(self._secrets)
        self._client: httpx.Client | None = None
        self._network: DeadlineBackend | None = None
        self._thread = BoundedThread("http-attempt")

    @property
    def longest_s(self) -> float:
        """The longest that one attempt takes (seconds)."""
        return self._timeout_s + 1.0

    def post(self, body: bytes, headers: Mapping[str, str], now: float, sort: Sorting | None = None) -> Outcome:
        """One attempt at `now` (epoch seconds); `sort`, by default `outcome_of`, interprets the answer. Not thread-safe."""
        return self._sent("POST", body, headers, now, sort or outcome_of)

    def get(self, headers: Mapping[str, str], now: float, sort: Sorting | None = None) -> Outcome:
        """The same as a GET, without a body."""
        return self._sent("GET", b"", headers, now, sort or outcome_of)

    def _sent(self, method: str, body: bytes, headers: Mapping[str, str], now: float, sort: Sorting) -> Outcome:
        if self._thread.full:
            return Later(f"{self._server}: {MOST_LEFT_ALONE} earlier attempts still hang; can its name be looked up?", never_arrived=True)
        try:
            client = self._opened()
        except ValueError as error:  # from `proxy_for`
            return Later(f"{self._server}: {error}")
        except OSError as error:  # includes ssl.SSLError
            why = error.strerror or type(error).__name__
            return Later(f"{self._tls} cannot be read as PEM certificates, or their key is locked or another's ({why})")
        network, answer = self._network, _Answer()
        if network is not None:
            network.begin(self._timeout_s)
        late = not self._thread.ends_within(self._timeout_s, lambda: _exchange(client, method, self._url, body, headers, answer))
        if late:
            self.close()  # breaks the connection, so the thread's error is caused by us
        if answer.status == 407 and self._proxy:
            return Later(proxy_answer(407, self._proxy, self._server), never_arrived=True)
        if answer.status is not None:
            unsecret = self._without_secrets(answer.text)
            answered = f"{self._server} answered {answer.status}"
            given = HttpAnswer(answered, answer.status, one_line(unsecret), answer.text, unsecret, answer.whole, answer.retry_after)
            return sort(given, now)
        never_sent = network is not None and not network.wrote
        if answer.failure is not None and not late:
            return self._outcome_of_failure(answer.failure, never_sent=never_sent)
        return self._out_of_time(never_sent=never_sent)

    def _out_of_time(self, *, never_sent: bool) -> Outcome:
        """The outcome of a timeout. What was not sent by then is not sent later either."""
        doing = "could not be reached" if never_sent else "did not answer"
        return Later(f"{self._server} {doing} within {self._timeout_s:g}s{self._through}", never_arrived=never_sent)

    def close(self) -> None:
        """Close the connection; the next attempt opens a new one."""
        self._thread.close()
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _opened(self) -> "httpx.Client":
        import httpx  # noqa: PLC0415 - slow to import; commands that send nothing do not need it

        from watchdog.receivers.http.deadline import DeadlineBackend  # noqa: PLC0415 - imports httpcore, also slow

        if self._client is None:
            secure = self._url.lower().startswith("https")
            self._proxy = proxy = proxy_for(self._url, self._proxy_setting, self._environ)
            self._hidden = _worth_hiding({*self._secrets, *(proxy.secrets if proxy else ())})
            context = tls_context(self._tls) if secure else no_tls()
            limits = httpx.Limits(max_connections=2, keepalive_expiry=120.0)
            by = _for_httpx(proxy, self._tls.trust_alone) if proxy else None
            transport = httpx.HTTPTransport(verify=context, proxy=by, trust_env=False, limits=limits)
            self._network = DeadlineBackend()
            transport._pool._network_backend = self._network  # noqa: SLF001 - httpx 0.28 has no public way to set one
            self._client = httpx.Client(
                transport=transport,
                trust_env=False,  # the proxy variables were read already, and .netrc must not be used
                timeout=self._timeout_s,
                follow_redirects=False,
                headers={"user-agent": f"watchdog/{__version__}", "accept-encoding": "identity"},
            )
        return self._client

    def _outcome_of_failure(self, failure: Exception, *, never_sent: bool) -> Outcome:
        import httpx  # noqa: PLC0415

        causes = list(exception_chain(failure))
        asked = str(self._proxy or self._server)  # with a proxy, only the proxy is connected to
        if isinstance(failure, httpx.ProxyError) and self._proxy:
            status = re.match(r"\d{3}", str(failure))
            return Later(proxy_answer(int(status[0]) if status else 0, self._proxy, self._server), never_arrived=True)
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return Later(f"{asked} refused the connection; is it running?", never_arrived=True)
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return Later(f"{asked}: the host name cannot be resolved")
        tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
        if tls is not None:
            self.close()  # the next attempt reads the files again
            return Later(f"{self._server}: {self._tls_failure(tls)}")
        if isinstance(failure, httpx.TimeoutException):
            return self._out_of_time(never_sent=never_sent)
        if isinstance(failure, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | ValueError):
            return Refused(f"{self._server}: the request cannot be made ({type(failure).__name__}); check `url` and `headers`")
        return Later(f"{self._server}: the connection broke before an answer came ({type(failure).__name__}){self._through}")

    def _tls_failure(self, error: ssl.SSLError) -> str:
        reason = error.reason or "no details"
        why = one_line(getattr(error, "verify_message", "") or reason.replace("_", " ").lower())
        if "CERTIFICATE_REQUIRED" in reason:
            return f"it requires a client certificate{self._through}; set `cert_file` and `key_file`"
        if self._tls.cert_file and re.search("UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED", reason):
            return f"it does not accept the client certificate {self._tls.cert_file} ({why}){self._through}"
        return f"TLS failed ({why}){self._through}; for a private authority set `ca_file`"

    @property
    def _through(self) -> str:
        return f", through {self._proxy}" if self._proxy else ""

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return text


def _for_httpx(proxy: Proxy, trust: TlsFiles) -> "httpx.Proxy":
    import httpx  # noqa: PLC0415

    return httpx.Proxy(proxy.url, auth=proxy.auth, ssl_context=tls_context(trust) if proxy.url.startswith("https") else None)


def _exchange(client: "httpx.Client", method: str, url: str, body: bytes, headers: Mapping[str, str], answer: _Answer) -> None:
    """Fill in the answer as it arrives. Its beginning is enough for a reason, and for what a receiver reads in it."""
    try:
        with client.stream(method, url, content=body or None, headers=headers) as response:
            answer.retry_after = response.headers.get("retry-after")
            answer.status = response.status_code
            received = b""
            for chunk in response.iter_raw():
                received += chunk
                answer.text = _beginning(received, response.headers.get("content-encoding", "")).decode("utf-8", "replace")
                if len(received) > LARGEST_ANSWER:
                    break
            answer.whole = True
    except Exception as error:  # noqa: BLE001 - passed to the waiting thread, which interprets it
        answer.failure = error


def _beginning(received: bytes, encoding: str) -> bytes:
    """The first 4 KiB of a body, decompressed if a server compresses unasked. Never more: a small body may decompress to a huge one."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return received[:LARGEST_TEXT]
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(received, LARGEST_TEXT)  # 32: gzip or zlib, by its header
    except zlib.error:
        return b""


def _worth_hiding(secrets: Iterable[str]) -> list[str]:
    """Each secret and each of its words, longest first; texts shorter than 4 characters reveal nothing."""
    words = {word for secret in secrets for word in (secret, *secret.split())}
    return sorted((word for word in words if len(word) >= _SHORTEST_SECRET), key=len, reverse=True)
