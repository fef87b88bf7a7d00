"""Where `watchdog query` answers from: the last look of a running daemon and its history, or else a look of its own.

In: the database, the targets and the columns that the query reads. Out: target -> readings of the daemon's last look, for those that it
can answer. What no rule reads is not in a daemon's look; such a query looks itself.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdog.cli.output.refusals import Refused
from watchdog.config.database_path import DatabasePlace, is_absent

if TYPE_CHECKING:
    from watchdog.core.model.last_look import LastLook
    from watchdog.core.model.rows import Reading

__all__ = ["Answerable", "answerable"]

LATE_INTERVALS, LATE_S = 3.0, 5.0
"""A look that is older than this is not what a daemon sees now."""


class Answerable(Struct, frozen=True):
    """The readings that answer for a target, and when they were read (epoch seconds)."""

    readings: "Mapping[str, Reading]"
    seen_at: float


def answerable(
    database: DatabasePlace, targets: Iterable[str], reads: Mapping[str, frozenset[str]], window_s: float | None
) -> dict[str, Answerable]:
    """Those targets that a running daemon can answer for. With `window_s`, all of them must have history."""
    if is_absent(database):
        return _without_history(window_s, f"there is no database {database}")
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    now = time.time()
    try:
        with Store.open(database, create=False, command="watchdog query") as store:
            running, looks = store.watched().now is not False, store.last_looks()
            if window_s is None:
                usable = {name: looks[name] for name in targets if running and name in looks and _can_answer(looks[name], reads, now)}
                return {name: Answerable(look.readings(), look.at) for name, look in usable.items()}
            missing = [name for name in targets if name not in looks]
            if missing:
                return _without_history(window_s, f"nothing was ever seen of {missing[0]}")
            from watchdog.tables.history.over_window import readings_over  # noqa: PLC0415

            kept = {name: store.history(name, now - window_s, now, {*reads, "tasks"}) for name in targets}
            return {name: Answerable(readings_over(looks[name].readings(), kept[name], window_s, now), looks[name].at) for name in targets}
    except StoreError as error:
        return _without_history(window_s, str(error))


def _without_history(window_s: float | None, why: str) -> dict[str, Answerable]:
    if window_s is not None:
        raise Refused(f"--window reads the history that `watchdog run` keeps: {why}")
    return {}


def _can_answer(look: "LastLook", reads: Mapping[str, frozenset[str]], now: float) -> bool:
    from watchdog.core.model.demand import NOT_READ  # noqa: PLC0415

    if not 0 <= now - look.at <= LATE_INTERVALS * look.interval_s + LATE_S:
        return False
    for table, columns in reads.items():
        seen = look.tables.get(table)
        if seen is None or NOT_READ in [why for column, why in seen.idle.items() if not columns or column in columns]:
            return False
    return True
