"""Looks at one target through its real sources, again and again as a daemon does, with its events if it hears any."""

import time

from watchdog.app.polling import build_pollers
from watchdog.config.settings import Settings, TargetSettings
from watchdog.core.model.demand import Demand
from watchdog.core.model.reading import Past, Seen, read_tables
from watchdog.core.model.rows import Cell, Reading
from watchdog.sources.events.source import SharedEars
from watchdog.tables import TABLES

__all__ = ["Watching"]


class Watching:
    """Polls one target, each time with what earlier polls left. `target`: its settings, `events` among them ("off": none).

    `hurry`: how many times faster than the true one its clock runs; for where nothing that is read bears a time.
    """

    def __init__(self, *, hurry: float = 1.0, **target: object) -> None:
        self._hurry, self._began = hurry, time.time()
        given = TargetSettings.model_validate({"name": "prod", "events": "off", **target})
        (self._poller,) = build_pollers(Settings(target=(given,)), ears=SharedEars(lambda *_: None))
        self.target, self._past = self._poller.target, Past()

    def look(self) -> Seen:
        """One look, now."""
        now = self._began + (time.time() - self._began) * self._hurry
        replies = self._poller.ask(self._past, now, demand=Demand())
        seen = read_tables(TABLES, self.target, self._past, replies, now)
        self._past = self._past.plus(seen, 600)
        return seen

    def table(self, name: str) -> Reading:
        """One table of a look now."""
        return self.look().windows[300.0][name]

    def cells(self, table: str, name: str, *columns: str) -> list[Cell]:
        """Cells of the row with that name, in a look now; nothing if there is none, or a column is idle."""
        found = self.table(table)
        return [row.cells.get(column) for row in found.rows if row.cells["name"] == name for column in columns if column not in found.idle]

    def workers(self) -> dict[str, Cell]:
        """Worker -> its state; None: unknown."""
        return {str(row.cells["name"]): row.cells["state"] for row in self.table("workers").rows}

    def until(self, states: dict[str, Cell], timeout: float = 60.0) -> None:
        """Look until these are the states of all workers."""
        ends_at = time.monotonic() + timeout
        while (seen := self.workers()) != states:
            assert time.monotonic() < ends_at, f"expected {states}, found {seen}"
            time.sleep(0.3)

    def close(self) -> None:
        """Stop asking and listening."""
        self._poller.close()
