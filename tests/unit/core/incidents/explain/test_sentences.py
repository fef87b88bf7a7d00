"""Every quiet case, and the one sentence that a person who was woken at 3 reads about it."""

from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_told, an_incident
from watchdog.core.incidents.explain.decisions import Explainer
from watchdog.core.incidents.explain.sentences import EVENTS, Needs, Teller, quiet_sentence, state_sentence
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import DROPPED, Event, Notified
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.inhibition import Cause
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.reasons import Quiet
from watchdog.core.incidents.quiet.shared_servers import Twins
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.incidents.wanted import JudgedIncident, Why
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.core.text.durations import format_duration

FIRING = an_incident(State.FIRING, deploy=True)
CRITICAL = replace(FIRING, severity=Severity.CRITICAL)
OPS = Recipient("ops", settings="s1")
BACKLOG = Matcher("rule", "=", "QueueBacklogHigh")
SILENCE = Silence("01KAQ2M7C0XJ3V9P", (BACKLOG,), NOW - 10, NOW + 3600, "a big import", "ada")
DEPLOY = Deploy("01DEPLOY", "v512", ("*",), NOW - 10, NOW + 600, "ci")
ACK = Acknowledgement(FIRING.id, NOW - 60, Severity.WARNING, "on it", "ada")
BROKER = an_incident(id="01CAUSE", rule="BrokerUnreachable", key={"name": "redis"}, inhibits=("QueueBacklogHigh",), started_at=NOW - 30)
BROKER = replace(BROKER, key={})
NIGHTS = Window("nights", (Span(frozenset(range(7)), 7 * 3600, 9 * 3600, ZoneInfo("UTC")),))  # NOW is 08:00 UTC


class Case(NamedTuple):
    sentence: str
    next: str = ""
    incident: Incident = FIRING
    told: Notified | None = None
    recipient: Recipient = OPS
    verdict: Verdict = Verdict.BREACH
    quiet: Callable[[], Quiet] = lambda: Quiet((), (), NOW)
    routing: Routing = Routing()
    about: str = ""
    held_until: float | None = None
    needs: Needs = Needs(30.0, 60.0)


def quiet(*causes: Incident, silences: Any = (), deploys: Any = (), acknowledged: Any = None) -> Callable[[], Quiet]:
    return lambda: Quiet([Cause(one) for one in causes], silences, NOW, acknowledged=acknowledged or {}, deploys=deploys)


PENDING = an_incident(State.PENDING, held_s=10.0)
RECOVERING = an_incident(State.RECOVERING, quiet_s=20.0)
OVER = an_incident(State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW - 5)

