"""A report from a real database: what fired and who acted, which rules told, what history holds."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.builders.outbox import attempt, commit, incident, message, notice, opened, plan
from watchdog.config.rulebook import RuleBook, read_rule_book
from watchdog.config.settings import Settings
from watchdog.core.history.series import Keeping, Part, Slice, Value
from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.plan import Plan
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.model.last_look import LastLook
from watchdog.core.model.sketch import Sketch, sketch_of
from watchdog.core.report.report import Act, BurnedIncident, Report, Span
from watchdog.status.reporting import report_of
from watchdog.store import Looked, Store
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT

HOUR, DAY = 3600.0, 86400.0
END = 1_795_305_600.0  # 2026-11-22T00:00:00Z
BEGIN = END - DAY
BOOK = read_rule_book((), TABLES)
SETTINGS = Settings.model_validate({
    "target": [{"name": "prod", "flower": "http://127.0.0.1:1", "redis": "redis://127.0.0.1:1/0"},
               {"name": "lab", "flower": "http://127.0.0.1:2"}],
})  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as store:
        yield store


def report(store: Store, *names: str, book: RuleBook = BOOK) -> Report:
    return report_of(store, SETTINGS, book, Span(BEGIN, END), UTC, names)


def lived(store: Store, name: str, *moves: tuple[float, State], **changes: object) -> Incident:
    """An incident with these transitions, as a daemon leaves it."""
    last = moves[-1][1]
    ended = last is State.RESOLVED
    one = replace(
        incident(name, state=last, started_at=moves[0][0]),
        fired_at=next((at for at, state in moves if state is State.FIRING), None),
        resolved_at=moves[-1][0] if ended else None,
        ended=Ended.RECOVERED if ended else None,
    )
    one = replace(one, **changes)
    before, transitions = "", []
    for at, state in moves:
        transitions.append(Transition(one.id, at, before, state.value, "breach"))
        before = state.value
    commit(store, Plan(one.target, moves[-1][0], (one,), tuple(transitions)))
    return one


def burned(store: Store, *names: str) -> list[BurnedIncident]:
    return list(report(store, *names).incidents)


def test_an_incident_burned_only_while_it_fired(store: Store) -> None:
    lived(store, "A", (BEGIN + 100, State.PENDING), (BEGIN + 200, State.FIRING), (BEGIN + 500, State.RECOVERING),
          (BEGIN + 600, State.FIRING), (BEGIN + 1000, State.RECOVERING), (BEGIN + 1300, State.RESOLVED))  # fmt: skip
    [one] = burned(store)
    assert (one.burned_s, one.fired_at, one.burning, one.ended) == (700.0, BEGIN + 200, False, "recovered")


def test_one_that_fires_still_has_burned_up_to_the_end(store: Store) -> None:
    lived(store, "A", (END - 900, State.PENDING), (END - 600, State.FIRING))
    found = report(store)
    assert (found.incidents[0].burned_s, found.incidents[0].burning, found.burning) == (600.0, True, 1)


def test_one_that_fired_before_counts_from_its_beginning(store: Store) -> None:
    lived(store, "A", (BEGIN - HOUR, State.FIRING), (BEGIN + HOUR, State.RESOLVED))
    assert [one.burned_s for one in burned(store)] == [2 * HOUR]


def test_what_ended_before_or_began_later_or_never_fired_is_left_out(store: Store) -> None:
    lived(store, "A", (BEGIN - 2 * HOUR, State.FIRING), (BEGIN - HOUR, State.RESOLVED))
    lived(store, "B", (END + 10, State.FIRING))
    lived(store, "C", (BEGIN + 10, State.PENDING))
    assert burned(store) == []


def test_what_ended_after_the_time_of_the_report_burns_in_it(store: Store) -> None:
    lived(store, "A", (END - 600, State.FIRING), (END + 600, State.RESOLVED))
    [one] = burned(store)
    assert (one.burning, one.burned_s, one.ended_at) == (True, 600.0, None)


def test_whoever_acknowledged_it_acted(store: Store) -> None:
    one = lived(store, "A", (BEGIN + 100, State.FIRING))
    store.acknowledge([one.id], "on it", "ada", BEGIN + 160)
    assert burned(store)[0].acts == (Act("acknowledged", BEGIN + 160, "ada", "on it"),)


def test_whoever_closed_it_acted(store: Store) -> None:
    lived(store, "A", (BEGIN + 100, State.FIRING), (BEGIN + 200, State.RESOLVED), ended=Ended.CLOSED, closed_by="ada", closed_because="old")
    assert burned(store)[0].acts == (Act("closed", BEGIN + 200, "ada", "old"),)


def test_whoever_silenced_it_while_it_fired_acted(store: Store) -> None:
    lived(store, "A", (BEGIN + 100, State.FIRING), (BEGIN + 500, State.RESOLVED))
    early = Silence("01S", parse_matchers("name=A"), BEGIN, BEGIN + 100, "too early", "ada")
    other = Silence("02S", parse_matchers("name=B"), BEGIN, BEGIN + HOUR, "another", "ada")
    right = Silence("03S", parse_matchers("name=A"), BEGIN + 50, BEGIN + HOUR, "known", "ada")
    for silence in (early, other, right):
        store.add_silence(silence)
    assert burned(store)[0].acts == (Act("silenced", BEGIN + 100, "ada", "known"),)


def test_nobody_acted_is_counted_without_what_is_on_trial(store: Store) -> None:
    lived(store, "A", (BEGIN + 100, State.FIRING))
    lived(store, "B", (BEGIN + 100, State.FIRING), trial=True)
    assert (report(store).incidents_in_all, report(store).unattended) == (2, 1)


def test_the_worst_comes_first(store: Store) -> None:
    lived(store, "A", (BEGIN, State.FIRING), (BEGIN + HOUR, State.RESOLVED))
    lived(store, "B", (BEGIN, State.FIRING), (BEGIN + 2 * HOUR, State.RESOLVED))
    lived(store, "C", (BEGIN, State.FIRING), (BEGIN + 60, State.RESOLVED), severity="critical")
    lived(store, "D", (END - 60, State.FIRING))
    assert [one.id[-1] for one in burned(store)] == ["D", "C", "B", "A"]


def test_one_target_alone_has_its_incidents_alone(store: Store) -> None:
    lived(store, "A", (BEGIN, State.FIRING))
    lived(store, "B", (BEGIN, State.FIRING), target="lab")
    assert [one.id[-1] for one in burned(store, "lab")] == ["B"]


def test_rules_told_as_often_as_messages_were_delivered_in_the_time(store: Store) -> None:
    one = incident("A", started_at=BEGIN + 100)
    commit(store, plan(message("1", notice(one), at=BEGIN + 100), message("2", notice(one, Event.REMINDER), at=BEGIN + 200),
                       incidents=[one], at=BEGIN + 100))  # fmt: skip
    attempt(store, Delivered(), now=BEGIN + 150)
    assert [(rule.rule, rule.notifications, rule.incidents) for rule in report(store).told] == [("QueueBacklogHigh", 1, 1)]
    attempt(store, Delivered(), now=BEGIN + 250)
    assert [(rule.rule, rule.notifications, rule.incidents) for rule in report(store).told] == [("QueueBacklogHigh", 2, 1)]


def test_every_other_loaded_rule_told_nothing(store: Store) -> None:
    one = incident("A", started_at=BEGIN + 100)
    commit(store, plan(message("1", notice(one), at=BEGIN + 100), incidents=[one], at=BEGIN + 100))
    attempt(store, Delivered(), now=BEGIN + 150)
    found = report(store)
    assert {rule.rule for rule in found.quiet} | {"QueueBacklogHigh"} == {rule.name for rule in BOOK.rules if rule.enabled}
    assert found.rules == len(found.quiet) + 1


def test_a_rule_that_needs_what_no_target_has_is_idle(store: Store) -> None:
    [results] = [rule for rule in report(store).quiet if rule.rule == "ResultsUnreachable"]
    assert results.idle


def test_rules_that_a_blind_incident_names_could_not_be_judged_meanwhile(store: Store) -> None:
    looks(store, (BEGIN, END))
    lived(store, "A", (BEGIN + 100, State.FIRING), (BEGIN + 700, State.RESOLVED), rule="Blind",
          values={"rules": "QueueStuck, WorkerLost"})  # fmt: skip
    lost = {rule.rule: rule.unjudged_s for rule in report(store, "prod").quiet if rule.unjudged_s}
    assert lost == {"QueueStuck": 600.0, "WorkerLost": 600.0}


def looks(store: Store, *spans: tuple[float, float], **tasks: tuple[float, float]) -> None:
    """Looks at prod that cover these times; what the tasks did (succeeded, failed) is counted in the last of them."""
    for nth, (since, until) in enumerate(spans):
        parts = {"cluster": Part(since, until, {(): (1.0,) * 8}), "queues": Part(since, until, {("indexing",): (3.0, 9.0, 1.0, 42.0)}),
                 "workers": Part(since, until, {})}  # fmt: skip
        rows: dict[tuple[str, ...], tuple[Value, ...]] = (
            {(name,): (*counts, 0.0, sketch_of([2.0]), Sketch()) for name, counts in tasks.items()} if nth == len(spans) - 1 else {}
        )
        parts["tasks"] = Part(since, until, rows)
        with store.cycle() as transaction:
            transaction.record(Looked("prod", Slice(until, parts), LastLook(until, 10.0, {}), since), Keeping(KEPT, buckets_s=30 * DAY))


def test_the_figures_of_a_target_are_those_of_its_history(store: Store) -> None:
    looks(store, (BEGIN, BEGIN + 6 * HOUR), (BEGIN + 7 * HOUR, END), pay=(10.0, 2.0))
    [prod] = report(store, "prod").targets
    assert (prod.processed, prod.failed, prod.slow[0].name, prod.queues[0].waited_s) == (12, 2, "pay", 42.0)
    assert prod.gaps == (Span(BEGIN + 6 * HOUR, BEGIN + 7 * HOUR),)


def test_a_target_that_was_never_looked_at_has_no_figures(store: Store) -> None:
    assert [(one.name, one.processed, one.watched_s) for one in report(store).targets] == [("prod", None, 0.0), ("lab", None, 0.0)]


@pytest.mark.parametrize("at", [BEGIN + 6 * HOUR, BEGIN + 6 * HOUR - 10, BEGIN + 6 * HOUR + 10, END])
def test_what_is_read_part_by_part_counts_each_look_once(store: Store, at: float) -> None:
    looks(store, (at - 20, at - 10), (at - 10, at), pay=(5.0, 1.0))
    [prod] = report(store, "prod").targets
    assert (prod.succeeded, prod.failed) == (5, 1)
