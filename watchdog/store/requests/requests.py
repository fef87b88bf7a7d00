"""What people ask for, and what they asked for: each method is one transaction, with or without a running daemon, which obeys at its next
cycle.

In: what was typed, now (epoch seconds). Out: what was written. A request that cannot be granted is a `StoreError` that says what to do
instead; then nothing of it was written.
"""

from collections.abc import Iterable, Mapping, Sequence

from watchdog.core.actions.outcome import Word
from watchdog.core.actions.record import ActionRecord
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.remedies.attempt import Attempt
from watchdog.store.reads import shown
from watchdog.store.requests import acknowledgements, actions, closing, deploys, remedies, silences
from watchdog.store.sql import Database

__all__ = ["Requests"]


class Requests:
    """The part of the store that serves people's requests."""

    _file: Database

    # --- silences -----------------------------------------------------------------------------------------------------

    def silences(self) -> tuple[Silence, ...]:
        """All silences that are kept, oldest first."""
        with self._file.speaking():
            return silences.every(self._file.connection())

    def add_silence(self, silence: Silence) -> None:
        """Silence what its matchers select; it applies from the next cycle on."""
        with self._file.writing() as connection, self._file.speaking():
            silences.add(connection, silence)

    def amend_silence(self, named: str, asked: Silence, now: float) -> Silence:
        """Change the silence of this id; if that would rewrite what it has hidden, it ends, and another begins. Returns what holds."""
        with self._file.writing() as connection, self._file.speaking():
            return silences.amend(connection, named, asked, now)

    def expire_silence(self, named: str, now: float) -> Silence:
        """End a silence by its id or a unique prefix of it; `NotFoundError` if none or several match. Returns it as it was."""
        with self._file.writing() as connection, self._file.speaking():
            return silences.expire(connection, named, now)

    # --- deploys ------------------------------------------------------------------------------------------------------

    def deploys(self) -> tuple[Deploy, ...]:
        """All deploys that are kept, oldest first."""
        with self._file.speaking():
            return deploys.every(self._file.connection())

    def start_deploy(self, deploy: Deploy) -> tuple[Deploy, ...]:
        """Begin a deploy; it ends those that it replaces. Returns these, as they were."""
        with self._file.writing() as connection, self._file.speaking():
            return deploys.start(connection, deploy)

    def end_deploy(self, version: str | None, now: float) -> tuple[Deploy, ...]:
        """End the deploys of this version, or the only one that goes on. Returns them; none if they had ended already."""
        with self._file.writing() as connection, self._file.speaking():
            return deploys.end(connection, version, now)

    def announceable(self) -> tuple[Silence | Deploy, ...]:
        """Silences and deploys that apply, will apply, or ended within a day."""
        with self._file.speaking():
            connection = self._file.connection()
            return (*silences.not_ended(connection), *deploys.recent(connection))

    # --- actions on clusters ------------------------------------------------------------------------------------------

    def actions(self, since: float) -> tuple[ActionRecord, ...]:
        """The audit log since then, oldest first."""
        with self._file.speaking():
            return actions.since(self._file.connection(), since)

    def add_action(self, record: ActionRecord) -> None:
        """Write down an action, before it is sent or because it was refused."""
        with self._file.writing() as connection, self._file.speaking():
            actions.add(connection, record)

    def end_action(self, named: str, outcome: Word, text: str, now: float) -> None:
        """Write down how an action ended."""
        with self._file.writing() as connection, self._file.speaking():
            actions.end(connection, named, outcome, text, now)

    def remedies_under_way(self) -> tuple[Attempt, ...]:
        """The remedies that were begun and have not ended, oldest first."""
        with self._file.speaking():
            return remedies.under_way(self._file.connection())

    def end_remedy(self, named: str, outcome: Word, text: str, now: float) -> None:
        """Write down how a remedy ended."""
        with self._file.writing() as connection, self._file.speaking():
            remedies.end(connection, named, outcome, text, now)

    # --- single incidents ---------------------------------------------------------------------------------------------

    def acknowledged(self) -> Mapping[str, Acknowledgement]:
        """Id of each open incident that is acknowledged -> the acknowledgement."""
        with self._file.speaking():
            return acknowledgements.holding(self._file.connection())

    def acknowledge(self, named: Sequence[str], comment: str, author: str, now: float) -> list[tuple[Incident, Acknowledgement]]:
        """Acknowledge open incidents, all or none of them; see `show` for how they are named."""
        with self._file.writing() as connection, self._file.speaking():
            found = self._named(named)
            closing.refuse_ended(found, "acknowledged")
            given = [(one, Acknowledgement(one.id, now, one.severity, comment, author)) for one in found]
            for _, acknowledgement in given:
                acknowledgements.acknowledge(connection, acknowledgement)
            return given

    def take_back_acknowledgements(self, named: Sequence[str], author: str, now: float) -> list[Incident]:
        """Take back the acknowledgements of open incidents, all or none of them."""
        with self._file.writing() as connection, self._file.speaking():
            found = self._named(named)
            closing.refuse_unacknowledged(found, acknowledgements.holding(connection))
            for one in found:
                acknowledgements.take_back(connection, one.id, now, f"taken back by {author}" if author else "taken back")
            return found

    def close_incidents(self, named: Sequence[str], because: str, author: str, now: float) -> list[Incident]:
        """End incidents that are not in breach, all or none of them. Those who were notified of one are notified of its end."""
        with self._file.writing() as connection, self._file.speaking():
            found = self._named(named)
            return closing.close(connection, found, because, author, now)

    def _named(self, named: Iterable[str]) -> list[Incident]:
        """The incidents, each once."""
        return list({one.id: one for one in [shown.named_incident(self._file, text) for text in named]}.values())
