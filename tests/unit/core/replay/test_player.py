"""Recorded looks, played: what fires, and what cannot be judged."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from time import perf_counter

import pytest
from msgspec.structs import replace

from watchdog.core.history.frames import RecordedLook
from watchdog.core.incidents.quiet.acknowledgements import OVERTAKEN, Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.model.identity import fingerprint
from watchdog.core.model.rows import Reading, Row
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import Target
from watchdog.core.replay.player import Replayed, replay
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.overrides import Tuned, tune
from watchdog.core.scenarios.audience import Audience, Given
from watchdog.tables import TABLES

RULES = """
[[rule]]
name = "Long"
from = "queues"
when = "length > 200"
for  = "1m"

[[rule]]
name   = "Failing"
from   = "tasks"
when   = "failed > 5"
window = "20m"

[[rule]]
name = "Query"
query = "SELECT name, length, length > 300 AS breach FROM queues"
key = ["name"]
"""
START = 1_800_000_000.0
TARGET = Target("prod")
OPS = Audience((Recipient("ops"),))


def rules(text: str = RULES) -> tuple[Tuned, ...]:
    found, faults, _ = read_rules({"rules.toml": text}, TABLES)
    assert not faults
    return tune(found, (), "prod")


def looks(lengths: Mapping[int, float], count: int = 60, every_s: float = 10.0) -> Iterator[RecordedLook]:
    """Looks at one queue, whose length changes at these looks."""
    length = 0.0
    for number in range(count):
        length = lengths.get(number, length)
        queues = Reading((Row({"name": "indexing", "length": length}),))
        yield RecordedLook(START + number * every_s, every_s, {300.0: {"queues": queues}})


def played(found: Iterator[RecordedLook], since: float = START, text: str = RULES, audience: Audience = OPS) -> Replayed:
    return replay(found, TARGET, rules(text), since, TABLES, NEVER_FLAPPING, audience, stopwatch=perf_counter)


def spells(one: Replayed) -> list[tuple[str, float, float | None]]:
    return [(spell.rule, spell.fired_at - START, None if spell.until is None else spell.until - START) for spell in one.spells]


def test_a_rule_fires_after_its_for_and_ends_when_it_is_clear() -> None:
    assert spells(played(looks({6: 250.0, 30: 10.0}))) == [("Long", 120.0, 300.0)]


def test_a_query_is_replayed_too() -> None:
    assert ("Query", 60.0, 120.0) in spells(played(looks({6: 400.0, 12: 10.0})))


def test_what_fires_at_the_last_look_has_no_end() -> None:
    assert spells(played(looks({40: 250.0}))) == [("Long", 460.0, None)]


def test_what_is_pending_when_the_time_begins_is_not_begun_again() -> None:
    assert spells(played(looks({6: 250.0}), since=START + 100.0)) == [("Long", 120.0, None)]


def test_what_ended_before_the_time_is_not_shown() -> None:
    assert spells(played(looks({6: 250.0, 15: 10.0}), since=START + 300.0)) == []


def test_a_window_that_is_not_recorded_is_named_and_not_quiet() -> None:
    assert played(looks({})).covered.never["Failing"] == "tasks is not recorded"


def test_a_window_that_is_recorded_otherwise_says_which_is() -> None:
    (look,) = looks({}, count=1)
    beside = RecordedLook(look.at, look.interval_s, {300.0: {**look.windows[300.0], "tasks": Reading()}})
    assert played(iter([beside])).covered.never["Failing"] == "tasks over 20m is not recorded, only over 5m"


def test_a_column_that_was_idle_is_named_with_its_reason() -> None:
    (look,) = looks({}, count=1)
    idle = RecordedLook(look.at, look.interval_s, {300.0: {"queues": Reading(idle={"length": "needs `redis`"})}})
    assert played(iter([idle])).covered.never["Long"] == "length: needs `redis`"


def test_a_table_that_was_not_read_for_a_while_hides_its_rules_for_that_long() -> None:
    seen = list(looks({}))
    seen[10:20] = [RecordedLook(one.at, one.interval_s, {300.0: {"queues": Reading(unread="redis: refused")}}) for one in seen[10:20]]
    hidden = played(iter(seen)).covered.hidden["Long"]
    assert (hidden.nothing_s, hidden.reason) == (100.0, "redis: refused")


def test_a_gap_on_one_row_hides_it_in_part() -> None:
    seen = [
        RecordedLook(one.at, one.interval_s, {300.0: {"queues": Reading((Row({"name": "a", "length": None}, {"length": "late"}),))}})
        for one in looks({}, count=6)
    ]
    hidden = played(iter(seen)).covered.hidden["Long"]
    assert (hidden.nothing_s, hidden.some_rows_s, hidden.reason) == (0.0, 60.0, "late")


def test_a_pause_of_the_daemon_is_not_recorded_time() -> None:
    seen = [look for number, look in enumerate(looks({})) if not 10 <= number < 40]
    assert played(iter(seen)).covered.recorded_s == pytest.approx(300.0)


def test_nothing_recorded_is_no_look() -> None:
    one = played(iter(()))
    assert (one.since, one.covered.recorded_s) == (None, 0.0)


def test_a_rule_that_fails_is_named() -> None:
    text = '[[rule]]\nname = "Fails"\nquery = "SELECT name, 1 AS breach FROM queues"\nkey = ["name"]\n'
    seen = [
        RecordedLook(one.at, one.interval_s, {300.0: {"queues": Reading((Row({"name": "a"}), Row({"name": "a"})))}})
        for one in looks({}, count=1)
    ]
    covered = played(iter(seen), text=text).covered
    assert "Fails" in covered.never


def told(audience: Audience, text: str = RULES) -> tuple[dict[str, float], str | None]:
    """Of an incident that fires 120 s after the start and lasts: receiver -> when it is told first (seconds); why nobody is as it fires."""
    (spell,) = [one for one in played(looks({6: 250.0}), text=text, audience=audience).spells if one.rule == "Long"]
    why = spell.untold.why if spell.untold is not None else None
    return {receiver: at - START for receiver, at in spell.first_told.items()}, why


def given(at: float, **more: object) -> tuple[Given, ...]:
    (spell,) = played(looks({6: 250.0})).spells
    ack = Acknowledgement(spell.id, START + at, Severity.WARNING, **more)  # type: ignore[arg-type]
    return (Given(fingerprint("Long", "prod", {"name": "indexing"}), ack),)


def test_everybody_whom_it_is_for_is_told() -> None:
    assert told(Audience((Recipient("ops"), Recipient("pager", min_severity=Severity.CRITICAL)))) == ({"ops": 120.0}, None)


def test_what_a_silence_hid_is_told_when_it_is_over() -> None:
    silence = Silence("s", parse_matchers("rule=Long"), START, START + 300.0)
    assert told(replace(OPS, silences=(silence,))) == ({"ops": 300.0}, "silenced")


def test_a_deploy_hides_what_its_rule_says() -> None:
    deploy = Deploy("d", "v1", ("*",), START, START + 9000.0)
    assert told(replace(OPS, deploys=(deploy,)), RULES.replace('for  = "1m"', 'for = "1m"\ndeploy = true')) == ({}, "deploy")


def test_an_acknowledgement_of_that_time_holds() -> None:
    assert told(replace(OPS, given=given(100.0))) == ({}, "acknowledged")


def test_one_that_was_taken_back_holds_until_then() -> None:
    assert told(replace(OPS, given=given(100.0, until=START + 200.0)))[0] == {"ops": 200.0}


def test_one_that_was_taken_back_since_it_got_worse_holds_while_it_does_not() -> None:
    assert told(replace(OPS, given=given(100.0, until=START + 200.0, why=OVERTAKEN)))[0] == {}


def test_one_of_an_incident_that_was_over_before_does_not_hold() -> None:
    over = tuple(replace(one, ended_at=START + 50.0) for one in given(0.0))
    assert told(replace(OPS, given=over))[0] == {"ops": 120.0}


def test_routes_and_muted_hours_are_kept() -> None:
    always = Window("always", (Span(frozenset(range(7)), 0, 0, UTC),))
    routing = Routing((Route({"ops": Terms(mutes=(always,)), "late": Terms(after_s=60.0)}),))
    assert told(Audience((Recipient("ops"), Recipient("late"), Recipient("else")), routing)) == ({"late": 180.0}, "muted")


def test_without_a_receiver_the_reason_says_so() -> None:
    assert told(Audience(())) == ({}, "no_receiver")


def test_a_target_on_trial_tells_nobody() -> None:
    one = replay(looks({6: 250.0}), Target("prod", trial=True), rules(), START, TABLES, NEVER_FLAPPING, OPS, stopwatch=perf_counter)
    assert [spell.told for spell in one.spells] == [()]
