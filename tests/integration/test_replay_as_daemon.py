"""A replay tells what the daemon told: its cycle, with its SQLite store, records the rows of each look; played again, the same fires."""

from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.structs import replace

from tests.integration.test_scenarios_as_daemon import BOOK, FLAPPING, SCENARIOS, Daemon, as_played, book_of
from watchdog.config.rulebook import rules_for
from watchdog.core.history.frames import looks_of
from watchdog.core.incidents.messages import FIRE
from watchdog.core.replay.compare import Kind, Pair, Recorded, beside
from watchdog.core.replay.player import Replayed, replay
from watchdog.core.replay.spell import Spell, spell_of
from watchdog.core.rules.overrides import Tuned
from watchdog.core.scenarios.course import START
from watchdog.core.scenarios.scenario import Scenario
from watchdog.store import Store
from watchdog.tables import TABLES

KEEP_S = 86400.0
FIRING = next(
    one for one in SCENARIOS if any(expected.message == "first" and expected.rule == "QueueBacklogHigh" for expected in one.expects)
)


def was(store: Store) -> list[Spell]:
    told = {one.incident.id: [m.created_at for m in store.show(one.incident.id).messages if m.event in FIRE] for one in store.lives(0.0)}
    found = [spell_of(one.incident, min(told[one.incident.id], default=None)) for one in store.lives(0.0)]
    return [spell for spell in found if spell is not None]


def lived(scenario: Scenario, store: Store) -> None:
    """The daemon lives through the scenario."""
    daemon = Daemon(scenario, store, keep_rows_s=KEEP_S)
    with closing(daemon.evaluator):
        assert list(daemon.said(as_played(scenario).until_s)) is not None


def again(scenario: Scenario, store: Store, rules: tuple[Tuned, ...] | None = None) -> tuple[Replayed, list[Pair]]:
    """What a replay of it finds."""
    rules = rules or rules_for(book_of(scenario), scenario.target, TABLES)
    looks = looks_of(store.frames(scenario.target, START, START + KEEP_S))
    one = replay(looks, scenario.target, rules, START, TABLES, FLAPPING, stopwatch=perf_counter)
    names = frozenset(rule.name for rule in BOOK.rules)
    return one, beside(one.spells, was(store), {scenario.target: Recorded(one.since, one.until, one.interval_s, one.covered.never, names)})


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_replay_tells_what_the_daemon_told(scenario: Scenario, tmp_path: Path) -> None:
    with Store.open(tmp_path / "watchdog.db") as store:
        lived(scenario, store)
        one, pairs = again(scenario, store)
        assert [pair for pair in pairs if pair.kind is not Kind.SAME] == []
        assert sorted((s.rule, s.fired_at, s.until, s.told_at, s.summary, s.id) for s in one.spells) == sorted(
            (s.rule, s.fired_at, s.until, s.told_at, s.summary, s.id) for s in was(store)
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


def test_frames_are_deleted_when_they_are_old_enough(tmp_path: Path) -> None:
    with Store.open(tmp_path / "watchdog.db") as store:
        daemon = Daemon(FIRING, store, keep_rows_s=400.0)
        with closing(daemon.evaluator):
            assert list(daemon.said(900.0)) is not None
        kept = [frame.at - START for frame in store.frames(FIRING.target, START, START + KEEP_S)]
        assert (kept[0], kept[-1]) == (490.0, 900.0)
