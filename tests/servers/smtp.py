"""A real SMTP server (aiosmtpd) on the loopback address: with or without TLS and login, picky on command, keeps what it took."""

import asyncio
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.waiting import until

__all__ = ["Mail", "SmtpServer"]


@dataclass(frozen=True)
class Mail:
    """One message that was taken: its envelope, and what it says."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool

    @property
    def text(self) -> str:
        return str(self.message.get_body(("plain",)).get_content())  # type: ignore[union-attr]

    @property
    def html(self) -> str:
        return str(self.message.get_body(("html",)).get_content())  # type: ignore[union-attr]


@dataclass
class SmtpServer:
    """`tls`: from the start, or once asked (`starttls`). `login`: user and password, without which it takes nothing.

    `refuses`: recipient -> answer. `answers`: what it says to the next messages, instead of taking them. `loses`: hangs up after so many
    messages were taken, without an answer.
    """

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refuses: dict[str, str] = field(default_factory=dict)
    largest: int = 33_554_432
    answers: list[str] = field(default_factory=list)
    loses: int = 0
    taken: list[Mail] = field(default_factory=list)
    _sessions: list[SMTP] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-server")
        self._thread.start()
        opened = self._loop.create_server(self._session, "127.0.0.1", 0, ssl=self.tls)
        self._server = asyncio.run_coroutine_threadsafe(opened, self._loop).result(60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _session(self) -> SMTP:
        session = SMTP(
            self,
            loop=self._loop,
            data_size_limit=self.largest,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            authenticator=self._authenticates,
            auth_required=self.login is not None,
            auth_require_tls=False,
        )
        self._sessions.append(session)
        return session

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    def wait_for(self, count: int) -> list[Mail]:
        until(lambda: len(self.taken) >= count, 60, f"{count} messages (there are {len(self.taken)})")
        return list(self.taken)

    def _authenticates(self, _server: Any, _session: Session, _envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        known = mechanism in ("PLAIN", "LOGIN") and isinstance(given, LoginPassword)
        right = known and self.login == (given.login.decode(), given.password.decode())
        said = f"535 5.7.8 Authentication failed for {given.login.decode()} {given.password.decode()}" if known else "535 5.7.8 What?"
        return AuthResult(success=right, handled=right, message=None if right else said)

    async def handle_RCPT(self, _server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        with self._lock:
            encrypted = session.ssl is not None or self.tls is not None
            self.taken.append(Mail(str(envelope.mail_from), list(envelope.rcpt_tos), message, encrypted))
        if self.loses:
            self.loses -= 1
            server.transport.close()
        return "250 Message accepted"
