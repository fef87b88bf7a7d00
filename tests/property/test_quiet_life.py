"""All reasons to be quiet together: for every history of breaches, gaps, silences, acknowledgements, deploys, mute windows, causes, groups,
restarts and reloads, nobody hears an end without a beginning, everybody told hears the end once, and nothing stays unsaid for longer than
its group may wait.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.fake_store import FakeStore, Fate
from tests.builders.incidents import a_finding, a_rule
from tests.property.test_notification_life import is_a_story
from watchdog.core.incidents import decide as decide_module
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import FIRE, Event
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.payload import encode
from watchdog.core.incidents.plan import Plan
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Key
from watchdog.core.model.severity import Severity
from watchdog.core.text.times_of_day import DAYS
from watchdog.daemon.handover import Handover, hand_over
from watchdog.store import CachedTarget, Store

FAILING = a_rule("Failing", for_s=0.0, keep_firing_for_s=0.0, summary="", deploy=True)
CAUSE = a_rule("Cause", for_s=15.0, keep_firing_for_s=15.0, summary="", identity="cause", inhibits=("Failing",))
RULES, KEYS = (FAILING, CAUSE), (("indexing",), ("training",))
NAMES = ("ops", "night", "boss")
FLAPPING = Flapping(window_s=600.0, quiet_s=60.0)
WAIT_S, INTERVAL_S, AFTER_S, LONGEST_TURN_S = 20.0, 60.0, 40.0, 20.0


def at_minute(offset: int) -> int:
    """Seconds of the day, so many minutes after the beginning."""
    beginning = datetime.fromtimestamp(NOW, UTC)
    return (beginning.hour * 60 + beginning.minute + offset) % 1440 * 60


MUTED = Window("later", (Span(frozenset(range(len(DAYS))), at_minute(1), at_minute(3), UTC),))
TERMS = Terms(group_wait_s=WAIT_S, group_interval_s=INTERVAL_S, repeat_s=30.0, repeat_most=2)
ROUTINGS = (
    Routing(),
    Routing([
        Route({"boss": replace(TERMS, after_s=AFTER_S)}, goes_on=True),
        Route({"night": replace(TERMS, mutes=(MUTED,)), "ops": replace(TERMS, group_by=("rule", "name"))}),
    ]),
    Routing([Route({"night": TERMS}, parse_matchers("name=indexing")), Route({"ops": TERMS, "boss": TERMS})]),
)  # fmt: skip
"""What a reload may change to."""


FATES = [Fate.DELIVERED, Fate.DELIVERED, Fate.NEVER_ARRIVED, Fate.MAYBE, Fate.CRASHED]


@dataclass(frozen=True)
class Turn:
    """One cycle, `after_s` after the one before (a restart takes longer), and what people and receivers do next."""

    verdicts: tuple[Verdict, ...]
    severities: tuple[Severity, ...]
    after_s: float
    asked: str
    routing: int
    attempts: tuple[tuple[str, Fate], ...]


def turns() -> st.SearchStrategy[list[Turn]]:
    turn = st.builds(
        Turn,
        verdicts=st.tuples(*[st.sampled_from([Verdict.BREACH, Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN])] * 4),
        severities=st.tuples(*[st.sampled_from([Severity.WARNING, Severity.WARNING, Severity.ERROR, Severity.CRITICAL])] * 4),
        after_s=st.sampled_from([10.0, 10.0, LONGEST_TURN_S]),
        asked=st.sampled_from(["", "", "", "silence", "acknowledge", "take back", "deploy"]),
        routing=st.sampled_from([0, 1, 1, 1, 2]),
        attempts=st.lists(
            st.tuples(
                st.sampled_from(NAMES), st.sampled_from([Fate.DELIVERED, Fate.DELIVERED, Fate.NEVER_ARRIVED, Fate.MAYBE, Fate.CRASHED])
            ),
            max_size=4,
        ).map(tuple),
    )
    return st.lists(turn, min_size=1, max_size=14)


@dataclass
class Life:
    """A target over time."""

    store: FakeStore = field(default_factory=FakeStore)
    now: float = NOW
    unsaid_since: dict[tuple[str, str], float] = field(default_factory=dict)
    """(receiver, incident) -> since when it could have been said, and was not."""

    def cycle(self, turn: Turn) -> Plan:
        self.now += turn.after_s
        recipients = tuple(Recipient(name, settings="s1", terms=TERMS) for name in NAMES)
        situation = Situation(a_target(), self.now, recipients, ROUTINGS[turn.routing])
        plan = decide(situation, list(self._judged(turn)), self.store.load(), Seen({}, {}, {}))
        self.store.commit(plan)
        self._ask(turn.asked)
        return plan

    def deliver(self, turn: Turn) -> None:
        for receiver, fate in turn.attempts:
            self.store.deliver(receiver, fate)

    def _judged(self, turn: Turn) -> Iterator[Judgement]:
        for place, rule in enumerate(RULES):
            open_keys = {tuple(one.key.values()) for one in self.store.incidents.values() if one.open and one.rule == rule.name}
            said = [(key, turn.verdicts[2 * place + n], turn.severities[2 * place + n]) for n, key in enumerate(KEYS)]
            yield Judgement(
                rule, tuple(a_finding(v, rule, key, severity=s) for key, v, s in said if v is not Verdict.CLEAR or key in open_keys)
            )

    def _ask(self, what: str) -> None:
        store, until = self.store, self.now + 45.0
        open_ = [one for one in store.incidents.values() if one.open]
        match what:
            case "silence":
                store.silences += (Silence(f"01S{len(store.silences)}", parse_matchers("name=indexing"), self.now, until),)
            case "deploy":
                store.deploys += (Deploy(f"01D{len(store.deploys)}", "v1", ("*",), self.now, until),)
            case "acknowledge":
                store.acknowledged |= {one.id: Acknowledgement(one.id, self.now, one.severity) for one in open_}
            case "take back":
                store.acknowledged.clear()


def lived(history: list[Turn]) -> Life:
    life = Life()
    for turn in history:
        life.cycle(turn)
        life.deliver(turn)
    return life


def clear(after_s: float = 10.0) -> Turn:
    return Turn((Verdict.CLEAR,) * 4, (Severity.WARNING,) * 4, after_s, "", 1, ())


LIVES = settings(max_examples=150, deadline=None)


@LIVES
@given(turns())
def test_everybody_told_hears_a_story_with_one_beginning_and_one_end(history: list[Turn]) -> None:
    life = lived(history)
    for _ in range(4):
        life.cycle(clear())
    for _ in range(3):
        life.store.deliver_all(NAMES)
        life.cycle(clear(INTERVAL_S + 10.0))
    life.store.deliver_all(NAMES)
    for (receiver, incident), notices in life.store.heard.items():
        told: list[Event] = [notice.event for notice in notices if notice.event is not Event.REMINDER]
        assert is_a_story(told), (receiver, incident, told)
        assert told[-1] is Event.RESOLVED, (receiver, incident, told)


@LIVES
@given(turns())
def test_nothing_that_may_be_said_is_unsaid_for_longer_than_its_group_may_wait(history: list[Turn]) -> None:
    """What fires, and is not to be kept from a receiver, is told to it, or waits to be sent, within the time of its group and a cycle."""
    life = Life()
    for turn in history:
        quietly = replace_asked(turn)
        life.cycle(quietly)
        waiting = {(m.message.receiver, n.incident) for m in life.store.outbox if m.state == "waiting" for n in m.message.notices}
        known = {key for key, told in life.store.told().items() if told.event in FIRE}
        causes = {tuple(one.key.values()) for one in life.store.incidents.values() if one.rule == CAUSE.name and one.open}
        live = {
            (name, one.id)
            for one in life.store.incidents.values()
            for name in ("ops", "boss")
            if one.state is State.FIRING
            and breaches(one.rule, tuple(one.key.values()), quietly)
            and not explained(one.rule, one.key, causes)
        }
        unsaid = live - waiting - known
        life.unsaid_since = {key: life.unsaid_since.get(key, life.now) for key in unsaid}
        assert all(life.now - since <= max(WAIT_S, AFTER_S, INTERVAL_S) + LONGEST_TURN_S for since in life.unsaid_since.values())
        life.deliver(quietly)


def replace_asked(turn: Turn) -> Turn:
    """The same without requests, and with the same routes throughout: what remains can only be kept by its group or its cause."""
    return Turn(turn.verdicts, turn.severities, turn.after_s, "", 1, tuple((name, Fate.DELIVERED) for name, _ in turn.attempts))


def breaches(rule: str, key: Key, turn: Turn) -> bool:
    place = 0 if rule == FAILING.name else 2
    return turn.verdicts[place + KEYS.index((str(key[0]),))] is Verdict.BREACH


def explained(rule: str, key: object, causes: set[tuple[str, ...]]) -> bool:
    return rule == FAILING.name and tuple(key.values()) in causes  # type: ignore[attr-defined]  # a mapping


@LIVES
@given(turns())
def test_while_a_silence_a_deploy_or_an_acknowledgement_holds_no_fire_is_said(history: list[Turn]) -> None:
    life = Life()
    for turn in history:
        silenced = [one for one in life.store.silences if one.covers(life.now + turn.after_s)]
        deployed = [one for one in life.store.deploys if one.covers(life.now + turn.after_s)]
        acknowledged = dict(life.store.acknowledged)
        for message in life.cycle(turn).messages:
            for notice in message.notices:
                if notice.event is Event.RESOLVED:
                    continue
                assert not (silenced and notice.key["name"] == "indexing")
                assert not (deployed and notice.rule == FAILING.name)
                known = acknowledged.get(notice.incident)
                assert known is None or notice.severity.rank > known.severity.rank
        life.deliver(turn)


@LIVES
@given(turns())
def test_no_message_is_about_two_groups_and_a_group_is_of_one_receiver_and_rule(history: list[Turn]) -> None:
    life = lived([replace_asked(turn) for turn in history])
    rules: dict[tuple[str, str], set[str]] = {}
    for entry in life.store.outbox:
        rules.setdefault((entry.message.receiver, entry.message.group_id), set()).update(n.rule for n in entry.message.notices)
    assert all(name and len(found) == 1 for (_, name), found in rules.items())


# --- restarts ---------------------------------------------------------------------------------------------------------


def told_by(path: Path, history: list[Turn], *, restarts: bool) -> list[tuple[str, list[tuple[str, Event, int]]]]:
    """What a real database makes of a history; with a restart before each cycle: all that is in memory is gone."""
    recipients = tuple(Recipient(name, settings="s1", terms=TERMS) for name in NAMES)
    handover = Handover(recipients, frozenset({"prod"}), "watchdog", {}, {})
    store, kept, now = Store.open(path), CachedTarget(), NOW
    store._file.connection().execute("PRAGMA synchronous = OFF")
    said: list[tuple[str, list[tuple[str, Event, int]]]] = []
    for turn in history:
        now += turn.after_s
        if restarts:
            store.close()
            store, kept = Store.open(path), CachedTarget()
            store._file.connection().execute("PRAGMA synchronous = OFF")
            hand_over(store, handover, now)
        with store.cycle() as transaction:
            loaded = transaction.load("prod", kept, FLAPPING.window(now))
            assert loaded == transaction.load("prod", CachedTarget(), FLAPPING.window(now))
            life = Life(FakeStore(incidents={one.id: one for one in loaded.open}))
            situation = Situation(a_target(), now, recipients, ROUTINGS[1], flapping=FLAPPING)
            judged = list(life._judged(turn))
            plan = decide(situation, judged, loaded, Seen({}, {}, {}))
            with patch.object(decide_module, "_lasts", lambda *_: False):
                assert plan == decide(situation, judged, loaded, Seen({}, {}, {}))  # step by step, the same is decided
            transaction.commit(plan)
        ask(store, turn.asked, now)
        said += [(m.receiver, [(n.incident, n.event, n.sequence) for n in m.notices]) for m in plan.messages]
        for receiver, _ in turn.attempts:
            claimed = store.claim(receiver, now, "s1", encode)
            if claimed is not None:
                store.settle(claimed.message.id, Delivered(), now)
    store.close()
    return said


def ask(store: Store, what: str, now: float) -> None:
    open_ = [one.id for one in store.incidents()]
    match what:
        case "silence":
            store.add_silence(Silence(f"01S{now:.0f}", parse_matchers("name=indexing"), now, now + 45.0))
        case "deploy":
            store.start_deploy(Deploy(f"01D{now:.0f}", "v1", ("*",), now, now + 45.0))
        case "acknowledge" if open_:
            store.acknowledge(open_, "", "ann", now)


@settings(max_examples=25, deadline=None)
@given(turns())
def test_a_restart_before_every_cycle_changes_no_message(history: list[Turn]) -> None:
    with tempfile.TemporaryDirectory(prefix="watchdog-test-") as folder:
        path = Path(folder)
        assert told_by(path / "on.db", history, restarts=False) == told_by(path / "again.db", history, restarts=True)
