"""When a mute window mutes, until when, and what is said at its end."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import Quiet, quiet_reasons
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window, window_of
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = frozenset(range(7))
B, C = Verdict.BREACH, Verdict.CLEAR


def second(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def span(starts: str, ends: str, days: frozenset[int] = DAILY, zone: tzinfo = BERLIN) -> Span:
    return Span(days, second(starts), second(ends), zone)


def window(starts: str, ends: str, days: frozenset[int] = DAILY, zone: tzinfo = BERLIN) -> Window:
    return Window("nights", (span(starts, ends, days, zone),))


def at(text: str) -> float:
    """An instant, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


FRIDAY, WEEKEND = frozenset({4}), frozenset({5, 6})
BY_THE_CLOCK = [
    (window("09:00", "17:00", zone=UTC), "2026-11-27 09:00", True),
    (window("09:00", "17:00", zone=UTC), "2026-11-27 16:59:59", True),
    (window("09:00", "17:00", zone=UTC), "2026-11-27 17:00", False),
    (window("22:00", "07:00"), "2026-11-27 21:00", True),
    (window("22:00", "07:00", FRIDAY), "2026-11-28 05:59", True),  # Saturday morning belongs to Friday's night
    (window("22:00", "07:00", FRIDAY), "2026-11-27 05:59", False),
    (window("22:00", "07:00", FRIDAY), "2026-11-28 21:30", False),
    (window("12:00", "12:00", FRIDAY, UTC), "2026-11-28 11:59", True),  # a whole day, from noon to noon
    (window("12:00", "12:00", FRIDAY, UTC), "2026-11-27 11:59", False),
    (window("00:00", "24:00", WEEKEND, UTC), "2026-11-29 23:59", True),
    (window("00:00", "24:00", WEEKEND, UTC), "2026-11-30 00:00", False),
]


@pytest.mark.parametrize(("one", "when", "covers"), BY_THE_CLOCK)
def test_a_window_mutes_at_its_hours_on_its_days(one: Window, when: str, covers: bool) -> None:
    assert one.covers(at(when)) is covers


# Berlin, 2026-10-25: 02:00 to 03:00 exists twice, from 00:00 and from 01:00 UTC. 2026-03-29: it does not exist; at 01:00 UTC it is 03:00.
CHANGES = [
    (window("02:15", "02:45"), "2026-10-25 00:20", "2026-10-25 00:45"),
    (window("02:15", "02:45"), "2026-10-25 00:50", None),
    (window("02:15", "02:45"), "2026-10-25 01:20", "2026-10-25 01:45"),  # the second time, too
    (window("22:00", "02:30"), "2026-10-25 00:10", "2026-10-25 00:30"),
    (window("22:00", "02:30"), "2026-10-25 01:10", "2026-10-25 01:30"),
    (window("22:00", "03:00"), "2026-10-24 23:00", "2026-10-25 02:00"),
    (window("02:15", "02:45"), "2026-03-29 01:00", None),  # in the hour that does not exist: it mutes nothing
    (window("02:15", "02:45"), "2026-03-29 00:59", None),
    (window("02:30", "04:00"), "2026-03-29 00:59", None),
    (window("02:30", "04:00"), "2026-03-29 01:00", "2026-03-29 02:00"),  # it begins when the hour is skipped
    (window("01:00", "02:30"), "2026-03-29 00:59", "2026-03-29 01:00"),  # it ends when the hour is skipped
    (window("22:00", "07:00"), "2026-03-28 23:00", "2026-03-29 05:00"),
    (window("22:00", "07:00"), "2026-10-24 23:00", "2026-10-25 06:00"),
]


@pytest.mark.parametrize(("one", "when", "ends"), CHANGES)
def test_when_the_clocks_change_the_wall_clock_decides(one: Window, when: str, ends: str | None) -> None:
    assert one.ends_at(at(when)) == (None if ends is None else at(ends))
    assert one.covers(at(when)) is (ends is not None)


def test_what_follows_without_a_break_is_one_muting() -> None:
    both = Window("quiet", (span("22:00", "24:00"), span("00:00", "07:00"), span("00:00", "24:00", WEEKEND)))
    assert both.ends_at(at("2026-11-27 21:30")) == at("2026-11-30 06:00")


