"""`watchdog why --at`: from what the database keeps, why nobody was notified at an earlier time, when all of it is over."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_rule, an_incident
from tests.builders.outbox import plan
from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.plan import Plan
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Routing, Terms
from watchdog.core.rules.overrides import Tuned
from watchdog.core.text.durations import format_duration
from watchdog.status.why.stored import NEVER, Stored
from watchdog.status.why.today import Today
from watchdog.store import Store

THEN = NOW + 60
"""The time that is asked about: the incident fires from NOW to NOW + 120."""
OVER = an_incident(State.RESOLVED, started_at=NOW, fired_at=NOW, resolved_at=NOW + 120, ended=Ended.RECOVERED, deploy=True)
RULE = a_rule(for_s=30.0)
AT_ONCE = Terms()


def clock(at: float) -> str:
    return format_duration(round(at - NOW))


def lived(store: Store, incident: Incident, *, ended_at: float = NOW + 180) -> None:
    """Commit an incident that fired, recovered and ended."""
    moves = [("", "pending", incident.started_at), ("pending", "firing", incident.started_at)]
    moves += [("firing", "recovering", incident.started_at + 120), ("recovering", "resolved", ended_at)]
    made = tuple(Transition(incident.id, at, before, after, "") for before, after, at in moves)
    done: Plan = replace(plan(at=ended_at), incidents=(incident,), transitions=made)
    with store.cycle() as transaction:
        transaction.commit(done)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "watchdog.db") as opened:
        lived(opened, OVER)
        yield opened


def answer(store: Store, at: float = THEN, terms: Terms = AT_ONCE) -> tuple[str, tuple[str, ...]]:
    """The sentence about `ops`, and the notes."""
    recipients = (Recipient("ops", terms=terms),)
    today = Today(recipients, Routing(), NEVER_FLAPPING, {"prod": {RULE.name: Tuned(RULE)}}, {"prod": 10.0}, {"prod": ()})
    cases, notes = Stored(store, today, clock).at(OVER.rule, ["prod"], lambda _: True, at)
    return (cases[0].told[0].sentence if cases else ""), notes


def test_a_silence_that_was_expired_since(store: Store) -> None:
    store.add_silence(Silence("01SILENCE", (Matcher("rule", "=", OVER.rule),), NOW - 10, NOW + 3600, "", "ada"))
    store.expire_silence("01SILENCE", NOW + 90)
    assert answer(store)[0] == "not notified: silenced until 1m30s by ada, silence 01SILENCE"
    assert answer(store, NOW + 100)[0] == "its beginning was due then, if it could be seen, and no message of it is kept"


def test_a_deploy_that_has_ended_since(store: Store) -> None:
    store.start_deploy(Deploy("01DEPLOY", "v512", ("prod",), NOW - 10, NOW + 600))
    store.end_deploy("v512", NOW + 80)
    assert answer(store)[0] == "not notified: deploy v512 goes on until 1m20s"


def test_a_mute_window_of_today(store: Store) -> None:
    nights = Window("nights", (Span(frozenset(range(7)), 7 * 3600, 9 * 3600, ZoneInfo("UTC")),))
    assert answer(store, terms=Terms(mutes=(nights,)))[0] == "not notified: muted by nights until 09:00 UTC"


def test_a_cause_that_is_over_since(store: Store) -> None:
    cause = replace(OVER, id="01CAUSE", rule="BrokerUnreachable", key={}, fingerprint="f", inhibits=(OVER.rule,), resolved_at=NOW + 120)
    lived(store, cause)
    assert answer(store)[0].startswith("not notified: BrokerUnreachable explains it, and is sent instead")


def test_what_was_not_yet_due(store: Store) -> None:
    assert answer(store, terms=Terms(after_s=900.0))[0].startswith("not notified yet: this receiver hears of what has fired for 15m")


def test_a_time_after_it_was_over_shows_when_it_last_fired(store: Store) -> None:
    store.add_silence(Silence("01SILENCE", (Matcher("rule", "=", OVER.rule),), NOW - 10, NOW + 3600))
    sentence, notes = answer(store, NOW + 900)
    assert sentence.startswith("not notified: silenced until")
    assert notes == ("Nothing was open at 15m. The nearest one was over by then; this is how it was at 2m.",)


def test_a_time_before_it_began_shows_when_it_fired(store: Store) -> None:
    assert answer(store, NOW - 900)[1] == ("Nothing was open at -15m. The nearest one began after that; this is how it was at 0s.",)


def test_what_never_was_says_so(tmp_path: Path) -> None:
    with Store.open(tmp_path / "other.db") as empty:
        assert answer(empty) == ("", (NEVER,))
