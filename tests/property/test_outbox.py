"""Any order of fires, ends, cycles, answers and crashes: each receiver hears each story once and in order, and nothing is lost."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.outbox import T0, incident, over, plan
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event, Message
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.payload import encode
from watchdog.core.incidents.routing import Recipient
from watchdog.core.incidents.wanted import JudgedIncident
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.store import Claimed, Store
from watchdog.store.outbox.notification_log import recount_all
from watchdog.store.records import TOLD_COLUMNS

TOLD = f"SELECT {', '.join(TOLD_COLUMNS)} FROM told ORDER BY incident, receiver"  # without the mark of the write
RECEIVERS = ("ops", "dev")
ARRIVES = {"delivered", "answer lost", "crash after"}
OUTCOMES: dict[str, Outcome] = {
    "delivered": Delivered("200"),
    "answer lost": Later("timeout"),
    "failed": Later("503"),
    "never arrived": Later("connection refused", never_arrived=True),
    "refused": Refused("404"),
    "gone": Refused("410", gone=True),
    "too large": Refused("413", too_large=True),
}
FATES = (*OUTCOMES, "crash before", "crash after")

Step = tuple[str, ...]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.sampled_from([("fire",), ("grow", "0"), ("grow", "1"), ("end", "0"), ("end", "1"), ("end", "2")]),
    st.tuples(st.just("attempt"), st.sampled_from(FATES), st.sampled_from(FATES)),
    st.tuples(st.just("attempt"), st.sampled_from(FATES), st.sampled_from(FATES)),
    st.sampled_from([("cycle", "breach"), ("cycle", "unknown"), ("wait", "2"), ("wait", "60"), ("wait", "-5"), ("mend", "ops")]),
    st.sampled_from([("retry",), ("rename",)]),
)


class World:
    """A target with incidents, a store, and two receivers that keep what reached them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "watchdog.db"
        self.store = self.opened()
        self.now = T0
        self.incidents: list[Incident] = []
        self.unwritten: set[str] = set()
        self.version = dict.fromkeys(RECEIVERS, 0)
        self.heard: dict[str, dict[str, Message]] = {receiver: {} for receiver in RECEIVERS}
        self.bodies: dict[str, bytes] = {}

    def opened(self) -> Store:
        store = Store.open(self.path)
        store._file.connection().execute("PRAGMA synchronous = OFF")
        return store

    def settings(self, receiver: str) -> str:
        return f"{receiver}-{self.version[receiver]}"

    def do(self, step: Step) -> None:
        match step:
            case ("fire",):
                self.incidents.append(replace(incident(f"{len(self.incidents):03}", started_at=self.now), description="What it means."))
                self.unwritten.add(self.incidents[-1].id)
                self.cycle(Verdict.BREACH)
            case ("grow" | "end" as what, which):
                self.change(what, int(which))
                self.cycle(Verdict.BREACH)
            case ("cycle", verdict):
                self.cycle(Verdict(verdict))
            case ("attempt", *fates):
                for receiver, fate in zip(RECEIVERS, fates, strict=True):
                    self.attempt(receiver, fate)
            case ("wait", seconds):
                self.now += float(seconds)
            case ("mend", receiver):
                self.version[receiver] += 1
            case ("retry",):
                self.store.retry([letter.id for letter in self.store.outbox_shown().messages], self.now)
            case ("rename",):
                with self.store.cycle() as transaction:  # there and back again: what was told goes along
                    transaction.rename_receiver("ops", "crew")
                    transaction.rename_receiver("crew", "ops")

    def change(self, what: str, which: int) -> None:
        if which < len(self.incidents) and self.incidents[which].open:
            before = self.incidents[which]
            self.incidents[which] = over(before, self.now) if what == "end" else replace(before, severity=Severity.CRITICAL)
            self.unwritten.add(before.id)

    def cycle(self, verdict: Verdict) -> None:
        with self.store.cycle() as transaction:
            loaded = transaction.load("prod")
            judged = [JudgedIncident(i, verdict) for i in self.incidents if i.open or i.id in self.unwritten]
            judged += [JudgedIncident(i, Verdict.NONE) for i in loaded.unsettled]
            recipients = [Recipient(receiver, settings=self.settings(receiver)) for receiver in RECEIVERS]
            messages, withdrawn = decide_notifications(judged, loaded, recipients, "prod", self.now, "watchdog")
            written = [i for i in self.incidents if i.id in self.unwritten]
            transaction.commit(plan(*messages, incidents=written, withdrawn=withdrawn, at=self.now))
        self.unwritten.clear()
        self.now += 0.001  # no two cycles are at one time

    def attempt(self, receiver: str, fate: str) -> None:
        """The next attempt, as soon as it is due, and what becomes of it."""
        self.now = max(self.now, self.store.next_due(receiver, self.now) or 0.0)
        claimed = self.store.claim(receiver, self.now, self.settings(receiver), encode)
        if claimed is None:
            return
        known = claimed.message.id in self.heard[receiver]
        if known and fate in ("refused", "gone", "too large"):
            fate = "delivered"  # who accepted an id says yes to its repeat
        self.check_frozen(claimed, fate)
        if fate in ARRIVES and not known:
            self.heard[receiver][claimed.message.id] = claimed.message
            self.check_stories()
        if fate in OUTCOMES:
            self.store.settle(claimed.message.id, OUTCOMES[fate], self.now)
        else:
            self.store.close()
            self.store = self.opened()
            assert self.store.recover() == 1
        self.check_log()

    def check_frozen(self, claimed: Claimed, fate: str) -> None:
        """What may have arrived is never sent with another body."""
        name = claimed.message.id
        assert self.bodies.get(name, claimed.body) == claimed.body
        if fate != "never arrived":
            self.bodies[name] = claimed.body

    def stories(self) -> dict[tuple[str, str], list[Event]]:
        told: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for receiver, messages in self.heard.items():
            for message in messages.values():
                for notice in message.notices:
                    told[receiver, notice.incident].append(notice.event)
        return told

    def check_log(self) -> None:
        """What was noted message by message is what counting all messages says."""
        with self.store._file.writing() as connection:
            noted = connection.execute(TOLD).fetchall()
            for receiver in RECEIVERS:
                recount_all(connection, receiver)
            assert noted == connection.execute(TOLD).fetchall()

    def check_stories(self) -> None:
        """One beginning, at most one end, and each event under one id."""
        for story in self.stories().values():
            assert story[0] is Event.FIRST
            assert len(set(story)) == len(story)
            assert Event.RESOLVED not in story[:-1]

    def heal(self) -> None:
        """Receivers are fixed and answer; a few cycles later everything has been sent."""
        for receiver in RECEIVERS:
            self.version[receiver] += 1
        for _ in range(3):
            self.now += 61.0  # what joins a group that was told waits for a minute
            self.cycle(Verdict.BREACH)
            for receiver in RECEIVERS:
                while self.store.next_due(receiver, self.now) is not None:
                    self.attempt(receiver, "delivered")


@contextmanager
def a_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="watchdog-test-") as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            world.store.close()


@given(st.lists(STEPS, min_size=10, max_size=80))
@settings(max_examples=200, deadline=None)
def test_each_receiver_hears_each_story_once_and_in_order_and_nothing_is_lost(script: list[Step]) -> None:
    with a_world() as world:
        for step in [("fire",), *script]:
            world.do(step)
        world.heal()
        told = world.stories()
        for receiver in RECEIVERS:
            for one in world.incidents:
                story = told.get((receiver, one.id), [])
                if one.open:
                    assert story[:1] == [Event.FIRST], f"{receiver} was never notified of {one.id}"
                assert not story or (story[-1] is Event.RESOLVED) is not one.open
