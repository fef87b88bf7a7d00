"""One attempt to hand an e-mail to an SMTP server, and its outcome.

In: envelope and bytes. Out: an `Outcome` that names the server, what it answered in its own words, and what to do; never the password.
The whole attempt ends with its timeout: smtplib's applies to a single read, and name resolution has none. So the attempt runs in its own
thread, which is abandoned when time is up. Its socket is closed then, and it connects to nothing afterwards.
"""

import base64
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.text.sanitize import one_line
from watchdog.net.bounded_thread import MOST_LEFT_ALONE, BoundedThread
from watchdog.receivers.mail.settings import EmailSettings

__all__ = ["SmtpAttempt"]

_TOO_LARGE = (552, 523)
_SHORTEST_SECRET = 4
_Refusals = Mapping[str, tuple[int, bytes]]


class _Exchange(Struct):
    """How far an attempt has come; written by its thread, read when it is done or has timed out."""

    refused: _Refusals | None = None
    data_begun: bool = False
    failure: Exception | None = None


class _Connection(smtplib.SMTP):
    """A connection that opens nothing and writes nothing after its deadline (monotonic seconds)."""

    def __init__(self, deadline: float, exchange: _Exchange, tls: ssl.SSLContext | None) -> None:
        self._deadline, self._exchange, self._tls = deadline, exchange, tls
        here = socket.gethostname()
        super().__init__(local_hostname=here if "." in here else "[127.0.0.1]")  # else smtplib asks the DNS, which may take long

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        opened = socket.create_connection((host, port), self._left())
        self._left()
        return opened if self._tls is None else self._tls.wrap_socket(opened, server_hostname=host)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's time is up")
        return left

    def send(self, s: Any) -> None:
        """Write, if there is time left."""
        left = self._left()
        if self.sock is not None:
            self.sock.settimeout(left)
        super().send(s)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message itself: from here on it may have arrived."""
        self._exchange.data_begun = True
        return super().data(msg)


class SmtpAttempt:
    """Sends with these settings, over a new connection each time."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._server = f"{host}:{settings.server_port}"
        self._password = settings.password.get_secret_value() if settings.password else ""
        self._hidden = _hidden(settings.username or "", self._password)
        self._thread = BoundedThread("smtp-attempt")

    @property
    def longest_s(self) -> float:
        """The longest that one attempt takes (seconds)."""
        return self._settings.timeout + 1.0

    def send(self, sender: str, recipients: Sequence[str], mail: bytes) -> Outcome:
        """One attempt. Not thread-safe."""
        if self._thread.full:
            return Later(f"{self._server}: {MOST_LEFT_ALONE} earlier attempts still hang; can its name be looked up?", never_arrived=True)
        try:
            context = self._context()
        except OSError as error:  # includes ssl.SSLError
            why = error.strerror or type(error).__name__
            return Later(f"{self._settings.tls} cannot be read as PEM certificates, or their key is locked or another's ({why})")
        exchange = _Exchange()
        connection = _Connection(time.monotonic() + self._settings.timeout, exchange, context if self._settings.security == "tls" else None)
        talk = partial(self._exchange, connection, context, exchange, sender, recipients, mail)
        if not self._thread.ends_within(self._settings.timeout, talk):
            _break(connection)
            return self._late(exchange)
        if exchange.failure is not None:
            return self._outcome_of(exchange.failure, exchange)
        return self._delivered(exchange.refused or {})

    def close(self) -> None:
        """End the thread; no connection stays open."""
        self._thread.close()

    def _exchange(
        self,
        connection: _Connection,
        context: ssl.SSLContext | None,
        exchange: _Exchange,
        sender: str,
        recipients: Sequence[str],
        mail: bytes,
    ) -> None:
        """Connect, encrypt, log in, send."""
        settings = self._settings
        try:
            connection._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001 - the name that starttls checks; only its constructor sets it
            connection.connect(settings.host, settings.server_port)
            if settings.security == "starttls":
                connection.starttls(context=context)
            if settings.username:
                connection.login(settings.username, self._password)
            exchange.refused = connection.sendmail(sender, recipients, mail)
        except Exception as error:  # noqa: BLE001 - passed to the waiting thread, which interprets it
            exchange.failure = error
        finally:
            _leave(connection)

    def _context(self) -> ssl.SSLContext | None:
        settings = self._settings
        if settings.security == "none":
            return None
        context = ssl.create_default_context(cafile=settings.tls.ca_file)
        if settings.tls.cert_file:
            context.load_cert_chain(settings.tls.cert_file, settings.tls.key_file, password=lambda: "")
        return context

    def _delivered(self, refused: _Refusals) -> Outcome:
        if not refused:
            return Delivered("250")
        return Delivered("250", problem=f"{self._server} refused {self._each(refused)}; check these addresses in `to`")

    def _late(self, exchange: _Exchange) -> Outcome:
        did = "did not confirm the message" if exchange.data_begun else "did not take the message"
        return Later(f"{self._server} {did} within {self._settings.timeout:g}s", never_arrived=not exchange.data_begun)

    def _outcome_of(self, failure: Exception, exchange: _Exchange) -> Outcome:
        match failure:
            case smtplib.SMTPNotSupportedError():
                return Refused(self._unsupported())
            case smtplib.SMTPRecipientsRefused():
                return self._all_refused(failure.recipients)
            case smtplib.SMTPResponseException():
                return self._answered(failure, exchange)
            case ConnectionRefusedError():
                return Later(f"{self._server} refused the connection; is it running?", never_arrived=True)
            case socket.gaierror():
                return Later(f"{self._server}: the host name cannot be resolved", never_arrived=True)
            case ssl.SSLError():
                why = one_line(getattr(failure, "verify_message", "") or (failure.reason or "no details").replace("_", " ").lower())
                return Later(f"{self._server}: TLS failed ({why}); {self._of_tls()}", never_arrived=True)
            case TimeoutError():
                return self._late(exchange)
            case smtplib.SMTPServerDisconnected() if isinstance(failure.__context__, TimeoutError):
                return self._late(exchange)
        how = "before it confirmed the message" if exchange.data_begun else "before it took the message"
        return Later(f"{self._server} closed the connection {how} ({type(failure).__name__})", never_arrived=not exchange.data_begun)

    def _of_tls(self) -> str:
        return 'for a private authority set `ca_file`; if the server begins without TLS, as on port 587, set security = "starttls"'

    def _unsupported(self) -> str:
        if self._settings.security == "starttls":
            return f'{self._server} does not offer STARTTLS, or no login that is known; set security = "tls" for port 465, or "none"'
        return f"{self._server} offers no login; leave `username` and `password` out, or set another `port`"

    def _answered(self, error: smtplib.SMTPResponseException, exchange: _Exchange) -> Outcome:
        reason = f"{self._server} answered {error.smtp_code}: {self._words(error.smtp_error)}"
        if 400 <= error.smtp_code < 500 or error.smtp_code < 0:  # -1: it closed the connection instead
            return Later(reason, never_arrived=True)
        if error.smtp_code in _TOO_LARGE and isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
            return Refused(f"{reason}; let the server take larger messages", too_large=True)
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return Refused(f"{reason}; check `username` and `password` (many providers want one made for programs)")
        if isinstance(error, smtplib.SMTPSenderRefused):
            return Refused(f"{reason}; check `from`: the server must let this login send in its name")
        return Refused(f"{reason}; ask whoever runs the server" if exchange.data_begun else f"{reason}; check `host` and `port`")

    def _all_refused(self, refused: _Refusals) -> Outcome:
        reason = f"{self._server} refused {self._each(refused)}"
        if any(400 <= code < 500 for code, _ in refused.values()):
            return Later(reason, never_arrived=True)
        return Refused(f"{reason}; check `to`, and whether the server relays for this login")

    def _each(self, refused: _Refusals) -> str:
        said = [f"{one_line(to)} ({code}: {self._words(text)})" for to, (code, text) in refused.items()]
        return ", ".join([*said[:3], *([f"and {len(said) - 3} more"] if len(said) > 3 else [])])

    def _words(self, said: bytes | str) -> str:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return one_line(" ".join(text.split()), 300) or "nothing"


def _hidden(username: str, password: str) -> list[str]:
    """The password as it is, and as the kinds of login write it."""
    if len(password) < _SHORTEST_SECRET:
        return []
    plain = [f"\0{username}\0{password}", password]
    return [*(base64.b64encode(text.encode("utf-8", "surrogatepass")).decode() for text in plain), password]


def _break(connection: _Connection) -> None:
    """Close the socket of an abandoned attempt, so that it ends."""
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            sock.close()


def _leave(connection: _Connection) -> None:
    """Say goodbye, where the connection still stands; what is said to it no longer matters."""
    try:
        if connection.sock is not None:
            connection.sock.settimeout(1.0)
            connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
