"""The token for one Flower: obtained when it is first needed, kept until it expires or is refused, by one thread at a time.

In: the settings. Out: the token to send, or a gap that says why there is none. A failure is not tried again at once, so that the queries of
one poll, and targets that share a Flower, do not each run a failing command.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from watchdog.core.model.gaps import Gap
from watchdog.core.text.durations import format_duration
from watchdog.net.deadline import Deadline
from watchdog.net.obtained_secrets import obtained
from watchdog.sources.flower.access.command import TokenCommand
from watchdog.sources.flower.access.settings import AccessSettings
from watchdog.sources.flower.access.token import LONGEST_TOKEN, Obtained, Token, expiry_of, fault_of

__all__ = ["Tokens"]

AGAIN_AFTER_S = 10.0
"""A failure stands for that long."""
KEPT_AT_LEAST_S = 30.0
"""A token is used for that long, even if it is refused: a server that refuses all would otherwise have a new one made for each poll."""
SPARE_S = 30.0
"""A token is renewed before it expires: half of its life before, but no more than this."""

_turns: dict[str, Lock] = {}
"""URL of a Flower -> lock that limits it to one refresh at a time, for all targets of this process."""


class Tokens:
    """Thread-safe. `clock` is monotonic, `wall_clock` that of the time in tokens (both in seconds)."""

    def __init__(self, settings: AccessSettings, url: str, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock, self._wall_clock = clock, wall_clock
        self._turn = _turns.setdefault(url.lower(), Lock())
        self._command = TokenCommand(settings.token_command) if settings.token_command else None
        self._held: Token | None = None
        self._failure: Gap | None = None
        self._failed_at = 0.0

    def current(self) -> Token | Gap:
        """A token that has not expired. May wait `token_timeout`."""
        s = self._settings
        deadline = Deadline(self._clock)
        deadline.start(s.token_timeout)
        if not self._turn.acquire(timeout=s.token_timeout):
            within = format_duration(s.token_timeout)
            return Gap(f"flower: no token: another target's `{s.token_source}` was still at work after {within} (`token_timeout`)")
        try:
            return self._held_or_new(deadline)
        finally:
            self._turn.release()

    def interrupt(self) -> None:
        """From any thread, for a stop: end a command that runs, and let none run on."""
        if self._command is not None:
            self._command.interrupt()

    def refused(self, token: Token) -> bool:
        """The server refused this token: drop it. Returns whether another one is worth a try; a file has just been read."""
        if self._settings.token_file is not None:
            return False
        with self._turn:
            if self._held is not None and self._held.text != token.text:
                return True
            if self._clock() - token.obtained_at < KEPT_AT_LEAST_S:
                return False
            self._held = None
            return True

    def _held_or_new(self, deadline: Deadline) -> Token | Gap:
        now = self._clock()
        if self._settings.token_file is not None:
            return self._from_file(now)
        if self._held is not None and now < self._held.renew_at:
            return self._held
        if self._failure is not None and now - self._failed_at < AGAIN_AFTER_S:
            return self._failure
        return self._kept(self._obtained(deadline))

    def _from_file(self, now: float) -> Token | Gap:
        """The token in the file, which is read for each request: it costs less than a request, and whoever renews it need not tell."""
        path = self._settings.token_file or ""
        try:
            with Path(path).open("rb") as file:
                text = file.read(LONGEST_TOKEN + 2).decode("utf-8", "replace").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "not a path"
            return Gap(f"flower: no token: cannot read {path} (`token_file` of flower): {why}")
        if self._held is not None and self._held.text == text:
            return self._held
        return self._kept(Obtained(text), now)

    def _obtained(self, deadline: Deadline) -> Obtained | Gap:
        s = self._settings
        if self._command is not None:
            return self._command.token(deadline, s.token_timeout)
        assert s.oauth is not None  # noqa: S101 - a file is read elsewhere, and there is no fourth source
        from watchdog.sources.flower.access.grant import token_of_grant  # noqa: PLC0415 - imports oauthlib, which is slow

        return token_of_grant(s.oauth, deadline, s.token_timeout, self._clock)

    def _kept(self, got: Obtained | Gap, now: float | None = None) -> Token | Gap:
        """The token, checked and kept; or the failure, kept too."""
        now = self._clock() if now is None else now
        if not isinstance(got, Gap):
            fault = fault_of(got.text, cookie=self._settings.token_cookie is not None)
            got = Gap(f"flower: no token: {fault} from `{self._settings.token_source}` of flower") if fault else got
        if isinstance(got, Gap):
            self._failure, self._failed_at, self._held = got, now, None
            return got
        obtained(got.text)
        self._failure = None
        self._held = Token(got.text, now, now + max(self._lifetime(got), KEPT_AT_LEAST_S))
        return self._held

    def _lifetime(self, got: Obtained) -> float:
        """Seconds until it should be renewed: what its source said, else what the token says, else `token_ttl`."""
        expires_at = expiry_of(got.text)
        left = got.lifetime_s if got.lifetime_s is not None else None if expires_at is None else expires_at - self._wall_clock()
        return self._settings.token_ttl if left is None else left - min(SPARE_S, left / 2)
