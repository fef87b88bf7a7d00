from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from tests.builders.outbox import T0, attempt, commit, incident, load, message, notice, opened, over, plan
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.incidents.payload import encode
from watchdog.store import Store
from watchdog.store.cycles import queue
from watchdog.store.migrations import STEPS
from watchdog.store.outbox.settling import backoff_s
from watchdog.store.sql import DatabasePlace
from watchdog.store.sqlite.database import DatabaseFile
from watchdog.store.sqlite.schema import bring_up_to_date

NEVER = Later("refused the connection", never_arrived=True)
DAY = 86400.0


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def claimed_id(store: Store, now: float = T0) -> str | None:
    claimed = store.claim("ops", now, "s1", encode)
    return claimed.message.id if claimed else None


def test_an_empty_outbox_has_nothing_to_claim(store: Store) -> None:
    assert claimed_id(store) is None
    assert store.next_due("ops", T0) is None


def test_the_oldest_goes_first(store: Store) -> None:
    commit(store, plan(message("2", notice("A")), message("1", notice("B"))))
    assert [attempt(store, Delivered()) for _ in range(3)] == ["01MESSAGE2", "01MESSAGE1", None]


def test_each_receiver_has_its_own(store: Store) -> None:
    commit(store, plan(message("1", receiver="other")))
    assert claimed_id(store) is None
    assert store.next_due("other", T0) == 0.0


def test_a_message_in_hand_is_not_claimed_twice(store: Store) -> None:
    commit(store, plan(message("1")))
    assert [claimed_id(store), claimed_id(store)] == ["01MESSAGE1", None]


def test_a_message_is_not_due_before_its_time(store: Store) -> None:
    commit(store, plan(message("1", not_before=T0 + 30)))
    assert store.next_due("ops", T0) == T0 + 30
    assert [claimed_id(store, T0 + 29), claimed_id(store, T0 + 30)] == [None, "01MESSAGE1"]


def test_a_due_time_of_another_clock_is_due_now(store: Store) -> None:
    commit(store, plan(message("1", at=T0 + DAY, not_before=T0 + DAY + 30), at=T0 + DAY))
    assert store.next_due("ops", T0) == T0
    assert claimed_id(store) == "01MESSAGE1"


def test_a_long_wait_that_was_asked_for_is_waited(store: Store) -> None:
    commit(store, plan(message("1", not_before=T0 + 3600)))
    assert claimed_id(store, T0 + 1) is None


def test_the_body_is_frozen_at_the_first_attempt(store: Store) -> None:
    commit(store, plan(message("1")))
    store.claim("ops", T0, "s1", lambda _: b"first")
    store.settle("01MESSAGE1", Later("timeout"), T0)
    again = store.claim("ops", T0 + 2, "s2", lambda _: b"second")
    assert again is not None
    assert (again.body, again.attempt) == (b"first", 2)


def test_what_never_arrived_is_rendered_anew(store: Store) -> None:
    commit(store, plan(message("1")))
    store.claim("ops", T0, "s1", lambda _: b"first")
    store.settle("01MESSAGE1", NEVER, T0)
    again = store.claim("ops", T0 + 2, "s1", lambda _: b"second")
    assert again is not None
    assert again.body == b"second"


def test_once_it_may_have_arrived_it_stays_frozen(store: Store) -> None:
    commit(store, plan(message("1")))
    attempt(store, Later("timeout"))
    attempt(store, NEVER, now=T0 + 10)
    assert load(store).waiting == ()


def test_what_never_arrived_may_be_withdrawn(store: Store) -> None:
    commit(store, plan(message("1")))
    attempt(store, NEVER)
    commit(store, plan(message("2", notice("A"), notice("B")), withdrawn=["01MESSAGE1"]))
    assert [waiting.id for waiting in load(store).waiting] == ["01MESSAGE2"]


def test_the_end_never_overtakes_the_beginning(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), incidents=[incident("A")]))
    attempt(store, Later("timeout"))
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2)), incidents=[over(incident("A"))]))
    assert claimed_id(store, T0 + 0.5) is None
    assert store.next_due("ops", T0) == T0 + backoff_s("01MESSAGE1", 1)
    assert attempt(store, Delivered(), now=T0 + 10) == "01MESSAGE1"
    assert attempt(store, Delivered(), now=T0 + 10) == "01MESSAGE2"


def test_another_incident_does_not_wait_for_one_that_backs_off(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), message("2", notice("B"))))
    attempt(store, Later("timeout"))
    assert claimed_id(store, T0 + 0.5) == "01MESSAGE2"


def test_an_end_whose_beginning_was_refused_is_not_sent(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), incidents=[incident("A")]))
    attempt(store, Later("timeout"))
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2), notice("B"))), plan(message("3", notice("A", Event.ESCALATED, 3))))
    attempt(store, Refused("404"), now=T0 + 10)
    said: list[Message] = []
    with capture_logs() as logs:
        store.claim("ops", T0 + 10, "s1", lambda one: said.append(one) or b"body")  # type: ignore[func-returns-value]
        store.settle("01MESSAGE2", Delivered(), T0 + 10)
        assert claimed_id(store, T0 + 10) is None
    assert [n.incident for n in said[0].notices] == [incident("B").id]
    assert [log["event"] for log in logs] == ["notices_withdrawn", "notices_withdrawn"]
    assert load(store).waiting == ()


