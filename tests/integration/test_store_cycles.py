import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import fields, replace
from structlog.testing import capture_logs

from tests.builders.outbox import T0, attempt, commit, incident, load, message, notice, opened, over, plan, unfinished_targets
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.messages import Event, Notified
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.plan import Plan
from watchdog.core.model.rows import Sample
from watchdog.core.model.servers.timings import Came, Timing
from watchdog.core.model.severity import Severity
from watchdog.core.model.sketch import Sketch
from watchdog.store import NotFoundError, Store, StoreError
from watchdog.store.postgresql.database import PostgresDatabase
from watchdog.store.sql import DatabasePlace
from watchdog.store.sqlite.database import DatabaseFile

DAY = 86400.0


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def told(store: Store, name: str = "A") -> Notified | None:
    return load(store).notified.get((incident(name).id, "ops"))


# --- incidents ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.PENDING, State.FIRING, State.RECOVERING])
def test_an_open_incident_comes_back_as_it_was_written(store: Store, state: State) -> None:
    commit(store, plan(incidents=[incident(state=state)]))
    assert load(store).open == (incident(state=state),)


def test_a_changed_incident_replaces_the_one_before(store: Store) -> None:
    worse = replace(incident(), severity=Severity.CRITICAL, held_s=30.0, values={"length": 900.0})
    commit(store, plan(incidents=[incident()]), plan(incidents=[worse]))
    assert load(store).open == (worse,)


def test_names_that_are_no_text_are_kept_as_text(store: Store) -> None:
    commit(store, plan(incidents=[replace(incident(), key={"name": "\udc80"}, summary="\udc80 and \x00")]))
    [found] = load(store).open
    nul = "\x00" if isinstance(store.path, Path) else "\\x00"  # PostgreSQL keeps none in a text
    assert (found.key, found.summary) == ({"name": "\udc80"}, f"\\udc80 and {nul}")


def test_other_targets_are_not_loaded_but_are_known(store: Store) -> None:
    commit(store, plan(incidents=[incident("A", target="staging")], target="staging"))
    assert load(store).open == ()
    assert unfinished_targets(store) == {"staging"}


def test_a_target_whose_incidents_ended_has_none_open(store: Store) -> None:
    commit(store, plan(incidents=[incident()]), plan(incidents=[over(incident())]))
    assert load(store).open == ()
    assert unfinished_targets(store) == frozenset()


def test_the_time_of_the_cycle_before_is_the_targets_own(store: Store) -> None:
    commit(store, plan(at=T0), plan(at=T0 + 10), plan(at=T0 + 99, target="staging"))
    assert (load(store).previous_cycle_at, load(store, "new").previous_cycle_at) == (T0 + 10, None)


