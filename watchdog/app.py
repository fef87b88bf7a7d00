"""The composition root: settings in, objects out. The only place that constructs objects that access the outside.

What only the daemon needs is imported where it is built: `watchdog check` starts without a log, a scheduler or an outbox.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdog.check import Checker
from watchdog.config.load import Loaded
from watchdog.config.rulebook import RuleBook, never_judged, read_rule_book, rules_for
from watchdog.config.sections.mutes import muting, to_windows
from watchdog.config.sections.routes import routing_of
from watchdog.config.sections.targets import meant_by
from watchdog.config.settings import Settings, TargetSettings, servers_of, to_target
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.expectations import Expectation
from watchdog.core.judging.judge import windows_of
from watchdog.core.model.reading import Past
from watchdog.core.model.rows import Table
from watchdog.core.model.self_seen import ReceiverSeen, SelfSeen
from watchdog.core.model.target import SELF, Target
from watchdog.polling.poller import Poller
from watchdog.polling.time_limit import BoundedSource, PollDeadline
from watchdog.receivers import RECEIVERS
from watchdog.receivers.base import Receiver
from watchdog.sources import SOURCES
from watchdog.sources.base import Source
from watchdog.tables import TABLES

if TYPE_CHECKING:
    from watchdog.core.incidents.routing import Recipient, Routing, Terms
    from watchdog.daemon.cycle import Cycle
    from watchdog.daemon.daemon import Built
    from watchdog.daemon.heartbeat import Heartbeat
    from watchdog.daemon.self_monitor import SelfMonitor
    from watchdog.receivers.pace import Pace
    from watchdog.store import Store

__all__ = [
    "Configured",
    "RulesError",
    "build_checker",
    "build_cycles",
    "build_live_pollers",
    "build_receivers",
    "build_recipients",
    "build_routing",
    "build_sources",
    "build_watching",
    "configured",
    "stored_past",
]


class Configured(Struct, frozen=True):
    """A configuration and its rules, both without faults."""

    loaded: Loaded
    book: RuleBook

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings


class RulesError(Exception):
    """Rules or overrides that cannot be used: every fault, with file and line."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def configured(loaded: Loaded, tables: Mapping[str, Table] = TABLES, written_for: Iterable[Path] | None = None) -> Configured:
    """The rules of a configuration, read and checked. Raises RulesError.

    `written_for`: the rule files that were written for these targets; all of them by default.
    """
    book = read_rule_book(loaded.rule_files, tables, loaded.overrides, shipped=loaded.settings.shipped_rules)
    files, meant = loaded.rule_files if written_for is None else written_for, meant_by(loaded)
    faults = (*book.faults, *never_judged(book, files, meant.targets, meant.to_set, tables))
    if faults:
        raise RulesError(faults)
    return Configured(loaded, book)


def build_sources(target: TargetSettings) -> dict[str, Source]:
    """The sources that the target configures."""
    given = {name: getattr(target, name, None) for name in SOURCES}
    return {name: SOURCES[name].source(settings) for name, settings in given.items() if settings is not None}


def build_pollers(settings: Settings, bounded: Callable[[Source], Source] = lambda source: source) -> list[Poller]:
    """One poller per target; targets that share a source share its answers if it supports that. `bounded` wraps each source."""
    sources = [build_sources(target) for target in settings.target]
    for name, kind in SOURCES.items():
        kind.together([of_target[name] for of_target in sources if name in of_target])
    asked = [{name: bounded(source) for name, source in of_target.items()} for of_target in sources]
    return [Poller(to_target(settings, t), of_target, TABLES) for t, of_target in zip(settings.target, asked, strict=True)]


def build_live_pollers(settings: Settings) -> list[Poller]:
    """The pollers of `watchdog config show --live`: one per target, for the queries that the settings in force are read from."""
    tables = {name: TABLES[name] for name in ("workers", "queues")}
    return [Poller(to_target(settings, target), build_sources(target), tables) for target in settings.target]


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


def build_receivers(settings: Settings) -> list[Receiver]:
    """The configured receivers."""
    return [RECEIVERS[receiver.type].receiver(receiver) for receiver in settings.receiver]


def build_cycles(
    conf: Configured,
    store: "Store",
    receivers: list[Receiver],
    clock: Callable[[], float],
    stopwatch: Callable[[], float],
    self_seen: Callable[[], SelfSeen],
) -> "list[Cycle]":
    """One cycle per target, and one for watchdog itself, each with the past stored in the database.

    They share one evaluator (half a megabyte) and one routing: a cycle judges and decides within its write transaction, and there is only
    one of these at a time.
    """
    from watchdog.core.history.series import Keeping  # noqa: PLC0415
    from watchdog.core.incidents.quiet.flapping import Flapping  # noqa: PLC0415
    from watchdog.daemon.cycle import SPARE_S, Cycle  # noqa: PLC0415
    from watchdog.tables.history.kept import KEPT, slice_of  # noqa: PLC0415

    settings, evaluator = conf.settings, Evaluator(TABLES, stopwatch=stopwatch)
    servers = {target.name: servers_of(target) for target in settings.target}
    keeping = Keeping(KEPT, settings.history_raw, settings.history)
    itself = Poller(Target(SELF, interval_s=settings.interval), {}, TABLES)
    cycles = []
    routing, recipients = build_routing(settings), build_recipients(receivers, settings)
    for poller in (*build_pollers(settings), itself):
        rules = rules_for(conf.book, poller.target.name, TABLES)
        keep_s = max(windows_of(rules)) + 2 * poller.target.interval_s + SPARE_S
        cycles.append(
            Cycle(
                poller,
                TABLES,
                rules,
                evaluator,
                store,
                recipients,
                service=settings.service,
                routing=routing,
                clock=clock,
                past=partial(stored_past, store, poller.target.name, keep_s),
                self_seen=self_seen if poller is itself else lambda: None,
                servers=servers.get(poller.target.name, {}),
                loaded_rules=frozenset(rule.name for rule in conf.book.rules),
                flapping=Flapping(settings.flap_window, settings.flap_quiet),
                keeping=None if poller is itself else keeping,
                slice_of=slice_of,
                decisions=settings.decisions is not None,
            )
        )
    return cycles