CASES = {
    "said now": Case("its beginning is to be said now, with the next cycle"),
    "silence": Case(
        'not notified: silenced until 1h by ada ("a big import"), silence 01KAQ2M7C0XJ',
        "its beginning at 1h, if it still fires then",
        quiet=quiet(silences=(SILENCE,)),
    ),
    "acknowledged": Case(
        'not notified: acknowledged by ada at -1m: "on it"',
        "that it got worse, if it does; otherwise nothing before it ends",
        quiet=quiet(acknowledged={FIRING.id: ACK}),
    ),
    "deploy": Case(
        "not notified: deploy v512 goes on until 10m by ci", "its beginning at 10m, if it still fires then", quiet=quiet(deploys=(DEPLOY,))
    ),
    "inhibited by what fires": Case(
        "not notified: BrokerUnreachable explains it, and is sent instead",
        "its beginning when that is over, if it still fires then",
        quiet=quiet(BROKER),
    ),
    "inhibited by what is pending": Case(
        "not notified: BrokerUnreachable explains it, which is pending, and is sent instead",
        "its beginning when that is over, if it still fires then",
        quiet=quiet(replace(BROKER, state=State.PENDING)),
    ),
    "another target shares its server": Case(
        "not notified: prod-eu names the same server, and its incident is sent instead",
        "its beginning when that is over, if it still fires then",
        incident=replace(FIRING, server="s"),
        quiet=lambda: Quiet((), (), NOW, twins=Twins([replace(FIRING, id="01TWIN", target="prod-eu", server="s", fired_at=NOW - 70)])),
    ),
    "trial": Case(
        "not notified: it is on trial (trial = true of its rule, target or an override): nobody is notified of it",
        "its beginning when it is no longer on trial, if it still fires then",
        incident=replace(FIRING, trial=True),
    ),
    "mute window": Case(
        "not notified: muted by nights until 09:00 UTC",
        "its beginning at 1h, if it still fires then",
        recipient=Recipient("ops", terms=Terms(mutes=(NIGHTS,))),
    ),
    "no route": Case(
        "not notified: no route leads to this receiver; `watchdog routes test` says which ones do",
        routing=Routing([Route({"other": Terms()})]),
    ),
    "match": Case(
        'not notified: its match asks for team="data", which this is not',
        recipient=Recipient("ops", matchers=(Matcher("team", "=", "data"),)),
    ),
    "min_severity": Case(
        "not notified: this receiver hears of min_severity critical and up; this is warning",
        recipient=Recipient("ops", min_severity=Severity.CRITICAL),
    ),
    "after": Case(
        "not notified yet: this receiver hears of what has fired for 15m without being acknowledged",
        "its beginning at 14m, if it still fires then unacknowledged",
        recipient=Recipient("ops", terms=Terms(after_s=900.0)),
    ),
    "after, let go later": Case(
        "not notified yet: this receiver hears of what has fired for 15m, counted from 30s, when it could be sent, "
        "without being acknowledged",
        "its beginning at 15m30s, if it still fires then unacknowledged",
        incident=replace(FIRING, let_go_at=NOW + 30),
        recipient=Recipient("ops", terms=Terms(after_s=900.0)),
    ),
    "own failure": Case("not notified: this is the failure of this very receiver, which cannot be notified of it", about="ops"),
    "refused": Case(
        "not notified: this receiver refused the message, and is not asked again until 59m10s",
        "its beginning at 59m10s, if it still fires then",
        told=a_told(None, refused=Event.FIRST, settings="s1"),
    ),
    "dropped by hand": Case(
        "not notified: the message was given up; `watchdog outbox` shows why, `outbox retry` sends it again",
        told=a_told(None, refused=Event.FIRST, settings=DROPPED),
    ),
    "group": Case(
        "not notified yet: the message waits for others of its group until 20s",
        "its beginning at 20s, if it still fires then",
        held_until=NOW + 20,
    ),
    "cannot be seen": Case(
        "not notified now: nobody can see whether it still fires",
        "its beginning, when it is seen to fire",
        verdict=Verdict.UNKNOWN,
    ),
    "no verdict": Case(
        "not notified now: nobody can see whether it still fires",
        "its beginning, when it is seen to fire",
        verdict=Verdict.NONE,
    ),
    "pending": Case(
        "not notified now: in breach for 10s of the 30s that its `for` asks",
        "its beginning, if the breach lasts 20s more",
        incident=PENDING,
    ),
    "pending, and not for this receiver": Case(
        "not notified now: in breach for 10s of the 30s that its `for` asks",
        incident=PENDING,
        recipient=Recipient("ops", min_severity=Severity.CRITICAL),
    ),
    "recovering": Case(
        "not notified now: it recovers, quiet for 20s of 1m", "its end, if it stays quiet for 40s more", incident=RECOVERING, told=a_told()
    ),
    "recovering, unheard": Case("not notified now: it recovers, quiet for 20s of 1m", incident=RECOVERING),
    "over, unheard": Case("was never notified of it, so it does not hear of its end", incident=OVER),
    "over, heard": Case("was notified of its end", incident=OVER, told=a_told(Event.RESOLVED)),
    "over, its end is due": Case("its end is to be said now, with the next cycle", incident=OVER, told=a_told()),
    "known": Case("has been notified of it", "its end", told=a_told()),
    "known, critical": Case(
        "has been notified of it",
        "a reminder at 59m10s, if it still fires then",
        incident=CRITICAL,
        told=a_told(severity=Severity.CRITICAL),
    ),
    "known, and acknowledged": Case(
        "has been notified of it",
        'no reminder: acknowledged by ada at -1m: "on it"; then its end',
        incident=CRITICAL,
        told=a_told(severity=Severity.CRITICAL),
        quiet=quiet(acknowledged={FIRING.id: replace(ACK, severity=Severity.CRITICAL)}),
    ),
    "known, and silenced for longer": Case(
        "has been notified of it",
        "a reminder at 2h, if it still fires then",
        incident=CRITICAL,
        told=a_told(severity=Severity.CRITICAL),
        quiet=quiet(silences=(replace(SILENCE, ends_at=NOW + 7200),)),
    ),
    "got worse under a silence": Case(
        'not notified: silenced until 1h by ada ("a big import"), silence 01KAQ2M7C0XJ',
        "that it got worse at 1h, if it still fires then",
        incident=CRITICAL,
        told=a_told(),
        quiet=quiet(silences=(SILENCE,)),
    ),
}