def test_an_exception_inside_a_cycle_leaves_nothing_written(store: Store) -> None:
    def fails() -> None:
        with store.cycle() as transaction:
            transaction.commit(plan(message("1"), incidents=[incident()]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert load(store).open == ()
    assert load(store).waiting == ()


def test_there_is_a_column_for_every_field_of_an_incident(store: Store) -> None:
    commit(store, plan(incidents=[incident()]))
    columns = set(store._file.connection().execute("SELECT * FROM incidents").fetchone().keys())
    about_its_writes = {"change", "mark"}
    assert columns == {*(field.name for field in fields(Incident)), *about_its_writes}


def test_open_incidents_are_found_by_their_index(tmp_path: Path) -> None:
    from watchdog.store.cycles import _OPEN

    with opened(tmp_path) as store:
        rows = store._file.connection().execute(f"EXPLAIN QUERY PLAN {_OPEN}", ("prod",)).fetchall()
    [step] = [row["detail"] for row in rows if "SEARCH" in row["detail"]]
    assert "incidents_open" in step


# --- what receivers were told -------------------------------------------------------------------------------------------


def test_nobody_was_told_what_only_waits(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    assert told(store) is None
    assert [waiting.id for waiting in load(store).waiting] == ["01MESSAGE1"]


def test_a_waiting_message_comes_back_as_it_was_written(store: Store) -> None:
    given = replace(message("1", notice("A"), notice("B", Event.RESOLVED, 2)), not_before=T0 + 5, since=T0 - 5, service="pager")
    commit(store, plan(given))
    assert load(store).waiting == (given,)


def test_a_claim_tells(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    store.claim("ops", T0 + 1, "s1", lambda _: b"body")
    assert told(store) == Notified(incident().id, "ops", Event.FIRST, Severity.WARNING, 1, T0 + 1, None, "s1")
    assert load(store).waiting == ()


def test_what_certainly_never_arrived_was_not_told_and_may_be_merged_again(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Later("refused", never_arrived=True))
    assert told(store) is None
    assert len(load(store).waiting) == 1


def test_what_may_have_arrived_stays_told_and_frozen(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Later("timeout"))
    assert told(store) is not None
    assert load(store).waiting == ()


def test_a_refused_beginning_leaves_the_incident_untold(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Refused("404"), now=T0 + 3)
    assert told(store) == Notified(incident().id, "ops", None, Severity.WARNING, 0, T0 + 3, Event.FIRST, "s1")


def test_a_refused_escalation_leaves_the_beginning_told(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Delivered())
    commit(store, plan(message("2", notice("A", Event.ESCALATED, 2, Severity.CRITICAL))))
    attempt(store, Refused("413"), now=T0 + 3)
    assert told(store) == Notified(incident().id, "ops", Event.FIRST, Severity.WARNING, 1, T0 + 3, Event.ESCALATED, "s1")


def test_what_is_told_after_a_refusal_takes_it_back(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Refused("404"))
    commit(store, plan(message("2")))
    attempt(store, Delivered(), settings="s2")
    assert told(store) == Notified(incident().id, "ops", Event.FIRST, Severity.WARNING, 1, T0, None, "s2")


def test_an_ended_incident_is_owed_until_its_end_may_have_arrived(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Delivered())
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2)), incidents=[over(incident())]))
    assert load(store).unsettled == (over(incident()),)
    attempt(store, Delivered())
    assert load(store).unsettled == ()


def test_a_refused_end_is_owed_still_with_what_refused_it(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Delivered())
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2)), incidents=[over(incident())]))
    attempt(store, Refused("404"))
    assert load(store).unsettled == (over(incident()),)
    assert told(store) == Notified(incident().id, "ops", Event.FIRST, Severity.WARNING, 1, T0, Event.RESOLVED, "s1")


def test_an_ended_incident_nobody_was_told_of_is_owed_only_while_a_message_mentions_it(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]), plan(incidents=[over(incident())]))
    assert load(store).unsettled == (over(incident()),)
    commit(store, plan(withdrawn=["01MESSAGE1"]))
    assert load(store).unsettled == ()


def test_what_was_dropped_is_owed_to_nobody(store: Store) -> None:
    commit(store, plan(incidents=[incident(state=State.DROPPED)]))
    assert load(store).unsettled == ()


def test_a_message_that_left_cannot_be_withdrawn_and_nothing_else_of_the_plan_is_written(store: Store) -> None:
    commit(store, plan(message("1")))
    store.claim("ops", T0, "s1", lambda _: b"body")
    with pytest.raises(StoreError, match="01MESSAGE1 was to be withdrawn"):
        commit(store, plan(message("2"), withdrawn=["01MESSAGE1"], at=T0 + 10))
    assert load(store).waiting == ()
    assert load(store).previous_cycle_at == T0


# --- memories and samples -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remembered:
    seen: Mapping[tuple[str, str], float] = field(default_factory=dict)
    oldest_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Changed:
    seen: int


def test_a_memory_comes_back_as_its_type(store: Store) -> None:
    memory = Remembered({("a", "b"): 1.0})
    commit(store, replace(plan(), memories={"queues": memory}))
    assert store.load_memories("prod", {"queues": Remembered, "workers": Remembered}) == {"queues": memory}


def test_only_the_memories_that_a_plan_gives_are_written(store: Store) -> None:
    commit(store, replace(plan(), memories={"queues": Remembered()}), plan())
    assert store.load_memories("prod", {"queues": Remembered}) == {"queues": Remembered()}


def test_a_memory_that_no_longer_reads_is_dropped_and_logged(store: Store) -> None:
    commit(store, replace(plan(), memories={"queues": Remembered()}))
    with capture_logs() as logs:
        assert store.load_memories("prod", {"queues": Changed}) == {}
    assert [log["event"] for log in logs] == ["memory_dropped"]


