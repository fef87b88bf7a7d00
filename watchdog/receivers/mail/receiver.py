"""E-mail through an SMTP server: one message to all recipients of the receiver, as plain text and HTML.

The message is frozen without sender and recipients, which join it as it is sent. A repeat has the same Message-ID; many servers and mail
programs then show one, but none has to.
"""

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.receivers.mail.settings import EmailSettings, mailbox

__all__ = ["EmailReceiver"]


class EmailReceiver:
    """Sends to one list of addresses."""

    human = True

    def __init__(self, settings: EmailSettings) -> None:
        from watchdog.receivers.mail.smtp import SmtpAttempt  # noqa: PLC0415 - imports smtplib and ssl; commands that send nothing need neither

        self.name = settings.name
        self.settings = settings.fingerprint()
        self.address, self.per_second = settings.address, settings.per_second
        self._sender, self._recipients = mailbox(settings.sender), [mailbox(one) for one in settings.to]
        self._attempt = SmtpAttempt(settings)

    @property
    def longest_s(self) -> float:
        """The longest that one attempt takes (seconds)."""
        return self._attempt.longest_s

    def render(self, message: Message) -> bytes:
        """Subject, text and HTML, as in RFC 5322."""
        from watchdog.receivers.mail.content import email_of  # noqa: PLC0415 - imports the email package

        return email_of(message, self._sender.domain).as_bytes()

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt."""
        return self._attempt.send(self._sender.addr_spec, [one.addr_spec for one in self._recipients], self._headed(body))

    def _headed(self, body: bytes) -> bytes:
        """The message with the headers that name people."""
        from email.message import EmailMessage  # noqa: PLC0415 - needed only where mail is sent
        from email.policy import SMTP  # noqa: PLC0415

        head = EmailMessage(policy=SMTP)
        head["From"], head["To"] = self._sender, self._recipients
        return head.as_bytes().removesuffix(b"\r\n") + body

    def close(self) -> None:
        """End the attempts' thread; no connection stays open."""
        self._attempt.close()
