"""Noise control: what a cycle's decision costs with many silences and routes, beside the same decision without any.

10,000 incidents are open and nothing changes. On the one side all were told; on the other 1,000 silences keep half of them quiet, which is
found anew in each cycle, and 1,000 routes say for whom the rest is. Only the deciding part is measured: verdicts in, plan out.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.cpu import cpu_ms_of
from bench.figures import Figure, by_round
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State, begin, step
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.judging.texts import texts_of
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Cell
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import Target
from watchdog.core.rules.rule import Rule

__all__ = ["noise"]

NOW = 1_800_000_000.0
MOST = 1.5
PATTERNS = 10
RULE = Rule(
    "Jumped", table="queues", when="length > 100", key=("name",), columns=("length",), summary="{{ name }} is long", identity="queues"
)
OPS = Recipient("ops")


def noise(_: Path, *, incidents: int = 10_000, requests: int = 1_000, rounds: int = 5) -> Iterator[Figure]:
    """CPU of one decision with and without silences and routes."""
    findings = tuple(_finding(number) for number in range(incidents))
    open_ = tuple(map(_firing, findings))
    judgements = [Judgement(RULE, findings)]
    silences, routing = tuple(_silence(number, requests) for number in range(requests)), Routing(_routes(requests))
    told = {one.id: number % 2 == 0 for number, one in enumerate(open_)}
    plain = Loaded(open=open_, notified={(one.id, "ops"): _told(one) for one in open_}, previous_cycle_at=NOW - 10)
    busy = Loaded(
        open=open_, notified={(one.id, "ops"): _told(one) for one in open_ if told[one.id]}, silences=silences, previous_cycle_at=NOW - 10
    )
    with_all, without = Situation(Target("prod"), NOW, (OPS,), routing), Situation(Target("prod"), NOW, (OPS,))

    def decided(situation: Situation, loaded: Loaded) -> None:
        if decide(situation, judgements, loaded, Seen({}, {}, {})).messages:
            raise AssertionError("nothing was to be said")

    decided(with_all, busy)  # the routes and silences have been seen once, as in a daemon
    pairs = [(cpu_ms_of(lambda: decided(with_all, busy)), cpu_ms_of(lambda: decided(without, plain))) for _ in range(rounds)]
    what = f"deciding, {incidents:,} open, {requests:,} silences and as many routes; floor: without these, CPU"
    yield by_round(what, "ms", pairs, MOST)


def _finding(number: int) -> Finding:
    name = f"queue-{number:05}"
    cells: dict[str, Cell] = {"name": name, "length": 200.0}
    return Finding(RULE, (name,), Verdict.BREACH, Severity.WARNING, {"length": 200.0}, cells)


def _firing(finding: Finding) -> Incident:
    incident, _ = begin(finding, "prod", NOW - 100, texts_of(finding, "prod", finding.severity, None))
    fired, _ = step(incident, finding, 0.0, NOW - 100)
    if fired.state is not State.FIRING:
        raise AssertionError("it was to fire at once")
    return fired


def _told(incident: Incident) -> Notified:
    return Notified(incident.id, "ops", Event.FIRST, incident.severity, 1, NOW - 90, group_id="g")


def _silence(number: int, requests: int) -> Silence:
    """Most hide one incident by its name, and ten hide many by a pattern: together every second one."""
    if number >= requests - PATTERNS:
        matchers: tuple[Matcher, ...] = (Matcher("rule", "=", "Jumped"), Matcher("name", "=~", f"queue-.*{number % PATTERNS}[13579]"))
    else:
        matchers = (Matcher("name", "=", f"queue-{number * 2 + 1:05}"),)
    return Silence(f"01SILENCE{number}", matchers, NOW - 10, NOW + 3600)


def _routes(count: int) -> list[Route]:
    by_name = [Route({"ops": Terms()}, (Matcher("name", "=", f"queue-{number * 2:05}"),), name=f"{number}") for number in range(count - 1)]
    return [*by_name, Route({"ops": Terms()})]
