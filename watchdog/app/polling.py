"""What asks: sources, pollers, and the checker of commands that look once.

In: settings. Out: objects that are ready to poll; targets that share a server share its answers.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import inf

from msgspec.structs import replace

from watchdog.app.configured import Configured
from watchdog.config.rulebook import rules_for
from watchdog.config.settings import Settings, TargetSettings, to_target
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import Expectation
from watchdog.core.model.rows import Table
from watchdog.core.model.target import SELF, Target
from watchdog.polling.check import Checker
from watchdog.polling.poller import Poller
from watchdog.polling.time_limit import BoundedSource, PollDeadline
from watchdog.sources import EVENTS, SOURCES
from watchdog.sources.base import Source
from watchdog.sources.events.source import SharedEars
from watchdog.tables import TABLES

__all__ = ["build_checker", "build_live_pollers", "build_pollers", "build_recorded_poller", "build_sources", "build_task_pollers"]

AUTO_SHARE = 0.01
"""What the events of tasks may cost where nobody asked for all of them (`events = "auto"`): the part of a core."""


def build_sources(target: TargetSettings) -> dict[str, Source]:
    """The sources that the target configures."""
    given = {name: target.of_source(name) for name in SOURCES}
    return {name: SOURCES[name].source(settings) for name, settings in given.items() if settings is not None}


def build_pollers(
    settings: Settings, bounded: Callable[[Source], Source] = lambda source: source, ears: SharedEars | None = None
) -> list[Poller]:
    """One poller per target; targets that share a source share its answers if it supports that. `bounded` wraps each source.

    `ears` hear events between the polls; None where there is only one poll.
    """
    sources = [build_sources(target) | _events(target, ears) for target in settings.target]
    for name, kind in SOURCES.items():
        kind.together([of_target[name] for of_target in sources if name in of_target])
    asked = [{name: bounded(source) for name, source in of_target.items()} for of_target in sources]
    return [_poller(settings, t, of_target, TABLES) for t, of_target in zip(settings.target, asked, strict=True)]


def _events(target: TargetSettings, ears: SharedEars | None) -> dict[str, Source]:
    broker = target.events_broker
    if ears is None or broker is None or not target.hears:
        return {}
    return {EVENTS: ears.source(target.name, broker, tasks=target.hears_tasks, share=inf if target.events == "all" else AUTO_SHARE)}


def _poller(settings: Settings, target: TargetSettings, sources: Mapping[str, Source], tables: Mapping[str, Table]) -> Poller:
    """A poller whose target has events only if they are heard."""
    seen = to_target(settings, target)
    if EVENTS in seen.sources and EVENTS not in sources:
        later = frozenset({"workers", "tasks"} if seen.hears_tasks else {"workers"})
        seen = replace(seen, sources=seen.sources - {EVENTS}, hears_tasks=False, hears_beside_flower=False, heard_by_daemon=later)
    return Poller(seen, sources, tables)


def build_live_pollers(settings: Settings) -> list[Poller]:
    """The pollers of `watchdog config show --live`: one per target, for the queries that the settings in force are read from."""
    tables = {name: TABLES[name] for name in ("workers", "queues")}
    return [_poller(settings, target, build_sources(target), tables) for target in settings.target]


def build_recorded_poller(settings: Settings, name: str, as_recorded: Callable[[Target], Target]) -> Poller:
    """The poller of `watchdog rules record`: one target, `as_recorded`, with every table, and without an ear."""
    asked = next(target for target in settings.target if target.name == name)
    return Poller(as_recorded(to_target(settings, asked)), build_sources(asked), TABLES)


def build_task_pollers(settings: Settings, names: Collection[str], asks: Table) -> list[Poller]:
    """The pollers of `watchdog task`: one for each of these targets, for the queries of this table alone."""
    asked = [target for target in settings.target if target.name in names]
    return [_poller(settings, target, build_sources(target), {asks.name: asks}) for target in asked]


def build_checker(
    conf: Configured,
    only: tuple[str, ...],
    clock: Callable[[], float],
    stopwatch: Callable[[], float],
    expectations: tuple[Expectation, ...] = (),
    timeout_s: float = inf,
) -> Checker:
    """The checker of `watchdog check` and `watchdog query`; `only`: these targets, or all; `timeout_s`: how long one poll may take."""
    deadline = PollDeadline(timeout_s, stopwatch)
    pollers = [a for a in build_pollers(conf.settings, partial(BoundedSource, deadline=deadline)) if not only or a.target.name in only]
    rules = {a.target.name: rules_for(conf.book, a.target.name, TABLES) for a in pollers}
    own = tuple(tuned.rule for tuned in rules_for(conf.book, SELF, TABLES))
    return Checker(pollers, TABLES, rules, own, lambda: Evaluator(TABLES, stopwatch=stopwatch), clock, expectations, deadline=deadline)