def test_a_message_that_cannot_be_rendered_is_dead_and_holds_up_nobody(store: Store) -> None:
    commit(store, plan(message("1", notice("A")), message("2", notice("B"))))

    def render(one: Message) -> bytes:
        if one.id == "01MESSAGE1":
            raise ValueError("no such colour")
        return b"body"

    with capture_logs():
        claimed = store.claim("ops", T0, "s1", render)
    assert claimed is not None
    assert claimed.message.id == "01MESSAGE2"
    assert store.receivers_seen()[0].dead == 1


def test_a_delivered_message_is_finished(store: Store) -> None:
    commit(store, plan(message("1")))
    attempt(store, Delivered())
    assert store.settle("01MESSAGE1", Later("too late"), T0) is None
    assert claimed_id(store, T0 + DAY) is None


def test_pauses_double_up_to_five_minutes_and_differ_between_messages() -> None:
    pauses = [backoff_s("01MESSAGE1", number) for number in range(1, 20)]
    assert all(2.0**n <= pause <= 1.25 * 2.0**n for n, pause in enumerate(pauses[:8]))
    assert set(pauses[9:]) == {300.0}
    assert backoff_s("01MESSAGE1", 3) == pauses[2] != backoff_s("01MESSAGE2", 3)


@pytest.mark.parametrize(("asked", "waited"), [(60.0, 60.0), (0.0, 1.0), (86400.0, 900.0)])
def test_a_retry_after_is_kept_within_reason(store: Store, asked: float, waited: float) -> None:
    commit(store, plan(message("1")))
    attempt(store, Later("429", retry_after_s=asked))
    assert store.next_due("ops", T0) == T0 + waited


