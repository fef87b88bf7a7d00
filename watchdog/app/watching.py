"""What runs in the daemon: cycles, delivery, heartbeat. Imported only by the daemon, and by commands that ask what it would do.

In: a configuration, and what outlives it: the store, the self-monitor, the pace. Out: one configuration, ready to be started.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from watchdog.app.carrying import build_engine
from watchdog.app.configured import Configured
from watchdog.app.polling import build_pollers
from watchdog.app.receivers import build_receivers, build_recipients, build_routing
from watchdog.config.fingerprint import fingerprint
from watchdog.config.rulebook import rules_for
from watchdog.config.sections.engine import carried_targets
from watchdog.config.settings import Settings, servers_of
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.judging.judge import windows_of
from watchdog.core.model.reading import Past
from watchdog.core.model.self_seen import ReceiverSeen, SelfSeen
from watchdog.core.model.target import SELF, Target
from watchdog.polling.poller import Poller
from watchdog.receivers.base import Receiver
from watchdog.tables import TABLES

if TYPE_CHECKING:
    from watchdog.core.incidents.decide import Situation
    from watchdog.core.report.report import Report, Span
    from watchdog.core.report.schedule import DigestTimes
    from watchdog.daemon.beside.digests import Digests
    from watchdog.daemon.beside.heartbeat import Heartbeat
    from watchdog.daemon.cycle import Cycle, Recorded
    from watchdog.daemon.daemon import Built
    from watchdog.daemon.engine.carrying import Carrying
    from watchdog.daemon.figures.rendering import ChartOf
    from watchdog.daemon.self_monitor import SelfMonitor
    from watchdog.receivers.alertmanager import Alertmanager
    from watchdog.receivers.pace import Pace
    from watchdog.store import Store

__all__ = ["build_cycles", "build_watching", "stored_past"]


def build_cycles(
    conf: Configured,
    store: "Store",
    receivers: list[Receiver],
    clock: Callable[[], float],
    stopwatch: Callable[[], float],
    self_seen: Callable[[], SelfSeen],
    configuration: str | None = None,
) -> "list[Cycle]":
    """One cycle per target, and one for watchdog itself, each with the past stored in the database.

    They share evaluators and one routing. A cycle judges and decides within its write transaction; where there is one of these at a time,
    there is one evaluator. `configuration`: see `Cycle`.
    """
    from watchdog.daemon.cycle import SPARE_S, Cycle  # noqa: PLC0415
    from watchdog.daemon.logs.hearing_log import log_hearing  # noqa: PLC0415
    from watchdog.sources.events.source import SharedEars  # noqa: PLC0415

    settings, evaluators = conf.settings, Evaluators(lambda: Evaluator(TABLES, stopwatch=stopwatch))
    servers = {target.name: servers_of(target) for target in settings.target}
    named = Counter(server for of_target in servers.values() for server in set(of_target.values()))
    itself = Poller(Target(SELF, interval_s=settings.interval), {}, TABLES)
    cycles = []
    carried, situation = carried_targets(settings), _situation(conf, receivers)
    for poller in (*build_pollers(settings, ears=SharedEars(log_hearing)), itself):
        rules = rules_for(conf.book, poller.target.name, TABLES)
        keep_s = max(windows_of(rules)) + 2 * poller.target.interval_s + SPARE_S
        cycles.append(
            Cycle(
                poller,
                TABLES,
                rules,
                evaluators,
                store,
                replace(situation, target=poller.target, servers=servers.get(poller.target.name, {})),
                clock=clock,
                past=partial(stored_past, store, poller.target.name, keep_s),
                self_seen=self_seen if poller is itself else lambda: None,
                shared=[server for server in servers.get(poller.target.name, {}).values() if named[server] > 1],
                history=_recorded(settings, figures=poller is not itself),
                alone=poller.target.name not in carried,
                configuration=configuration,
            )
        )
    return cycles


def _situation(conf: Configured, receivers: list[Receiver]) -> "Situation":
    """What is the same in the cycles of all targets."""
    from watchdog.core.incidents.decide import Situation  # noqa: PLC0415
    from watchdog.core.incidents.quiet.flapping import Flapping  # noqa: PLC0415

    settings = conf.settings
    return Situation(
        Target(SELF),
        0.0,
        build_recipients(receivers, settings),
        build_routing(settings),
        settings.service,
        loaded_rules=frozenset(rule.name for rule in conf.book.rules),
        flapping=Flapping(settings.flap_window, settings.flap_quiet),
        remedies=frozenset(settings.actions.allow),
        decisions=settings.decisions is not None,
    )


def _recorded(settings: Settings, *, figures: bool) -> "Recorded":
    """What the cycles of one target add to history; each target has a recorder of its own."""
    from watchdog.core.history.frames import WHOLE_EVERY_S, Recorder  # noqa: PLC0415
    from watchdog.core.history.series import Keeping  # noqa: PLC0415
    from watchdog.daemon.cycle import Recorded  # noqa: PLC0415
    from watchdog.tables.history.kept import KEPT, slice_of  # noqa: PLC0415

    return Recorded(
        Keeping(KEPT, settings.history_raw, settings.history) if figures else None,
        slice_of,
        Recorder(TABLES, WHOLE_EVERY_S) if settings.history_rows else None,
        settings.history_rows,
    )


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
    from watchdog.daemon.beside.heartbeat import Heartbeat  # noqa: PLC0415

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


def build_digests(conf: Configured, store: "Store") -> "Digests | None":
    """The digests, if a receiver wants one."""
    times = {receiver.name: found for receiver in conf.settings.receiver if (found := receiver.digest_times) is not None}
    if not times:
        return None
    from watchdog.daemon.beside.digests import Digests  # noqa: PLC0415

    def report(window: "Span", by: "DigestTimes") -> "Report":
        from watchdog.status.reporting import report_of  # noqa: PLC0415

        return report_of(store, conf.settings, conf.book, window, by.zone)

    return Digests(store, times, report, service=conf.settings.service)


def _charts(conf: Configured, store: "Store") -> "dict[str, ChartOf]":
    """Receiver -> what makes the charts of its messages, for those that show charts."""
    names = [one.name for one in conf.settings.receiver if one.shows_charts]
    if not names:
        return {}
    from watchdog.daemon.figures.charts import Charts  # noqa: PLC0415
    from watchdog.tables.history.kept import KEPT  # noqa: PLC0415

    charts = Charts(store, lambda target: rules_for(conf.book, target, TABLES), KEPT)
    return dict.fromkeys(names, charts.of)


def build_mirrors(settings: Settings) -> "list[Alertmanager]":
    """The Alertmanagers that mirror what fires; each job of theirs is named after its number."""
    from watchdog.core.incidents.routing import Recipient  # noqa: PLC0415
    from watchdog.receivers.alertmanager import Alertmanager  # noqa: PLC0415

    mirrors = []
    for number, one in enumerate(settings.alertmanager, 1):
        name = f"alertmanager {number}"
        selecting = Recipient(name, min_severity=one.min_severity, matchers=one.matchers)
        mirrors.append(Alertmanager(name, one.attempt(), one.plain_headers, selecting.selects))
    return mirrors


def build_watching(
    conf: Configured, store: "Store", self_monitor: "SelfMonitor", pace: "Pace", clock: Callable[[], float], stopwatch: Callable[[], float]
) -> "Built":
    """One configuration as the daemon runs it. `store`, `self_monitor` and `pace` outlive it."""
    from watchdog.app.remedying import Remedying  # noqa: PLC0415
    from watchdog.daemon.beside.parts import Beside  # noqa: PLC0415
    from watchdog.daemon.daemon import Built  # noqa: PLC0415
    from watchdog.daemon.delivery import Delivery  # noqa: PLC0415
    from watchdog.daemon.logs.decision_log import DecisionLog  # noqa: PLC0415
    from watchdog.daemon.watching import Watching  # noqa: PLC0415

    settings = conf.settings
    if settings.engine is not None:
        from watchdog.daemon.engine.common_clock import CommonClock  # noqa: PLC0415

        clock = CommonClock(store, clock, stopwatch)
    engine, receivers = build_engine(conf, clock, stopwatch), build_receivers(settings)
    receivers_seen = partial(_receivers_seen, store, [receiver.name for receiver in receivers])
    delivery = Delivery(store, receivers, clock=clock, pace=pace, charts=_charts(conf, store))
    beside = Beside(
        build_heartbeat(settings, self_monitor, receivers_seen, delivery.alive, clock, stopwatch),
        DecisionLog(Path(settings.decisions)) if settings.decisions else None,
        build_digests(conf, store),
        tuple(build_mirrors(settings)),
        Remedying(conf, store, lambda name, now: stored_past(store, name, 0.0, now), clock),
        engine,
    )
    self_seen = _self_seen(settings, store, self_monitor, receivers_seen, beside.heartbeat, engine, clock)
    cycles = build_cycles(conf, store, receivers, clock, stopwatch, self_seen)
    return Built(
        Watching(cycles, delivery, store, self_monitor, beside, retention_s=settings.retention, clock=clock, stopwatch=stopwatch),
        build_recipients(receivers, settings),
        frozenset(cycle.target.name for cycle in cycles),
        frozenset(tuned.rule.name for cycle in cycles for tuned in cycle.rules),
        settings.service,
        tuple(receivers),
        {old: receiver.name for receiver in settings.receiver for old in receiver.was},
        self_seen,
        in_force=fingerprint(conf.loaded) if engine is not None else "",
    )


def _receivers_seen(store: "Store", names: Sequence[str]) -> tuple[ReceiverSeen, ...]:
    """What is known of the configured receivers; nothing yet of one that was never notified."""
    known = {receiver.name: receiver for receiver in store.receivers_seen()}
    return tuple(known.get(name, ReceiverSeen(name)) for name in names)


def _self_seen(
    settings: Settings,
    store: "Store",
    self_monitor: "SelfMonitor",
    receivers_seen: Callable[[], tuple[ReceiverSeen, ...]],
    heartbeat: "Heartbeat | None",
    engine: "Carrying | None",
    clock: Callable[[], float],
) -> Callable[[], SelfSeen]:
    """What the cycle of watchdog itself reads: the self-monitor's figures, completed by what only this configuration knows."""
    from watchdog.core.incidents.quiet.announcements import SilencesSeen  # noqa: PLC0415

    counted = SilencesSeen()
    announced = any(receiver.tell_silences for receiver in settings.receiver)

    def seen() -> SelfSeen:
        found = self_monitor.seen(receivers_seen(), store.database_bytes(), heartbeat.error if heartbeat else "")
        if engine is not None:
            found = engine.completed(found, store.lookers(clock()))
        return replace(found, silences=counted.seen(store.announceable(), clock(), store.incidents)) if announced else found

    return seen