def test_a_memory_that_cannot_be_written_costs_no_cycle(store: Store) -> None:
    with capture_logs() as logs:
        commit(store, replace(plan(incidents=[incident()]), memories={"queues": object()}))
    assert [log["event"] for log in logs] == ["memory_not_kept"]
    assert len(load(store).open) == 1


def sampled(at: float, keep_s: float = 900.0) -> Plan:
    return replace(plan(at=at), samples={"queues": Sample(at, {"celery": (1.0, None, float("inf"))})}, keep_samples_s=keep_s)


def test_samples_come_back_oldest_first(store: Store) -> None:
    commit(store, sampled(T0), sampled(T0 + 10), sampled(T0 + 20))
    found = store.load_samples("prod", T0 + 10)["queues"]
    assert found == tuple(Sample(T0 + at, {"celery": (1.0, None, float("inf"))}) for at in (10, 20))


def test_a_sample_comes_back_with_the_runs_that_were_heard(store: Store) -> None:
    timing = Timing(2, Sketch(3.0, 1, {27: 1}), Sketch(0.5, 0, {-17: 2}), (Came("mails", 1, Sketch(2.5, 0, {23: 1})), Came(None, 1)))
    heard = Sample(T0, {"shop.mail": (2.0,)}, T0 - 10, {"shop.mail": timing})
    commit(store, replace(plan(at=T0), samples={"tasks": heard}))
    assert store.load_samples("prod", T0)["tasks"] == (heard,)


def test_samples_older_than_the_plan_keeps_go(store: Store) -> None:
    commit(store, sampled(T0), sampled(T0 + 100, keep_s=50))
    assert [sample.at for sample in store.load_samples("prod", 0)["queues"]] == [T0 + 100]


def test_samples_of_a_clock_that_ran_ahead_go(store: Store) -> None:
    commit(store, sampled(T0 + 3600), sampled(T0))
    assert [sample.at for sample in store.load_samples("prod", 0)["queues"]] == [T0]


# --- what people read ---------------------------------------------------------------------------------------------------


def test_incidents_are_the_open_ones_and_those_that_ended_since(store: Store) -> None:
    old, recent = over(incident("B"), T0 - DAY), over(incident("C"), T0)
    commit(store, plan(incidents=[incident("A"), old, recent, incident("D", state=State.DROPPED)]))
    assert store.incidents() == (incident("A"),)
    assert store.incidents(ended_since=T0 - 60) == (incident("A"), recent)


@pytest.mark.parametrize("named", ["01INCIDENTA", "01incidenta", "01INC", " 01INCIDENTA ", "f00da"])
def test_an_incident_is_found_by_id_beginning_or_fingerprint(store: Store, named: str) -> None:
    commit(store, plan(incidents=[incident("A")]))
    assert store.show(named).incident == incident("A")


