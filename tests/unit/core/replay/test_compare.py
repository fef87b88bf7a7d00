"""What would have fired beside what did."""

from msgspec.structs import replace

from watchdog.core.incidents.messages import Event
from watchdog.core.model.severity import Severity
from watchdog.core.replay.compare import Kind, Pair, Recorded, agrees, beside
from watchdog.core.replay.spell import Notification, Spell

TOLD = (Notification("ops", Event.FIRST, 1000.0, "a"), Notification("ops", Event.RESOLVED, 1600.0, "b"))
SPELL = Spell("QueueBacklogHigh", "prod", {"name": "indexing"}, Severity.WARNING, 1000.0, 1600.0, TOLD, "indexing holds 600 messages")
RECORDED = {"prod": Recorded(0.0, 9000.0, 10.0, {"Blinded": "flower: not asked"}, frozenset({SPELL.rule, "Blinded"}))}


def only(would: list[Spell], was: list[Spell]) -> Pair:
    (pair,) = beside(would, was, RECORDED)
    return pair


def test_the_same_incident_is_the_same_up_to_one_look() -> None:
    assert only([replace(SPELL, fired_at=1010.0)], [SPELL]).kind is Kind.SAME


def test_an_incident_that_only_the_replay_has_is_new() -> None:
    assert only([SPELL], []).kind is Kind.NEW


def test_an_incident_that_only_the_daemon_had_is_gone() -> None:
    pair = only([], [SPELL])
    assert (pair.kind, pair.why) == (Kind.GONE, "")


def test_an_incident_of_another_key_is_another_incident() -> None:
    pairs = beside([replace(SPELL, key={"name": "mail"})], [SPELL], RECORDED)
    assert [pair.kind for pair in pairs] == [Kind.NEW, Kind.GONE]


def test_later_and_shorter_is_different_and_says_so() -> None:
    pair = only([replace(SPELL, fired_at=1100.0, until=1500.0, severity=Severity.CRITICAL)], [SPELL])
    assert (pair.kind, pair.why) == (Kind.DIFFERENT, "fires later, ends earlier, critical instead of warning")


def test_what_would_be_told_to_nobody_is_different() -> None:
    pair = only([replace(SPELL, told=())], [SPELL])
    assert (pair.kind, pair.why) == (Kind.DIFFERENT, "not sent to ops")


def test_another_receiver_and_another_time_are_named() -> None:
    told = (Notification("pager", Event.FIRST, 1000.0), Notification("ops", Event.ESCALATED, 1100.0))
    assert only([replace(SPELL, told=told)], [SPELL]).why == "sent to pager, sent later to ops"


def test_a_receiver_that_cannot_be_read_here_is_no_difference() -> None:
    recorded = {"prod": replace(RECORDED["prod"], unknown_receivers=frozenset({"ops"}))}
    (pair,) = beside([replace(SPELL, told=())], [SPELL], recorded)
    assert pair.kind is Kind.SAME


def test_whom_it_was_told_before_the_first_look_is_not_compared() -> None:
    recorded = {"prod": replace(RECORDED["prod"], first=1005.0)}
    (pair,) = beside([replace(SPELL, told=())], [SPELL], recorded)
    assert pair.kind is Kind.SAME


def test_what_fired_before_the_first_look_began_at_the_same_time_as_far_as_is_known() -> None:
    recorded = {"prod": replace(RECORDED["prod"], first=2000.0)}
    (pair,) = beside([replace(SPELL, fired_at=2000.0, until=None)], [replace(SPELL, until=None)], recorded)
    assert pair.kind is Kind.SAME


def test_a_rule_without_a_verdict_is_not_replayed_and_never_gone() -> None:
    pair = only([], [replace(SPELL, rule="Blinded")])
    assert (pair.kind, pair.why) == (Kind.NOT_REPLAYED, "flower: not asked")


def test_what_was_over_before_the_first_look_is_not_replayed() -> None:
    recorded = {"prod": replace(RECORDED["prod"], first=2000.0)}
    (pair,) = beside([], [SPELL], recorded)
    assert pair.kind is Kind.NOT_REPLAYED


def test_a_target_of_which_nothing_was_recorded_is_not_replayed() -> None:
    (pair,) = beside([], [SPELL], {"prod": replace(RECORDED["prod"], first=None, last=None)})
    assert pair.why == "nothing was recorded of this target"


def test_a_rule_that_is_not_in_force_any_more_is_gone_and_says_why() -> None:
    pair = only([], [replace(SPELL, rule="Renamed")])
    assert (pair.kind, pair.why) == (Kind.GONE, "no such rule is in force now")


def test_differences_come_first() -> None:
    pairs = beside([SPELL, replace(SPELL, key={"name": "mail"})], [SPELL], RECORDED)
    assert [pair.kind for pair in pairs] == [Kind.NEW, Kind.SAME]


def test_it_agrees_if_nothing_that_was_replayed_differs() -> None:
    assert agrees(beside([SPELL], [SPELL, replace(SPELL, rule="Blinded")], RECORDED))


def test_it_does_not_agree_if_something_is_gone() -> None:
    assert not agrees(beside([], [SPELL], RECORDED))
