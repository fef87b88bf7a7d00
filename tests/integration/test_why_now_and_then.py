"""Whatever `watchdog why` says now, `--at` says of the same moment later, when all of it is over, or that it is not kept.

A reason that is added without that fails here: every word has a story, and both ask for the same origins of reasons.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_notice, a_rule, an_incident
from tests.builders.outbox import attempt, commit, plan
from watchdog.core.incidents.explain.explained import GROUP
from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered, Refused
from watchdog.core.incidents.quiet import reasons
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING
from watchdog.core.incidents.quiet.matchers import Matcher
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Routing, Terms
from watchdog.core.incidents.wanted import Why
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.core.rules.overrides import Tuned
from watchdog.core.text.times_of_day import DAYS
from watchdog.status.why import stored
from watchdog.status.why.case import Told
from watchdog.status.why.stored import Stored
from watchdog.status.why.today import Today
from watchdog.store import Store

BEGAN = NOW - 60
FIRING = an_incident(started_at=BEGAN, fired_at=BEGAN)
CAUSE = replace(FIRING, id="01CAUSE", fingerprint="c", rule="BrokerUnreachable", key={}, inhibits=(FIRING.rule,))
TWIN = replace(FIRING, id="01TWIN", fingerprint="t", target="staging", server="redis://10.0.0.1", started_at=BEGAN - 5, fired_at=BEGAN - 5)
OPS = Recipient("ops", settings="s1")
ALWAYS = Window("always", (Span(frozenset(range(len(DAYS))), 0, 0, UTC),))
SILENCE = Silence("01SILENCE", (Matcher("rule", "=", FIRING.rule),), BEGAN - 5, NOW + 3600)
FIRST = a_message(a_notice(FIRING), created_at=BEGAN)


class Story(Struct, frozen=True):
    """What is true at `NOW`."""

    incidents: tuple[Incident, ...] = (FIRING,)
    recipient: Recipient = OPS
    before: Callable[[Store], object] = lambda _: None
    after: Callable[[Store], object] = lambda _: None
    """What else happens between `NOW` and the question."""
    reads: str = "queues"
    then_says: str = ""
    """Part of the sentence of later, where what decides is not kept."""


def told(outcome: Delivered | Refused) -> Callable[[Store], object]:
    def happened(store: Store) -> None:
        commit(store, plan(FIRST, at=BEGAN))
        attempt(store, outcome, now=BEGAN)

    return happened


def later(store: Store) -> None:
    commit(store, plan(replace(FIRST, created_at=NOW + 20), at=NOW + 20))


STORIES: Mapping[str, Story] = {
    "trial": Story((replace(FIRING, trial=True),)),
    "deploy": Story(
        (replace(FIRING, deploy=True),),
        before=lambda store: store.start_deploy(Deploy("01DEPLOY", "v512", ("prod",), BEGAN - 5, NOW + 600)),
        after=lambda store: store.end_deploy("v512", NOW + 10),
    ),
    "inhibited": Story((FIRING, CAUSE)),
    "shared": Story((replace(FIRING, server=TWIN.server), TWIN)),
    "silenced": Story(
        before=lambda store: store.add_silence(SILENCE),
        after=lambda store: store.expire_silence(SILENCE.id, NOW + 10),
    ),
    "acknowledged": Story(
        before=lambda store: store.acknowledge([FIRING.id], "on it", "ada", NOW - 10),
        after=lambda store: store.take_back_acknowledgements([FIRING.id], "ada", NOW + 10),
    ),
    "muted": Story(recipient=replace(OPS, terms=Terms(mutes=(ALWAYS,)))),
    "not_firing": Story((replace(FIRING, state=State.PENDING, fired_at=None),)),
    "not_seen": Story((replace(FIRING, verdict=Verdict.UNKNOWN.value),), then_says="if it could be seen"),
    "itself": Story((replace(FIRING, target=SELF, key={"name": "ops"}),), reads="receivers"),
    "not_routed": Story(recipient=replace(OPS, min_severity=Severity.CRITICAL)),
    "later": Story(recipient=replace(OPS, terms=Terms(after_s=900.0))),
    "refused": Story(before=told(Refused("400"))),
    "known": Story(before=told(Delivered())),
    GROUP: Story(recipient=replace(OPS, terms=Terms(group_wait_s=80.0)), after=later),
}
OF_ENDS = {Why.NEVER_NOTIFIED, Why.NOTIFIED_OF_END}
"""Said of what is over, which is shown as it was when it fired."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "watchdog.db") as opened:
        yield opened


