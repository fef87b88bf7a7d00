"""What receivers that post JSON to one URL have in common. A kind adds `render`, its settings, and how it reads its service's answers.

In: settings, a client for them, and the interpretation of an answer. Out: one attempt per call, as `base.Receiver` asks.
"""

import json
from collections.abc import Mapping
from typing import Any

from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Outcome
from watchdog.receivers.http.attempt import HttpAttempt
from watchdog.receivers.http.outcome import Sorting, outcome_of
from watchdog.receivers.http.settings import HttpSettings

__all__ = ["JSON", "HttpReceiver", "json_bytes"]

JSON: Mapping[str, str] = {"content-type": "application/json"}


class HttpReceiver:
    """Posts to one URL over one connection."""

    human = True

    def __init__(
        self,
        settings: HttpSettings,
        attempt: HttpAttempt,
        sort: Sorting = outcome_of,
        *,
        headers: Mapping[str, str] = JSON,
        joined: Mapping[str, Any] | None = None,
    ) -> None:
        """`joined`: members that join the body as it is sent, and are never stored with it: where it goes now, and secrets."""
        self.name = settings.name
        self.settings = settings.fingerprint()
        self.address, self.per_second = settings.address, settings.per_second
        self._attempt, self._sort, self._headers = attempt, sort, headers
        self._joined = json_bytes(joined)[:-1] + b"," if joined else b""

    @property
    def longest_s(self) -> float:
        """The longest that one attempt takes (seconds)."""
        return self._attempt.longest_s

    def render(self, message: Message) -> bytes:
        """The body, as each kind writes it."""
        raise NotImplementedError

    def send(self, body: bytes, message_id: str, now: float) -> Outcome:
        """One attempt. Most services do not know the message's id: they show a repeat twice."""
        whole = self._joined + body[1:] if self._joined else body
        return self._attempt.post(whole, self._headers, now, self._sort)

    def close(self) -> None:
        """Close the connection."""
        self._attempt.close()


def json_bytes(document: Any) -> bytes:
    """Compact JSON, with letters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