def test_a_muting_without_end_has_none() -> None:
    always = window("00:00", "24:00")
    assert (always.covers(NOW), always.ends_at(NOW), always.until(NOW)) == (True, None, "for good")


WEEKENDS = Window("weekends", (span("22:00", "24:00", FRIDAY), span("00:00", "24:00", WEEKEND)))
BUT_THURSDAYS = Window("mostly", (span("01:00", "24:00", frozenset({3})), span("00:00", "24:00", DAILY - {3})))


@pytest.mark.parametrize(
    ("one", "when", "said"),
    [
        (window("22:00", "07:00"), "2026-11-27 21:30", "until 07:00 CET"),
        (window("22:00", "07:00"), "2026-07-27 21:30", "until 07:00 CEST"),
        (WEEKENDS, "2026-11-27 21:30", "until Mon 00:00 CET"),
        (BUT_THURSDAYS, "2026-11-26 00:10", "until 2026-12-03 00:00 CET"),
    ],
)
def test_the_end_is_said_as_the_clock_of_its_zone_shows_it(one: Window, when: str, said: str) -> None:
    assert one.until(at(when)) == said


def test_of_several_windows_the_one_that_lasts_longest_is_named() -> None:
    short, long, other = window("22:00", "23:30"), window("22:00", "07:00"), window("08:00", "09:00")
    assert window_of(at("2026-11-27 21:30"), [short, long, other]) == long
    assert window_of(at("2026-11-27 12:00"), [short, long, other]) is None


def test_a_window_is_named_after_every_other_reason() -> None:
    silence = Silence("01SILENCE", parse_matchers("name=indexing"), NOW - 10, NOW + 60)
    muted_by = window("00:00", "24:00")
    assert quiet_reasons([an_incident()], [silence], NOW, windows=[muted_by])["01INCIDENT"].silence == silence
    assert quiet_reasons([an_incident()], [], NOW, windows=[muted_by])["01INCIDENT"].window == muted_by
    assert Quiet((), (), NOW).reason(an_incident()) is None


# --- in a cycle -------------------------------------------------------------------------------------------------------

RULE = a_rule(for_s=0.0, keep_firing_for_s=0.0, summary="")
NIGHT, MORNING = at("2026-11-28 05:59:50"), at("2026-11-28 06:00:00")
SLEEPER, NURSE = Recipient("sleeper", terms=Terms(mutes=(window("22:00", "07:00"),))), Recipient("nurse")


def told(now: float, verdict: Verdict, loaded: Loaded) -> list[tuple[str, Event]]:
    """Who is notified of what in one cycle."""
    plan = decide(Situation(a_target(), now, (SLEEPER, NURSE)), [Judgement(RULE, (a_finding(verdict, RULE),))], loaded, Seen({}, {}, {}))
    return [(message.receiver, notice.event) for message in plan.messages for notice in message.notices]


def burning(now: float, **notified: Notified) -> Loaded:
    incident: Incident = an_incident(identity=RULE.identity, started_at=now - 100, fired_at=now - 60)
    return Loaded(open=(incident,), notified={(incident.id, name): heard for name, heard in notified.items()}, previous_cycle_at=now - 10)


def test_what_fires_in_the_window_is_for_the_others_alone() -> None:
    assert told(NIGHT, B, burning(NIGHT)) == [("nurse", Event.FIRST)]


def test_what_still_fires_when_the_window_ends_is_notified_of_then() -> None:
    assert told(MORNING, B, burning(MORNING, nurse=a_told(receiver="nurse"))) == [("sleeper", Event.FIRST)]


def test_an_end_is_never_muted() -> None:
    heard = {"sleeper": a_told(receiver="sleeper"), "nurse": a_told(receiver="nurse")}
    assert told(NIGHT, C, burning(NIGHT, **heard)) == [("sleeper", Event.RESOLVED), ("nurse", Event.RESOLVED)]


def test_what_ended_in_the_window_unheard_is_not_notified_of_at_all() -> None:
    assert told(NIGHT, C, burning(NIGHT, nurse=a_told(receiver="nurse"))) == [("nurse", Event.RESOLVED)]