def answers(store: Store, story: Story) -> tuple[Told, Told]:
    """What is said at `NOW`, and of `NOW` once all is over."""
    for one in story.incidents:
        moves = [Transition(one.id, one.started_at, "", "pending", ""), Transition(one.id, one.started_at, "pending", "firing", "")]
        made = moves[:1] if one.state is State.PENDING else moves
        commit(store, replace(plan(at=NOW, target=one.target), incidents=(one,), transitions=tuple(made)))
    story.before(store)
    mine = story.incidents[0]
    now = asked(store, story).open_now(mine, NOW, "").told[0]
    story.after(store)
    for one in story.incidents:
        state = State.DROPPED if one.state is State.PENDING else State.RESOLVED
        over = replace(one, state=state, ended=Ended.RECOVERED, resolved_at=NOW + 60, verdict="")
        made = [Transition(one.id, NOW + 60, one.state.value, state.value, "")]
        commit(store, replace(plan(at=NOW + 60, target=one.target), incidents=(over,), transitions=tuple(made)))
    cases, _ = asked(store, story).at(mine.rule, [mine.target], lambda _: True, NOW)
    return now, cases[0].told[0]


def asked(store: Store, story: Story) -> Stored:
    tuned = {rule: Tuned(a_rule(rule, reads={story.reads: frozenset({"up"})}, for_s=600.0)) for rule in (FIRING.rule, CAUSE.rule)}
    targets = ("prod", "staging", SELF)
    servers = dict.fromkeys(targets, (TWIN.server,))
    today = Today((story.recipient,), Routing(), NEVER_FLAPPING, dict.fromkeys(targets, tuned), dict.fromkeys(targets, 10.0), servers)
    return Stored(store, today, str)


def test_every_word_has_a_story() -> None:
    words = {*reasons.WORDS, *(why.name.lower() for why in Why if why is not Why.QUIET and why not in OF_ENDS), GROUP}
    assert set(STORIES) == words


@pytest.mark.parametrize("word", [word for word, story in STORIES.items() if not story.then_says])
def test_the_reason_of_now_is_the_reason_of_then(store: Store, word: str) -> None:
    now, then = answers(store, STORIES[word])
    assert (now.explained.why, then.explained.why) == (word, word)


@pytest.mark.parametrize("word", [word for word, story in STORIES.items() if story.then_says])
def test_what_is_not_kept_is_said_to_be_unknown(store: Store, word: str) -> None:
    now, then = answers(store, STORIES[word])
    assert (now.explained.why, STORIES[word].then_says in then.sentence) == (word, True)


def test_a_cause_that_nobody_saw_or_heard_of_holds_nothing_back_and_then_it_is_not_known(store: Store) -> None:
    now, then = answers(store, Story((FIRING, replace(CAUSE, verdict=Verdict.UNKNOWN.value))))
    unless = "; unless nobody could see BrokerUnreachable then, of which this receiver never heard"
    assert (now.explained.said, then.explained.why, then.sentence.endswith(unless)) == (Event.FIRST, "inhibited", True)


def test_a_cause_that_the_receiver_heard_of_holds_back_seen_or_not(store: Store) -> None:
    heard = a_message(a_notice(CAUSE), created_at=BEGAN)
    story = Story((FIRING, CAUSE), before=lambda one: commit(one, plan(heard, at=BEGAN)))
    now, then = answers(store, story)
    assert now.sentence == then.sentence


def test_a_receiver_that_is_still_switched_off_was_so_then(store: Store) -> None:
    now, then = answers(store, Story(before=told(Refused("410", gone=True))))
    assert ("switched off" in now.sentence, "switched off" in then.sentence) == (True, True)


def test_the_announcement_of_a_silence_was_for_those_who_ask_for_it(store: Store) -> None:
    announcing = replace(FIRING, id="01TOLD", rule="Silenced", target=SELF, key={"id": SILENCE.id})
    story = Story((announcing,), recipient=replace(OPS, tell_silences=True), before=lambda one: one.add_silence(SILENCE), after=later)
    now, then = answers(store, story)
    assert (now.explained.said, then.explained.why == "not_routed") == (Event.FIRST, False)


def test_now_and_then_ask_for_every_origin_of_reasons(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new argument of `Quiet` that one of them does not give would be a reason that it does not know."""
    given: list[set[str]] = []

    class Spied(reasons.Quiet):
        def __init__(self, *args: object, **named: object) -> None:
            given.append(set(inspect.signature(reasons.Quiet).bind(*args, **named).arguments))
            super().__init__(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(stored, "Quiet", Spied)
    answers(store, Story())
    assert [set(inspect.signature(reasons.Quiet).parameters) - one for one in given] == [set()] * len(given)
