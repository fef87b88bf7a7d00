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
from watchdog.cli.status.shown import TargetShown

if TYPE_CHECKING:
    from watchdog.check import Checker
    from watchdog.config.settings import Settings
    from watchdog.core.history.trends import Day
    from watchdog.core.model.rows import Reading
    from watchdog.store import Store

__all__ = ["Gathering"]

DAY_S = 86400.0
DAY_AGAIN_S = 30.0
OF_LIVE_LOOK = ("workers", "queues", "running", "cluster", "sources", "broker")
NEVER_SEEN = "no look is stored yet"


class Gathering:
    """What is shown of the chosen targets, from one moment to the next."""

    def __init__(
        self, config: Path | None, database: str | None, targets: Sequence[str], flags: Mapping[str, object], *, live: bool
    ) -> None:
        self._config, self._flags, self._live = config, {**flags, "database": database}, live
        self._names = tuple(targets)
        self._by_flag = any(flags.values())
        self._checker: Checker | None = None
        self._days: dict[str, tuple[float, Day]] = {}
        self.place = ""
        """Where it is gathered from, for the last line of the page."""

    def gather(self) -> tuple[TargetShown, ...]:
        """Look once."""
        from watchdog.cli.configuration import load, named_config  # noqa: PLC0415
        from watchdog.store import Store, StoreError  # noqa: PLC0415

        loaded = load(self._config, self._flags, targets_required=False, credentials=False)
        self.place = named_config(loaded)
        configured = tuple(target.name for target in loaded.settings.target)
        if self._by_flag or not loaded.database.exists():
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
        checker = self._live_checker()
        names = names or tuple(checker.targets)
        now = time.time()
        bare = TargetShown("", now, seen_at=now, live=True, incidents=None, utc_offset_s=_offset(now))
        return tuple(replace(bare, name=name, readings=self._looked(name)) for name in names)

    def _with(self, store: "Store", settings: "Settings", configured: Sequence[str]) -> tuple[TargetShown, ...]:
        from watchdog.cli.database.incidents import reasons_of  # noqa: PLC0415
        from watchdog.core.model.target import matches  # noqa: PLC0415

        now = time.time()
        watched, looks, listed, deploys = store.watched(), store.last_looks(), store.incidents(), store.deploys()
        quiet, known = reasons_of(listed, store, settings), store.acknowledged()
        common = TargetShown(
            "", now, watched=watched.now, quiet=quiet, acknowledged=known, notified=store.notified(), utc_offset_s=_offset(now)
        )
        shown = []
        for name in self._chosen(configured or tuple(sorted(looks))):
            look = looks.get(name)
            mine = tuple(incident for incident in listed if incident.target == name)
            of_daemon = look is not None and watched.now is not False and not self._live
            own_deploys = tuple(deploy for deploy in deploys if matches(name, deploy.targets))
            one = replace(common, name=name, incidents=mine, deploys=own_deploys, day=self._day(store, name, now))
            shown.append(_seen(one, look.readings(), look.at, look.interval_s) if of_daemon and look is not None else self._live_look(one))
        return tuple(shown)

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
            from watchdog.app import build_checker  # noqa: PLC0415
            from watchdog.cli.configuration import load_with_rules  # noqa: PLC0415

            conf = load_with_rules(self._config, {key: value for key, value in self._flags.items() if key != "database"})
            self._checker = build_checker(conf, (), time.time, time.perf_counter)
        return self._checker

    def _day(self, store: "Store", name: str, now: float) -> "Day":
        from watchdog.core.history.trends import OF_DAY, day_of  # noqa: PLC0415
        from watchdog.tables.history.kept import KEPT  # noqa: PLC0415

        read_at, day = self._days.get(name, (0.0, None))
        if day is None or not 0 <= now - read_at < DAY_AGAIN_S:
            day = day_of(store.history(name, now - DAY_S, now, OF_DAY), KEPT, now)
            self._days[name] = (now, day)
        return day


def _seen(shown: TargetShown, readings: "Mapping[str, Reading]", at: float, interval_s: float) -> TargetShown:
    return replace(shown, readings=readings, seen_at=at, interval_s=interval_s)


def _offset(now: float) -> float:
    return float(time.localtime(now).tm_gmtoff)
