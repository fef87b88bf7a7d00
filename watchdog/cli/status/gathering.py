"""Gathers what `watchdog status` shows: from the database of a running daemon; without one, from a look of its own.

In: the options of the command. Out: one `TargetShown` per target, as often as it is asked. While it is asked again and again, what a live
look needs is built once, and the day is read from history at most twice a minute.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.cli.output.refusals import Refused
from watchdog.config.database_path import is_absent
from watchdog.status.shown import TargetShown

if TYPE_CHECKING:
    from watchdog.config.settings import Settings
    from watchdog.core.model.rows import Reading
    from watchdog.polling.check import Checker
    from watchdog.status.gathering import Days
    from watchdog.store import Store

__all__ = ["Gathering"]

OF_LIVE_LOOK = ("workers", "queues", "running", "cluster", "sources", "broker")


class Gathering:
    """What is shown of the chosen targets, from one moment to the next."""

    def __init__(
        self, config: Path | None, database: str | None, targets: Sequence[str], flags: Mapping[str, object], *, live: bool
    ) -> None:
        self._config, self._flags, self._live = config, {**flags, "database": database}, live
        self._names = tuple(targets)
        self._by_flag = any(flags.values())
        self._checker: Checker | None = None
        self._days: Days | None = None
        self.place = ""
        """Where it is gathered from, for the last line of the page."""

    def gather(self) -> tuple[TargetShown, ...]:
        """Look once."""
        from watchdog.cli.configuration import load, named_config  # noqa: PLC0415
        from watchdog.store import Store, StoreError  # noqa: PLC0415

        loaded = load(self._config, self._flags, targets_required=False, credentials=False)
        self.place = named_config(loaded)
        configured = tuple(target.name for target in loaded.settings.target)
        if self._by_flag or is_absent(loaded.database):
            return self._without_database(self._chosen(configured))
        try:
            with Store.open(loaded.database, create=False, command="watchdog status") as store:
                return self._with(store, loaded.settings, configured)
        except StoreError as error:
            raise Refused(str(error)) from None

    def close(self) -> None:
        """Close what a live look opened."""
        if self._checker is not None:
            self._checker.close()

    def _chosen(self, known: Sequence[str]) -> tuple[str, ...]:
        from watchdog.cli.configuration import known_names  # noqa: PLC0415

        return known_names(known, self._names)

    def _without_database(self, names: Sequence[str]) -> tuple[TargetShown, ...]:
        from watchdog.status.gathering import utc_offset_s  # noqa: PLC0415

        checker = self._live_checker()
        names = names or tuple(checker.targets)
        now = time.time()
        bare = TargetShown("", now, seen_at=now, live=True, incidents=None, utc_offset_s=utc_offset_s(now))
        return tuple(replace(bare, name=name, readings=self._looked(name)) for name in names)

    def _with(self, store: "Store", settings: "Settings", configured: Sequence[str]) -> tuple[TargetShown, ...]:
        from watchdog.status.gathering import Days, gathered, who_looks  # noqa: PLC0415

        self.place += who_looks(store, settings)
        looks = store.last_looks()
        names = self._chosen(configured or tuple(sorted(looks)))
        self._days = self._days or Days()
        shown = gathered(store, settings, names, self._days, time.time(), looks)
        return tuple(
            one if one.seen_at is not None and one.watched is not False and not self._live else self._live_look(one) for one in shown
        )

    def _live_look(self, shown: TargetShown) -> TargetShown:
        readings = self._looked(shown.name)
        now = time.time()
        return replace(shown, readings=readings, seen_at=now, now=now, live=True)

    def _looked(self, name: str) -> "Mapping[str, Reading]":
        from watchdog.cli.output.status_line import StatusLine  # noqa: PLC0415
        from watchdog.tables import TABLES  # noqa: PLC0415

        reads = {table: frozenset(column.name for column in TABLES[table].columns) for table in OF_LIVE_LOOK}
        with StatusLine() as status:
            readings, _ = self._live_checker().readings(name, reads, status.say)
        return readings

    def _live_checker(self) -> "Checker":
        if self._checker is None:
            from watchdog.app.polling import build_checker  # noqa: PLC0415
            from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415

            conf = load_with_rules(self._config, {key: value for key, value in self._flags.items() if key != "database"})
            self._checker = build_checker(conf, (), time.time, time.perf_counter)
        return self._checker
