"""What works beside the cycles of one configuration, where it is configured.

Protocols for what the composition root provides: what carries out remedies, and what lets others look.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from watchdog.core.incidents.remedies.attempt import Attempt
from watchdog.daemon.beside.digests import Digests
from watchdog.daemon.beside.heartbeat import Heartbeat
from watchdog.daemon.logs.decision_log import DecisionLog
from watchdog.receivers.alertmanager import Alertmanager
from watchdog.store import Progress

__all__ = ["NOTHING_BESIDE", "Beside", "Engine", "Noticed", "Remedies"]


class Remedies(Protocol):
    """Who carries out remedies, each in a thread of its own."""

    def begin(self, attempts: Iterable[Attempt]) -> None:
        """Carry these out, those that have not ended; they are stored."""

    def begin_stored(self) -> None:
        """Carry out those that others have stored since the start."""

    def resume(self) -> None:
        """Finish what an earlier process left."""

    def finish(self, seconds: float) -> None:
        """Wait for what goes on, so long at most."""


class Noticed(Protocol):
    """What others have committed since that was asked last."""

    @property
    def looked(self) -> Mapping[str, bool]:
        """Targets that others have looked at -> whether that was late."""

    @property
    def overdue(self) -> tuple[str, ...]:
        """Targets at which the daemon is to look now."""

    @property
    def messages(self) -> bool:
        """Whether there are new messages."""

    @property
    def incidents(self) -> bool:
        """Whether incidents have changed."""


class Engine(Protocol):
    """Who lets others look. Thread-safe."""

    @property
    def notice_s(self) -> float:
        """How often to ask what others have committed, in seconds."""

    def start(self) -> None:
        """Begin."""

    def stop(self, patience_s: float) -> None:
        """Let nobody look any more."""

    def takes(self, target: str) -> bool:
        """A look is due. Returns whether others have it; if not, the caller looks, and says so with `looked`."""

    def looked(self, target: str, at: float | None) -> None:
        """The daemon has looked itself; None: nothing was committed."""

    def notice(self, progress: Progress) -> Noticed:
        """Compare what is committed with what was before."""

    def overdue(self) -> tuple[str, ...]:
        """Targets at which the daemon is to look now."""


class Beside(Struct, frozen=True):
    """The parts that only some configurations have."""

    heartbeat: Heartbeat | None = None
    decision_log: DecisionLog | None = None
    digests: Digests | None = None
    mirrors: tuple[Alertmanager, ...] = ()
    remedies: Remedies | None = None
    engine: Engine | None = None


NOTHING_BESIDE = Beside()