def test_an_incident_is_shown_with_its_moves_and_messages(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    attempt(store, Later("503: busy"))
    shown = store.show(incident().id)
    assert [(move.after, move.reason) for move in shown.transitions] == [("firing", "breach")]
    [told_of] = shown.messages
    assert (told_of.receiver, told_of.event, told_of.state, told_of.attempts, told_of.last_error) == (
        "ops",
        Event.FIRST,
        "waiting",
        1,
        "503: busy",
    )


@pytest.mark.parametrize(("named", "said"), [("01INC", "several incidents begin with"), ("zz", 'no incident "zz"'), ("", 'no incident ""')])
def test_none_or_several_fitting_incidents_are_an_error_that_says_so(store: Store, named: str, said: str) -> None:
    commit(store, plan(incidents=[incident("A"), incident("B")]))
    with pytest.raises(NotFoundError, match=said):
        store.show(named)


def test_an_outbox_is_counted_since_its_last_delivery(store: Store) -> None:
    commit(store, plan(*(message(name, notice(name), at=T0 + at) for at, name in enumerate("ABCDE"))))
    outcomes: list[Outcome] = [Refused("404"), Delivered(), Refused("404")]
    for at, outcome in enumerate(outcomes):
        attempt(store, outcome, now=T0 + 10 + at)
    [seen] = store.receivers_seen()
    assert (seen.name, seen.pending, seen.oldest_at, seen.dead, seen.last_ok_at) == ("ops", 2, T0 + 3, 1, T0 + 11)


def test_what_was_refused_counts_while_it_burns_whatever_was_delivered_since(store: Store) -> None:
    burning, other = incident("A"), incident("B")
    commit(store, plan(message("1", notice(burning)), message("2", notice(other), at=T0 + 1), incidents=[burning, other]))
    attempt(store, Refused("400"), now=T0 + 10)
    attempt(store, Delivered(), now=T0 + 11)
    lost = store.receivers_seen()[0].dead
    commit(store, plan(incidents=[over(burning)], at=T0 + 60))
    assert (lost, store.receivers_seen()[0].dead) == (1, 0)


def test_an_end_that_was_refused_counts_until_somebody_deals_with_it(store: Store) -> None:
    burning, other = incident("A"), incident("B")
    commit(store, plan(message("1", notice(burning)), incidents=[burning, other]))
    attempt(store, Delivered(), now=T0 + 10)
    ends = [message("2", notice(burning, Event.RESOLVED, 2)), message("3", notice(other), at=T0 + 61)]
    commit(store, plan(*ends, incidents=[over(burning)], at=T0 + 60))
    attempt(store, Refused("400"), now=T0 + 70)
    attempt(store, Delivered(), now=T0 + 71)
    assert store.receivers_seen()[0].dead == 1


def test_a_receiver_that_never_delivered_counts_all_its_dead_letters(store: Store) -> None:
    commit(store, plan(message("1")))
    attempt(store, Refused("404"))
    [seen] = store.receivers_seen()
    assert (seen.pending, seen.dead, seen.last_ok_at) == (0, 1, None)


def test_the_database_has_a_size(store: Store) -> None:
    assert store.database_bytes() > 4096


# --- retention ----------------------------------------------------------------------------------------------------------


def burned_out(store: Store) -> None:
    """A: notified and over. B: notified and open. C: over, its end refused. D: over, its beginning still waits."""
    a, b, c, d = (incident(name) for name in "ABCD")
    commit(store, plan(message("1", notice(a)), message("2", notice(b)), message("3", notice(c)), incidents=[a, b, c, d]))
    for _ in range(3):
        attempt(store, Delivered())
    ends = [message("4", notice(a, Event.RESOLVED, 2)), message("5", notice(c, Event.RESOLVED, 2))]
    commit(store, plan(*ends, incidents=[over(a), over(c)]))
    attempt(store, Delivered())
    attempt(store, Refused("404"))
    commit(store, plan(message("6", notice(d)), incidents=[over(d)]))


def test_retention_takes_what_ended_long_ago(store: Store) -> None:
    burned_out(store)
    assert store.retention(T0 + 31 * DAY) == 1
    with pytest.raises(NotFoundError):
        store.show(incident("A").id)
    assert store._file.connection().execute("SELECT count(*) FROM transitions WHERE incident = ?", (incident("A").id,)).fetchone()[0] == 0


def test_retention_leaves_what_is_open_with_what_was_told_of_it(store: Store) -> None:
    burned_out(store)
    before = load(store)
    store.retention(T0 + 3650 * DAY)
    assert load(store) == before
    assert store.show(incident("B").id).messages[0].state == "delivered"


def test_retention_leaves_dead_letters_and_waiting_messages_with_their_incidents(store: Store) -> None:
    burned_out(store)
    store.retention(T0 + 3650 * DAY)
    assert [shown.state for name in "CD" for shown in store.show(incident(name).id).messages] == ["delivered", "dead", "waiting"]


def test_retention_leaves_what_ended_lately(store: Store) -> None:
    burned_out(store)
    assert store.retention(T0 + 29 * DAY) == 0


# --- threads ------------------------------------------------------------------------------------------------------------


def test_many_threads_write_without_losing_anything(place: DatabasePlace) -> None:
    with Store.open(place / "watchdog.db" if isinstance(place, Path) else place, busy_timeout_s=60.0) as store:

        def write(number: int) -> None:
            for turn in range(20):
                commit(store, plan(incidents=[incident(f"{number}-{turn}")]))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(load(store).open) == 160


def test_the_connection_of_a_thread_that_ended_is_closed_by_the_next(store: Store) -> None:
    for _ in range(5):
        thread = threading.Thread(target=store.receivers_seen)
        thread.start()
        thread.join()
    assert isinstance(store._file, DatabaseFile | PostgresDatabase)
    assert len(store._file._opened) <= 2
