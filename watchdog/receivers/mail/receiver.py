"""E-mail through an SMTP server: one message to all recipients of the receiver, as plain text and HTML.

The message is frozen without sender and recipients, which join it as it is sent. A repeat has the same Message-ID; many servers and mail
programs then show one, but none has to.
"""

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.receivers.mail.settings import EmailSettings, mailbox
from watchdog.receivers.pictures.frozen import frozen, thawed
from watchdog.receivers.pictures.picture import Picture, Pictures

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
        self._pictures = Pictures(settings.name) if settings.chart else None

    @property
    def longest_s(self) -> float:
        """The longest that one delivery takes (seconds): with a picture, and without it if that is refused."""
        return self._attempt.longest_s if self._pictures is None else self._pictures.longest_s + 2 * self._attempt.longest_s

    def render(self, message: Message) -> bytes:
        """Subject, text and HTML, as in RFC 5322."""
        from watchdog.receivers.mail.content import email_of  # noqa: PLC0415 - imports the email package

        return frozen(email_of(message, self._sender.domain).as_bytes(), message.chart)

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. What the server refuses with its picture is sent without it."""
        plain, chart = thawed(body)

        def with_its_picture(picture: Picture) -> Outcome:
            from watchdog.receivers.mail.content import with_picture  # noqa: PLC0415 - imports the email package

            return self._sent(with_picture(plain, picture))

        outcome = self._pictures.sent(chart, with_its_picture) if self._pictures is not None else None
        return outcome if outcome is not None else self._sent(plain)

    def _sent(self, mail: bytes) -> Outcome:
        return self._attempt.send(self._sender.addr_spec, [one.addr_spec for one in self._recipients], self._headed(mail))

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
