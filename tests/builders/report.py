"""A report in which everything happened, and slices of history to make one of."""

from typing import Any

from msgspec.structs import replace

from watchdog.core.history.series import Part, Slice, Value
from watchdog.core.model.sketch import Sketch, sketch_of
from watchdog.core.report.report import (
    Act,
    BurnedIncident,
    FailingTask,
    QuietRule,
    Report,
    SlowTask,
    Span,
    TargetReport,
    ToldRule,
    WaitingQueue,
)

DAY = 86400.0
MIDNIGHT = 1_795_305_600.0  # 2026-11-22T00:00:00Z
WINDOW = Span(MIDNIGHT, MIDNIGHT + DAY)


def tasks(since: float, until: float, rows: dict[str, tuple[float, float, float, list[float]]]) -> Slice:
    """Task -> (succeeded, failed, retried, runtimes), counted between these times."""
    values: dict[tuple[str, ...], tuple[Value, ...]] = {
        (name,): (succeeded, failed, retried, sketch_of(runtimes), Sketch())
        for name, (succeeded, failed, retried, runtimes) in rows.items()
    }
    return Slice(until, {"tasks": Part(since, until, values)})


def queues(since: float, until: float, rows: dict[str, tuple[float | None, float | None]]) -> Slice:
    """Queue -> (the most that waited, the greatest age)."""
    values: dict[tuple[str, ...], tuple[Value, ...]] = {(name,): (length, length, 1.0, age) for name, (length, age) in rows.items()}
    return Slice(until, {"queues": Part(since, until, values)})


def cluster(since: float, until: float) -> Slice:
    """Somebody looked."""
    return Slice(until, {"cluster": Part(since, until, {(): (1.0,) * 8})})


def a_target_report(name: str = "prod", **changes: Any) -> TargetReport:
    report = TargetReport(
        name,
        watched_s=DAY - 2880,
        gaps=(Span(MIDNIGHT + 7800, MIDNIGHT + 10680),),
        gaps_in_all=1,
        succeeded=12225,
        failed=120,
        retried=30,
        average_s=0.82,
        p50_s=0.5,
        p95_s=12.3,
        slow=(SlowTask("reports.build", 42.1, 20.0, 90, 120), SlowTask("shop.mail", 3.4, 1.2, 500, 1204)),
        failing=(FailingTask("shop.pay", 100, 1000), FailingTask("shop.mail", 20, 1224)),
        queues=(WaitingQueue("training", 3900.0, 160.0), WaitingQueue("indexing", None, 40.0)),
        queues_in_all=4,
    )
    return replace(report, **changes)


def a_burned_incident(number: int = 1, **changes: Any) -> BurnedIncident:
    incident = BurnedIncident(
        f"01INCIDENT{number}",
        "QueueBacklogHigh",
        "prod",
        "warning",
        {"name": "training"},
        "training holds 160 messages",
        MIDNIGHT + 3600,
        burned_s=4200.0,
        ended_at=MIDNIGHT + 7800,
        ended="recovered",
    )
    return replace(incident, **changes)


def a_report(**changes: Any) -> Report:
    report = Report(
        MIDNIGHT,
        MIDNIGHT + DAY,
        (a_target_report(),),
        incidents=(
            a_burned_incident(1, rule="BrokerUnreachable", severity="critical", key={}, summary="redis does not answer", burning=True,
                              ended_at=None, ended="", burned_s=600.0),
            a_burned_incident(2, acts=(Act("acknowledged", MIDNIGHT + 3840, "ada", "on it"),)),
        ),
        incidents_in_all=2,
        burning=1,
        unattended=1,
        told=(ToldRule("QueueBacklogHigh", 4, 1), ToldRule("BrokerUnreachable", 1, 1)),
        told_in_all=2,
        quiet=(
            QuietRule("WorkerLost", unjudged_s=2880.0, target="prod"),
            QuietRule("QueueGrowing", fired=2),
            QuietRule("TaskSlow"),
            QuietRule("Custom", trial=True),
            QuietRule("ResultsGrowing", idle="no results are configured"),
        ),
        quiet_in_all=5,
        rules=7,
        kept_s=14 * DAY,
    )  # fmt: skip
    return replace(report, **changes)
