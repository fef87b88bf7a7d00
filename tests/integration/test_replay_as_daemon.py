"""A replay tells what the daemon told: its cycle, with its SQLite store, records the rows of each look; played again, the same fires."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.structs import replace

from tests.integration.test_scenarios_as_daemon import BOOK, FLAPPING, SCENARIOS, Daemon, as_played, book_of
from watchdog.config.rulebook import rules_for
from watchdog.core.history.frames import looks_of
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.model.target import Target
from watchdog.core.replay.compare import Kind, Pair, Recorded, beside
from watchdog.core.replay.player import Replayed, replay
from watchdog.core.replay.spell import Notification, Spell, spell_of
from watchdog.core.rules.overrides import Tuned
from watchdog.core.scenarios.audience import Audience, Given
from watchdog.core.scenarios.course import START
from watchdog.core.scenarios.scenario import Scenario
from watchdog.store import Store
from watchdog.tables import TABLES

KEEP_S = 86400.0
EVERYBODY = Audience()
FOR_HOURS = next(one for one in SCENARIOS if one.name == "critical for hours")
FIRING = next(
    one for one in SCENARIOS if any(expected.message == "first" and expected.rule == "QueueBacklogHigh" for expected in one.expects)
)


def was(store: Store) -> list[Spell]:
    told = {
        one.incident.id: [Notification(m.receiver, m.event, m.created_at, m.id) for m in store.show(one.incident.id).messages]
        for one in store.lives(0.0)
    }
    found = [spell_of(one.incident, told[one.incident.id]) for one in store.lives(0.0)]
    return [spell for spell in found if spell is not None]


def tellings(spells: Iterable[Spell]) -> list[tuple[str, str, Event, float]]:
    """Everything that was said: of what, to whom, which event, when."""
    return sorted((spell.id, one.receiver, one.event, one.at) for spell in spells for one in spell.told)


def lived(scenario: Scenario, store: Store) -> None:
    """The daemon lives through the scenario."""
    daemon = Daemon(scenario, store, keep_rows_s=KEEP_S)
    with closing(daemon.evaluator):
        assert list(daemon.said(as_played(scenario).until_s)) is not None


def again(
    scenario: Scenario, store: Store, rules: tuple[Tuned, ...] | None = None, audience: Audience = EVERYBODY
) -> tuple[Replayed, list[Pair]]:
    """What a replay of it finds."""
    rules = rules or rules_for(book_of(scenario), scenario.target, TABLES)
    looks = looks_of(store.frames(scenario.target, START, START + KEEP_S))
    one = replay(looks, Target(scenario.target), rules, START, TABLES, FLAPPING, audience, stopwatch=perf_counter)
    names = frozenset(rule.name for rule in BOOK.rules)
    return one, beside(one.spells, was(store), {scenario.target: Recorded(one.since, one.until, one.interval_s, one.covered.never, names)})


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_replay_tells_what_the_daemon_told(scenario: Scenario, tmp_path: Path) -> None:
    with Store.open(tmp_path / "watchdog.db") as store:
        lived(scenario, store)
        one, pairs = again(scenario, store)
        assert [pair for pair in pairs if pair.kind is not Kind.SAME] == []
        assert tellings(one.spells) == tellings(was(store))
        assert sorted((s.rule, s.fired_at, s.until, s.summary, s.id) for s in one.spells) == sorted(
            (s.rule, s.fired_at, s.until, s.summary, s.id) for s in was(store)
        )


def test_these_scenarios_fire_every_shipped_rule() -> None:
    fired = {lived.incident.rule for scenario in SCENARIOS for lived in as_played(scenario).lived if lived.incident.fired_at is not None}
    assert {rule.name for rule in BOOK.rules} - fired == set()


def test_a_higher_threshold_is_seen_to_tell_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path / "watchdog.db") as store:
        lived(FIRING, store)
        rules = rules_for(book_of(FIRING), FIRING.target, TABLES)
        slower = tuple(Tuned(replace(one.rule, for_s=7200.0)) if one.rule.name == "QueueBacklogHigh" else one for one in rules)
        _, pairs = again(FIRING, store, slower)
        assert [(pair.kind, pair.spell.rule) for pair in pairs if pair.kind is not Kind.SAME] == [(Kind.GONE, "QueueBacklogHigh")]


def test_silences_and_acknowledgements_of_that_time_are_replayed(tmp_path: Path) -> None:
    """What fires is silenced for more than an hour, and acknowledged after its first reminder: all is told as it was."""
    with Store.open(tmp_path / "watchdog.db") as store:
        store.add_silence(Silence("s", parse_matchers("rule=BrokerUnreachable"), START, START + 4000.0))
        daemon = Daemon(FOR_HOURS, store, keep_rows_s=KEEP_S)
        with closing(daemon.evaluator):
            for _, event, rule, *_ in daemon.said(as_played(FOR_HOURS).until_s):
                if (event, rule) == ("reminder", "BrokerUnreachable") and not store.acknowledged():
                    store.acknowledge([one.id for one in store.incidents() if one.rule == rule], "known", "ada", daemon.now + 1.0)
        given = tuple(Given(one.incident.fingerprint, ack) for one in store.lives(0.0) for ack in one.acknowledgements)
        asked, _ = again(FOR_HOURS, store, audience=Audience(silences=store.silences(), given=given))
        without, _ = again(FOR_HOURS, store)
        assert [at - START for *_, at in tellings(asked.spells)] == [at - START for *_, at in tellings(was(store))]
        assert tellings(without.spells) != tellings(was(store))


def test_frames_are_deleted_when_they_are_old_enough(tmp_path: Path) -> None:
    with Store.open(tmp_path / "watchdog.db") as store:
        daemon = Daemon(FIRING, store, keep_rows_s=400.0)
        with closing(daemon.evaluator):
            assert list(daemon.said(900.0)) is not None
        kept = [frame.at - START for frame in store.frames(FIRING.target, START, START + KEEP_S)]
        assert (kept[0], kept[-1]) == (490.0, 900.0)