def clock(at: float) -> str:
    """A time as how far it is from NOW."""
    return format_duration(at - NOW)


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_of_every_quiet_case(name: str) -> None:
    case = CASES[name]
    one = JudgedIncident(case.incident, case.verdict, case.about)
    made = Explainer(case.recipient, NOW, case.routing, case.quiet()).explain(one, case.told, case.held_until)
    teller = Teller(case.incident, case.routing, case.needs, clock)
    assert (teller.sentence(made, case.recipient), teller.next(made)) == (case.sentence, case.next)


def test_every_reason_of_a_decision_is_in_the_table() -> None:
    found = set()
    for case in CASES.values():
        one = JudgedIncident(case.incident, case.verdict, case.about)
        made = Explainer(case.recipient, NOW, case.routing, case.quiet()).explain(one, case.told, case.held_until)
        found.add(made.why)
    quiet_words = {"trial", "deploy", "inhibited", "shared", "silenced", "acknowledged", "muted"}
    assert found == {None, "group", *quiet_words, *(why.name.lower() for why in Why if why is not Why.QUIET)}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.held_until is None])
def test_what_is_explained_is_what_a_cycle_decides(name: str) -> None:
    case = CASES[name]
    one = JudgedIncident(case.incident, case.verdict, case.about)
    made = Explainer(case.recipient, NOW, case.routing, case.quiet()).explain(one, case.told)
    loaded = Loaded(notified={} if case.told is None else {(case.incident.id, "ops"): case.told})
    messages, _ = decide_notifications([one], loaded, [case.recipient], "prod", NOW, "watchdog", quiet=case.quiet(), routing=case.routing)
    assert [notice.event for message in messages for notice in message.notices] == ([made.said] if made.said else [])


def test_every_event_has_words() -> None:
    assert set(EVENTS) == set(Event)


@pytest.mark.parametrize(
    ("incident", "sentence"),
    [
        (PENDING, "pending since -1m40s: in breach for 10s of 30s (`for`)"),
        (FIRING, "firing since -1m, for 1m"),
        (replace(FIRING, flapping=True, fires=4), "firing since -1m, for 1m, flapping: fired 4 times"),
        (RECOVERING, "recovering, fired at -1m: quiet for 20s of 1m (`keep_firing_for`)"),
        (OVER, "ended at -5s: recovered; it fired at -1m"),
        (replace(OVER, ended=Ended.CLOSED, closed_by="ada"), "ended at -5s: closed by hand by ada; it fired at -1m"),
        (
            an_incident(State.DROPPED, started_at=NOW - 25, resolved_at=NOW - 5),
            "never fired: in breach at -25s for 20s, less than the 30s of its `for`",
        ),
    ],
)
def test_the_sentence_of_every_state(incident: Incident, sentence: str) -> None:
    assert state_sentence(incident, Needs(30.0, 60.0), NOW, clock) == sentence


def test_a_silence_without_author_and_comment_is_named_alone() -> None:
    found = quiet(silences=(replace(SILENCE, comment="", author=""),))().reason(FIRING)
    assert found is not None
    assert quiet_sentence(found, clock) == "silenced until 1h, silence 01KAQ2M7C0XJ"