def build_recipients(receivers: Iterable[Receiver], settings: Settings) -> "tuple[Recipient, ...]":
    """What the core knows of the receivers."""
    from watchdog.core.incidents.routing import Recipient  # noqa: PLC0415

    asked, terms = {receiver.name: receiver for receiver in settings.receiver}, _terms(settings)
    return tuple(
        Recipient(r.name, r.human, r.settings, its.min_severity, its.matchers, terms[r.name], its.tell_silences)
        for r in receivers
        for its in [asked[r.name]]
    )


def build_routing(settings: Settings) -> "Routing":
    """The tree of routes."""
    return routing_of(settings.route, _terms(settings), to_windows(settings.mute))


def _terms(settings: Settings) -> "dict[str, Terms]":
    """Receiver -> its own terms."""
    windows = to_windows(settings.mute)
    return {one.name: replace(one.terms, mutes=muting(windows, one.mute)) for one in settings.receiver}


def stored_past(store: "Store", target: str, keep_s: float, now: float) -> Past:
    """What the database remembers of a target, for the first cycle of a daemon."""
    types = {name: type(empty) for name, table in TABLES.items() if (empty := table.memory()) is not None}
    return Past(store.load_memories(target, types), store.load_samples(target, now - keep_s))


def build_heartbeat(
    settings: Settings,
    self_monitor: "SelfMonitor",
    receivers_seen: Callable[[], Sequence[ReceiverSeen]],
    delivering: Callable[[], bool],
    clock: Callable[[], float],
    stopwatch: Callable[[], float],
) -> "Heartbeat | None":
    """The heartbeat, if one is configured."""
    from watchdog.daemon.heartbeat import Heartbeat  # noqa: PLC0415

    given = settings.heartbeat
    if given is None:
        return None
    well, failing = map(given.attempt, given.urls)
    return Heartbeat(
        well,
        failing,
        headers=given.plain_headers,
        every_s=given.every,
        receivers=receivers_seen,
        delivering=delivering,
        last=self_monitor.pings[given.place],
        clock=clock,
        stopwatch=stopwatch,
    )


def build_watching(
    conf: Configured, store: "Store", self_monitor: "SelfMonitor", pace: "Pace", clock: Callable[[], float], stopwatch: Callable[[], float]
) -> "Built":
    """One configuration as the daemon runs it. `store`, `self_monitor` and `pace` outlive it."""
    from watchdog.core.incidents.quiet.announcements import SilencesSeen  # noqa: PLC0415
    from watchdog.daemon.daemon import Built  # noqa: PLC0415
    from watchdog.daemon.delivery import Delivery  # noqa: PLC0415
    from watchdog.daemon.logs.decision_log import DecisionLog  # noqa: PLC0415
    from watchdog.daemon.watching import Watching  # noqa: PLC0415

    receivers = build_receivers(conf.settings)
    names = [r.name for r in receivers]

    def receivers_seen() -> tuple[ReceiverSeen, ...]:
        known = {r.name: r for r in store.receivers_seen()}
        return tuple(known.get(name, ReceiverSeen(name)) for name in names)

    delivery = Delivery(store, receivers, clock=clock, pace=pace)
    heartbeat = build_heartbeat(conf.settings, self_monitor, receivers_seen, delivery.alive, clock, stopwatch)

    counted = SilencesSeen()
    told = any(receiver.tell_silences for receiver in conf.settings.receiver)

    def self_seen() -> SelfSeen:
        seen = self_monitor.seen(receivers_seen(), store.database_bytes(), heartbeat.error if heartbeat else "")
        return replace(seen, silences=counted.seen(store.announceable(), clock(), store.incidents)) if told else seen

    cycles = build_cycles(conf, store, receivers, clock, stopwatch, self_seen)
    watching = Watching(
        cycles,
        delivery,
        store,
        self_monitor,
        heartbeat,
        DecisionLog(Path(conf.settings.decisions)) if conf.settings.decisions else None,
        retention_s=conf.settings.retention,
        clock=clock,
        stopwatch=stopwatch,
    )
    return Built(
        watching,
        build_recipients(receivers, conf.settings),
        frozenset(c.target.name for c in cycles),
        frozenset(t.rule.name for c in cycles for t in c.rules),
        conf.settings.service,
        tuple(receivers),
        {old: receiver.name for receiver in conf.settings.receiver for old in receiver.was},
    )
