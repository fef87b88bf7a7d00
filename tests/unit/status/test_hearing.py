"""What is heard by events, in a sentence."""

from math import inf

import pytest

from watchdog.core.model.last_look import LastLook, TableSeen
from watchdog.core.model.rows import Cell, Row
from watchdog.status.hearing import heard_at_last, hearing

NOW = 1_800_000_000.0
EVENTS: dict[str, Cell] = {
    "name": "events", "hears": "workers and tasks", "restarted_s": 7200.0, "tasks_heard_s": 600.0, "per_s": 45.2, "core_share": 0.0003,
    "core_allowed": 0.01, "error": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "workers since 2h, tasks since 10m; 45 events a second, 0.03 % of a core (1 % allowed)"),
        ({"core_allowed": inf}, "workers since 2h, tasks since 10m; 45 events a second, 0.03 % of a core"),
        (
            {"per_s": 1500.0, "core_share": 0.0123},
            "workers since 2h, tasks since 10m; 1,500 events a second, 1.2 % of a core (1 % allowed)",
        ),
        ({"hears": "workers", "tasks_heard_s": 0.0, "per_s": 0.5}, "workers since 2h; 0.5 events a second, 0.03 % of a core"),
        ({"per_s": None, "core_share": None}, "workers since 2h, tasks since 10m"),
        ({"hears": ""}, ""),
    ],
)
def test_whose_events_since_when_how_many_and_what_they_take(changes: dict[str, Cell], said: str) -> None:
    assert hearing({**EVENTS, **changes}) == said


def look(at: float = NOW, **changes: Cell) -> LastLook:
    return LastLook(at, 10.0, {"sources": TableSeen((Row({"name": "redis"}), Row({**EVENTS, **changes})))})


def test_a_daemons_last_look_says_what_it_hears() -> None:
    assert heard_at_last(look(), NOW, tasks=True).startswith("workers since 2h, tasks since 10m; 45 events")


def test_a_look_of_long_ago_says_of_when_it_is() -> None:
    assert heard_at_last(look(NOW - 3600), NOW, tasks=True).endswith("(as of 1h ago)")


def test_what_cannot_be_heard_is_said_with_its_reason() -> None:
    assert heard_at_last(look(hears="", error="events: NOPERM"), NOW, tasks=True) == "nothing; events: NOPERM"


@pytest.mark.parametrize(("tasks", "what"), [(True, "workers and tasks"), (False, "workers")])
def test_before_a_daemon_has_looked_it_is_said_what_it_would_hear(tasks: bool, what: str) -> None:
    assert heard_at_last(None, NOW, tasks=tasks) == f"`watchdog run` hears {what}; none has looked yet"