def test_after_a_day_of_attempts_a_message_is_dead(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    for number in range(8):
        attempt(store, Later("503"), now=T0 + number * 1000)
    assert store.receivers_seen()[0].dead == 0
    attempt(store, Later("503"), now=T0 + DAY)
    assert store.receivers_seen()[0].dead == 1
    assert store.show(incident().id).messages[0].last_error == "out of time after 9 attempts; the last: 503"


def test_after_a_day_of_downtime_a_message_still_has_its_attempts(store: Store) -> None:
    commit(store, plan(message("1")))
    attempt(store, Later("no network yet"), now=T0 + 2 * DAY)
    assert attempt(store, Delivered(), now=T0 + 2 * DAY + 10) == "01MESSAGE1"


def test_what_was_in_hand_at_a_crash_is_sent_again_under_its_id_with_its_body(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    before = store.claim("ops", T0, "s1", lambda _: b"first")
    assert store.recover() == 1
    after = store.claim("ops", T0, "s1", lambda _: b"second")
    assert before is not None
    assert after is not None
    assert (after.message.id, after.body, after.attempt) == (before.message.id, b"first", 2)


def test_what_was_in_hand_at_a_crash_may_have_arrived(store: Store) -> None:
    commit(store, plan(message("1"), incidents=[incident()]))
    store.claim("ops", T0, "s1", encode)
    store.recover()
    attempt(store, NEVER)
    assert load(store).waiting == ()
    assert load(store).notified[(incident().id, "ops")].event is Event.FIRST


# --- another type ---------------------------------------------------------------------------------------------------------


def test_what_was_frozen_for_a_receiver_of_another_type_is_written_anew_under_its_id(store: Store) -> None:
    """Slack can do nothing with the body of a webhook; if it refused one, nobody would ever be notified of the incident."""
    commit(store, plan(message("1")))
    before = store.claim("ops", T0, "webhook:1", lambda _: b"for a webhook")
    assert before is not None
    store.settle(before.message.id, Later("no answer"), T0)
    after = store.claim("ops", T0 + 10, "slack:1", lambda _: b"for Slack")
    assert after is not None
    assert (after.message.id, after.body) == (before.message.id, b"for Slack")


def test_what_was_frozen_stays_as_it_is_under_other_settings_of_the_same_type(store: Store) -> None:
    commit(store, plan(message("1")))
    before = store.claim("ops", T0, "webhook:1", lambda _: b"as it was")
    assert before is not None
    store.settle(before.message.id, Later("no answer"), T0)
    after = store.claim("ops", T0 + 10, "webhook:2", lambda _: b"otherwise")
    assert after is not None
    assert after.body == b"as it was"


# --- what of a group still fires ----------------------------------------------------------------------------------------


def of_group(name: str, *notices: Notice) -> Message:
    return replace(message(name, *notices), group_id="g1")


def still(store: Store, outcome: Outcome | None = None) -> tuple[int, bool]:
    """What the next message says of its group; it is then settled."""
    claimed = store.claim("ops", T0, "s1", encode)
    assert claimed is not None
    store.settle(claimed.message.id, outcome or Delivered(), T0)
    return claimed.message.still, claimed.message.group_is_over


def test_an_end_says_how_many_others_of_its_group_the_receiver_was_told_of(store: Store) -> None:
    begun = of_group("1", notice("A"), notice("B"), notice("C"))
    commit(store, plan(begun, incidents=[incident("A"), incident("B"), incident("C")]))
    still(store)
    ends = [of_group(f"2{name}", notice(name, Event.RESOLVED, 2)) for name in "ABC"]
    said = []
    for end in ends:
        commit(store, plan(end))
        said.append(still(store))
    assert said == [(2, False), (1, False), (0, True)]


def test_a_member_of_another_group_or_receiver_does_not_count(store: Store) -> None:
    others = replace(message("9", notice("C")), group_id="g2"), replace(of_group("8", notice("B")), receiver="other")
    commit(store, plan(of_group("1", notice("A")), *others, incidents=[incident("A"), incident("B"), incident("C")]))
    assert [still(store), still(store)] == [(0, False), (0, False)]
    attempt(store, Delivered(), receiver="other")
    commit(store, plan(of_group("2", notice("A", Event.RESOLVED, 2))))
    assert still(store) == (0, True)


@pytest.mark.parametrize("handled", ["refused", "dropped"])
def test_a_member_whose_end_the_receiver_will_not_hear_does_not_count(handled: str, store: Store) -> None:
    commit(store, plan(of_group("1", notice("A"), notice("B")), incidents=[incident("A"), incident("B")]))
    still(store)
    commit(store, plan(of_group("2", notice("B", Event.RESOLVED, 2)), incidents=[over(incident("B"))]))
    still(store, Refused("no"))
    if handled == "dropped":
        store.drop(["01MESSAGE2"], T0)
    commit(store, plan(of_group("3", notice("A", Event.RESOLVED, 2))))
    assert still(store) == (0, True)


def test_a_beginning_that_may_have_arrived_counts(store: Store) -> None:
    commit(store, plan(of_group("1", notice("A")), of_group("2", notice("B")), incidents=[incident("A"), incident("B")]))
    still(store)
    still(store, Later("did not answer"))
    commit(store, plan(of_group("3", notice("A", Event.RESOLVED, 2))))
    assert still(store) == (1, False)


def test_a_beginning_that_certainly_did_not_arrive_does_not_count(store: Store) -> None:
    commit(store, plan(of_group("1", notice("A")), of_group("2", notice("B")), incidents=[incident("A"), incident("B")]))
    still(store)
    still(store, NEVER)
    commit(store, plan(of_group("3", notice("A", Event.RESOLVED, 2))))
    assert still(store) == (0, True)


# --- what a receiver can change -----------------------------------------------------------------------------------------


def posted(store: Store, settings: str, handle: str = "") -> list[tuple[str, list[Event]]]:
    """The posts that the next message is given, with what is known of their incidents; it is then delivered."""
    claimed = store.claim("ops", T0, settings, encode)
    assert claimed is not None
    store.settle(claimed.message.id, Delivered(handle=handle), T0)
    return [(post.handle, [told.event for told in post.notices]) for post in claimed.message.posts]


def test_a_handle_is_given_back_with_later_news_and_what_is_known_by_then(store: Store) -> None:
    commit(store, plan(message("1", notice("A"), notice("B")), incidents=[incident("A"), incident("B")]))
    assert posted(store, "chat:1", "C1 1.5") == []
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2))))
    assert posted(store, "chat:2") == [("C1 1.5", [Event.RESOLVED, Event.FIRST])]
    commit(store, plan(message("3", notice("B", Event.RESOLVED, 2))))
    assert posted(store, "chat:2") == [("C1 1.5", [Event.RESOLVED, Event.RESOLVED])]


def test_a_handle_is_of_no_use_to_another_receiver_or_type(store: Store) -> None:
    commit(store, plan(message("1"), message("8", receiver="other"), incidents=[incident("A")]))
    posted(store, "chat:1", "C1 1.5")
    attempt(store, Delivered(), receiver="other", settings="chat:1")
    commit(store, plan(message("9", notice("A", Event.RESOLVED, 2), receiver="other")))
    claimed = store.claim("other", T0, "chat:1", encode)
    assert claimed is not None
    assert claimed.message.posts == ()
    commit(store, plan(message("2", notice("A", Event.RESOLVED, 2))))
    assert posted(store, "mail:1") == []


def test_a_file_of_version_9_keeps_its_messages_and_knows_of_no_posts(tmp_path: Path) -> None:
    path = tmp_path / "watchdog.db"
    file = DatabaseFile(path)
    bring_up_to_date(file.database(), path, STEPS[:9])
    with file.writing() as connection:
        queue(connection, [message("1")], T0)
    file.close()
    with opened(tmp_path) as store:
        assert posted(store, "chat:1", "C1 1.5") == []
        commit(store, plan(message("2", notice("A", Event.RESOLVED, 2))))
        assert posted(store, "chat:1") == [("C1 1.5", [Event.RESOLVED])]
