"""The targets of a configuration as the core sees them, even if it has faults elsewhere, so that all faults are reported at once.

In: a valid configuration, or the values of an invalid file. Out: `TargetsMeant`, with how another source is configured there.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from watchdog.config.settings import to_target
from watchdog.core.model.target import ANY_TARGET, Target, TargetsMeant
from watchdog.sources import EVENTS, SOURCES

if TYPE_CHECKING:
    from watchdog.config.load import Loaded

__all__ = ["meant_by", "meant_by_values"]

NOT_ASKED = {"ask_workers": False}
_BY_FLAG = {"flower": "add --flower URL", "redis": "add --redis URL", "rabbitmq": "add --rabbitmq URL"}
_BY_VARIABLE = {"flower": "set WATCHDOG_FLOWER", "redis": "set WATCHDOG_REDIS", "rabbitmq": "set WATCHDOG_RABBITMQ"}
_BY_FILE = {source: f"set `{source}`" for source in SOURCES}


def meant_by(loaded: "Loaded") -> TargetsMeant:
    """The targets of a valid configuration. If it has none, one that may have every source."""
    targets = tuple(to_target(loaded.settings, target) for target in loaded.settings.target)
    return _meant(targets or (Target(ANY_TARGET, sources=frozenset({*SOURCES, EVENTS})),), loaded.place(("target",)))


def meant_by_values(tables: object, given_empty: Collection[str], place: str) -> TargetsMeant:
    """The targets as written in `target`; none if one of them is not a table with a name.

    `given_empty` counts as set; `place`: where they come from (a flag, a variable, a file).
    """
    found = [_as_written(table, given_empty) for table in (tables if isinstance(tables, list) else [])]
    whole = tuple(target for target in found if target is not None)
    return _meant(whole if len(whole) == len(found) else (), place)


def _meant(targets: tuple[Target, ...], place: str) -> TargetsMeant:
    if place.startswith("--"):
        return TargetsMeant(targets, _BY_FLAG, by_flag=True)
    return TargetsMeant(targets, _BY_VARIABLE if place.startswith("$") else _BY_FILE)


def _as_written(table: object, given_empty: Collection[str]) -> Target | None:
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        return None
    minima = table.get("min_workers_by_name", {})
    sources = frozenset(source for source in SOURCES if source in table or source in given_empty)
    events = table.get("events", "auto") if "redis" in sources or table.get("celery", NOT_ASKED) != NOT_ASKED else "off"
    heard, alone = events in ("auto", "all"), "flower" not in sources
    sources |= {EVENTS} if events != "off" else set()
    asked = ("redis" in sources or "celery" in table) and table.get("celery") != NOT_ASKED  # the broker of the workers is known
    sources = sources | {"celery"} if asked else sources - {"celery"}
    return Target(
        table["name"],
        sources=sources,
        hears_tasks=heard and alone,
        hears_beside_flower=heard and not alone,
        min_workers_by_name=dict.fromkeys(minima, 0) if isinstance(minima, dict) else {},
    )
