"""How often TasksExpired is wrong about a beat-driven task whose ticks expire by design, by simulation: a tick a minute for 30 days."""

import random

import pytest

from watchdog.config.rulebook import read_rule_book
from watchdog.core.model.rows import Sample
from watchdog.tables import TABLES
from watchdog.tables.tasks.expired import ExpiredRow, rows_after
from watchdog.tables.tasks.listed import EVENTS

RULE = next(rule for rule in read_rule_book((), TABLES).rules if rule.name == "TasksExpired")
NONE_RAN, HELD_S = float(RULE.params["none_ran"]), float(RULE.params["held"])
TICK = "app.tick"


def seen(at: float, **events: float) -> Sample:
    return Sample(at, {TICK: tuple(events.get(event, 0.0) for event in EVENTS)})


def fires(row: ExpiredRow, now: float) -> bool:
    """The rule's `when`, of few."""
    return row.now(now) >= NONE_RAN and now - row.began >= HELD_S and row.now(now) > 2 * row.longest


def times_told(samples: list[Sample]) -> int:
    known: dict[str, ExpiredRow] = {}
    told, burning = 0, False
    for sample in samples:
        known = rows_after(known, [sample])
        now = fires(known.get(TICK, ExpiredRow()), sample.at)
        told, burning = told + (now and not burning), now
    return told


def ticks(expiring: float, seed: int, days: int = 30) -> list[Sample]:
    """Each expires with this chance, and runs otherwise."""
    rng = random.Random(seed)
    return [
        seen(60.0 * nth, expired=1.0) if rng.random() < expiring else seen(60.0 * nth, started=1.0, succeeded=1.0)
        for nth in range(days * 1440)
    ]


@pytest.mark.parametrize(("expiring", "most"), [(0.1, 0), (0.2, 0), (0.3, 0), (0.5, 1)])
def test_ticks_of_which_some_expire_are_seldom_told(expiring: float, most: int) -> None:
    assert max(times_told(ticks(expiring, seed)) for seed in range(2)) <= most


def test_ticks_that_pile_up_behind_a_long_run_are_never_told() -> None:
    busy = [
        sample
        for nth in range(200)
        for sample in (seen(1000.0 * nth, expired=30.0), seen(1000.0 * nth + 10, started=1.0), seen(1000.0 * nth + 900, succeeded=1.0))
    ]
    assert times_told(busy) == 0


@pytest.mark.parametrize("every_s", [10.0, 60.0, 3600.0])
def test_ticks_that_all_expire_are_told_at_the_eighth(every_s: float) -> None:
    told = [times_told([seen(every_s * nth, expired=1.0) for nth in range(count)]) for count in (7, 8)]
    assert told == [0, 1]
