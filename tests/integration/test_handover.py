"""From one configuration to the next: new receivers get what fires, removed ones get the end, a new name repeats nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.builders.outbox import T0, FakeReceiver, attempt, commit, incident, load, look, opened, over, plan
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.outcome import Delivered, Later, Refused
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.daemon.delivery import Delivery
from watchdog.daemon.handover import FINAL_NOTIFICATION_S, Handover, hand_over
from watchdog.store import Store

A, B = incident("A"), incident("B")
NEVER = Later("refused the connection", never_arrived=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


def cycle(store: Store, names: Sequence[str], *incidents: Incident, now: float = T0, settings: str = "s1") -> None:
    """Ends are told at once, although others of their group burn."""
    at_once = Terms(group_interval_s=0.0)
    look(store, [Recipient(name, settings=settings, terms=at_once) for name in names], *incidents, now=now)


def handed(
    store: Store,
    names: Sequence[str],
    *,
    removed: Sequence[FakeReceiver] = (),
    was: Mapping[str, str] | None = None,
    targets: Sequence[str] = ("prod",),
    now: float = T0 + 100,
) -> frozenset[str]:
    recipients = tuple(Recipient(name, settings="s1") for name in names)
    return hand_over(store, Handover(recipients, frozenset(targets), "watchdog", was or {}, {r.name: r for r in removed}), now)


def waiting(store: Store, receiver: str) -> list[tuple[str, Event, str | None]]:
    entries = [entry for entry in store.outbox_shown().messages if entry.receiver == receiver and entry.state == "waiting"]
    return [(n.incident, n.event, n.ended) for entry in entries for n in entry.notices]


def dead(store: Store) -> list[tuple[str, str | None]]:
    return [(entry.receiver, entry.last_error) for entry in store.outbox_shown().messages if entry.state == "dead"]


def told_both(store: Store) -> None:
    """`ops` and `dev` were notified that A and B fire."""
    cycle(store, ["ops", "dev"], A, B)
    for name in ("ops", "dev"):
        assert attempt(store, Delivered(), receiver=name)


def first(*incidents: Incident) -> list[tuple[str, Event, str | None]]:
    return [(one.id, Event.FIRST, None) for one in incidents]


def removed(*incidents: Incident) -> list[tuple[str, Event, str | None]]:
    return [(one.id, Event.RESOLVED, "receiver removed") for one in incidents]


# --- new ----------------------------------------------------------------------------------------------------------------


def test_a_new_receiver_hears_first_of_what_burns(store: Store) -> None:
    told_both(store)
    handed(store, ["ops", "dev", "new"])
    cycle(store, ["ops", "dev", "new"], A, B, now=T0 + 110)
    assert [waiting(store, name) for name in ("ops", "dev", "new")] == [[], [], first(A, B)]


def test_one_whose_settings_changed_hears_first_of_what_it_refused(store: Store) -> None:
    cycle(store, ["ops"], A)
    attempt(store, Refused("404"))
    handed(store, ["ops"])
    cycle(store, ["ops"], A, now=T0 + 110)
    assert waiting(store, "ops") == []
    cycle(store, ["ops"], A, now=T0 + 120, settings="s2")
    assert waiting(store, "ops") == first(A)


# --- gone ---------------------------------------------------------------------------------------------------------------


def test_one_that_is_gone_is_told_that_all_is_over_for_it(store: Store) -> None:
    told_both(store)
    assert handed(store, ["ops"], removed=[FakeReceiver("dev")]) == {"dev"}
    assert (waiting(store, "dev"), waiting(store, "ops")) == (removed(A, B), [])


def test_the_incidents_themselves_go_on(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    assert [one.state for one in load(store).open] == ["firing", "firing"]
    cycle(store, ["ops"], over(A), B, now=T0 + 110)
    assert waiting(store, "ops") == [(A.id, Event.RESOLVED, "recovered")]
    assert waiting(store, "dev") == removed(A, B)


def test_what_never_left_for_it_is_not_sent(store: Store) -> None:
    cycle(store, ["dev"], A)
    attempt(store, NEVER, receiver="dev")
    assert handed(store, [], removed=[FakeReceiver("dev")]) == frozenset()
    assert waiting(store, "dev") == []


def test_what_may_have_arrived_is_followed_by_its_end(store: Store) -> None:
    cycle(store, ["dev"], A)
    attempt(store, Later("no answer"), receiver="dev")
    handed(store, [], removed=[FakeReceiver("dev")])
    assert waiting(store, "dev") == [*first(A), *removed(A)]


def test_an_end_that_was_owed_to_it_keeps_its_reason(store: Store) -> None:
    told_both(store)
    cycle(store, ["ops", "dev"], over(A), B, now=T0 + 10)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    assert waiting(store, "dev") == [(A.id, Event.RESOLVED, "recovered"), *removed(B)]


def test_it_is_told_with_its_old_settings_and_then_done_with(store: Store) -> None:
    told_both(store)
    removed = FakeReceiver("dev", settings="s-old")
    handed(store, ["ops"], removed=[removed])
    delivery = Delivery(store, [])
    delivery.finish_removed([removed])
    for delivery_worker in delivery._delivery_workers.values():
        delivery_worker.thread.join(10)
    assert [n["ended"] for n in json.loads(removed.sent[0][1])["data"]["incidents"]] == ["receiver removed"] * 2
    assert (delivery.removed(), delivery.alive(), dead(store)) == ([], True, [])
    assert delivery.stop(1)


def test_it_is_tried_for_an_hour_and_then_given_up_visibly(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    now = T0 + 100
    while waiting(store, "dev"):
        now = max(store.next_due("dev", now) or now, now)
        attempt(store, Later("503"), now=now, receiver="dev")
    assert now < T0 + 100 + FINAL_NOTIFICATION_S + 300
    [(receiver, why)] = dead(store)
    assert (receiver, str(why).startswith("out of time after")) == ("dev", True)


def test_a_second_handover_says_nothing_twice(store: Store) -> None:
    told_both(store)
    for _ in range(3):
        handed(store, ["ops"], removed=[FakeReceiver("dev")])
    assert waiting(store, "dev") == removed(A, B)


def test_one_that_comes_back_before_its_farewell_left_goes_on_as_before(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    handed(store, ["ops", "dev"])
    cycle(store, ["ops", "dev"], A, B, now=T0 + 110)
    assert waiting(store, "dev") == []


def test_one_that_comes_back_later_hears_first_of_what_burns(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    attempt(store, Delivered(), now=T0 + 101, receiver="dev")
    handed(store, ["ops", "dev"])
    cycle(store, ["ops", "dev"], A, B, now=T0 + 110)
    assert waiting(store, "dev") == first(A, B)
    attempt(store, Delivered(), now=T0 + 111, receiver="dev")
    cycle(store, ["ops", "dev"], over(A), B, now=T0 + 120)
    assert waiting(store, "dev") == [(A.id, Event.RESOLVED, "recovered")]


def test_one_that_comes_back_hears_the_true_end_though_its_farewell_could_not_be_delivered(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    attempt(store, Refused("503, out of time"), now=T0 + 101, receiver="dev")
    handed(store, ["ops", "dev"])
    cycle(store, ["ops", "dev"], A, B, now=T0 + 110)
    assert waiting(store, "dev") == []
    cycle(store, ["ops", "dev"], over(A), B, now=T0 + 120)
    assert waiting(store, "dev") == [(A.id, Event.RESOLVED, "recovered")]


def test_a_farewell_that_was_given_up_is_given_up_once(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    attempt(store, Refused("410", gone=True), now=T0 + 101, receiver="dev")
    for now in (T0 + 100, T0 + 102, T0 + 2 * FINAL_NOTIFICATION_S, T0 + 48 * FINAL_NOTIFICATION_S):
        handed(store, ["ops"], now=now)
    assert [receiver for receiver, _ in dead(store)] == ["dev"]


def test_what_waits_for_one_that_comes_back_is_tried_for_a_day_again(store: Store) -> None:
    cycle(store, ["dev"], A)
    attempt(store, Later("no answer"), receiver="dev")
    handed(store, [], removed=[FakeReceiver("dev")])
    handed(store, ["dev"])
    assert [entry.expires_at for entry in store.outbox_shown().messages][:1] == [T0 + 24 * 3600]


# --- after a restart ----------------------------------------------------------------------------------------------------


def test_after_a_restart_what_cannot_be_told_any_more_is_a_dead_letter_that_says_so(store: Store) -> None:
    told_both(store)
    with capture_logs() as logs:
        handed(store, ["ops"])
    [(receiver, why)] = dead(store)
    assert (receiver, "taken out of the configuration" in str(why)) == ("dev", True)
    assert [(log["event"], log["given_up"]) for log in logs] == [("receiver_removed", 1)]


def test_a_farewell_that_a_restart_cut_short_is_one_too_and_only_once(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")])
    attempt(store, Later("503"), now=T0 + 101, receiver="dev")
    for now in (T0 + 100, T0 + 102, T0 + 2 * FINAL_NOTIFICATION_S, T0 + 48 * FINAL_NOTIFICATION_S):
        handed(store, ["ops"], now=now)
        cycle(store, ["ops"], A, B, now=now + 10)
    assert [receiver for receiver, _ in dead(store)] == ["dev"]
    assert waiting(store, "dev") == []


def test_one_that_comes_back_after_that_still_believes_in_the_fire_and_hears_its_end(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"])
    handed(store, ["ops", "dev"])
    cycle(store, ["ops", "dev"], A, B, now=T0 + 110)
    assert waiting(store, "dev") == []
    cycle(store, ["ops", "dev"], over(A), B, now=T0 + 120)
    assert waiting(store, "dev") == [(A.id, Event.RESOLVED, "recovered")]


# --- renamed ------------------------------------------------------------------------------------------------------------


def test_a_new_name_is_not_told_again_and_hears_the_end(store: Store) -> None:
    told_both(store)
    with capture_logs() as logs:
        handed(store, ["ops", "crew"], was={"dev": "crew"})
    cycle(store, ["ops", "crew"], A, B, now=T0 + 110)
    assert (waiting(store, "crew"), [log["event"] for log in logs]) == ([], ["receiver_renamed"])
    cycle(store, ["ops", "crew"], over(A), B, now=T0 + 120)
    assert waiting(store, "crew") == [(A.id, Event.RESOLVED, "recovered")]
    assert (waiting(store, "dev"), dead(store)) == ([], [])


def test_what_waits_goes_to_the_new_name_as_it_was_frozen(store: Store) -> None:
    cycle(store, ["dev"], A)
    before = store.claim("dev", T0, "s1", lambda _: b"as it was")
    assert before is not None
    store.settle(before.message.id, Later("no answer"), T0)
    handed(store, ["crew"], was={"dev": "crew"})
    after = store.claim("crew", T0 + 100, "s1", lambda _: b"otherwise")
    assert after is not None
    assert (after.message.id, after.body) == (before.message.id, b"as it was")


def test_an_outcome_that_comes_in_after_the_new_name_counts_for_it(store: Store) -> None:
    cycle(store, ["dev"], A)
    in_hand = store.claim("dev", T0, "s1", lambda _: b"body")
    assert in_hand is not None
    handed(store, ["crew"], was={"dev": "crew"})
    store.settle(in_hand.message.id, Delivered(), T0 + 101)
    cycle(store, ["crew"], A, now=T0 + 110)
    assert waiting(store, "crew") == []


def test_one_that_is_off_is_off_under_its_new_name(store: Store) -> None:
    cycle(store, ["dev"], A)
    attempt(store, Refused("410", gone=True), receiver="dev")
    handed(store, ["crew"], was={"dev": "crew"})
    assert [one.receiver for one in store.outbox_shown().off] == ["crew"]


def test_two_that_become_one_are_told_once(store: Store) -> None:
    told_both(store)
    handed(store, ["one"], was={"ops": "one", "dev": "one"})
    cycle(store, ["one"], A, B, now=T0 + 110)
    assert waiting(store, "one") == []
    cycle(store, ["one"], over(A), B, now=T0 + 120)
    assert waiting(store, "one") == [(A.id, Event.RESOLVED, "recovered")]


def test_a_name_that_stays_in_the_configuration_changes_nothing_later(store: Store) -> None:
    told_both(store)
    with capture_logs() as logs:
        for _ in range(3):
            handed(store, ["ops", "crew"], was={"dev": "crew"})
    assert [log["event"] for log in logs] == ["receiver_renamed"]


# --- targets ------------------------------------------------------------------------------------------------------------


def test_who_goes_together_with_a_target_hears_that_the_target_is_gone(store: Store) -> None:
    told_both(store)
    handed(store, ["ops"], removed=[FakeReceiver("dev")], targets=[])
    ended = [(one.id, Event.RESOLVED, "target removed") for one in (A, B)]
    assert (waiting(store, "dev"), waiting(store, "ops")) == (ended, ended)


def test_an_end_that_was_refused_is_told_again_under_other_settings_though_its_target_is_gone(store: Store) -> None:
    told_both(store)
    handed(store, ["ops", "dev"], targets=[])
    for name in ("ops", "dev"):
        attempt(store, Refused("404") if name == "ops" else Delivered(), now=T0 + 101, receiver=name)
    recipients = (Recipient("ops", settings="s2"), Recipient("dev", settings="s1"))
    hand_over(store, Handover(recipients, frozenset(), "watchdog", {}, {}), T0 + 200)
    assert waiting(store, "ops") == [(one.id, Event.RESOLVED, "target removed") for one in (A, B)]
    assert waiting(store, "dev") == []


def test_all_of_it_or_nothing(store: Store) -> None:
    """A fault in the last step leaves the file as it was."""
    told_both(store)
    commit(store, plan(incidents=[incident("C", target="lab")], target="lab"))
    removed = FakeReceiver("dev")

    class Tripping(dict[str, FakeReceiver]):
        def __iter__(self) -> Iterator[str]:
            raise RuntimeError("in the last step")

    before = (store.outbox_shown(), store.incidents(0.0))
    handover = Handover((Recipient("crew"),), frozenset(), "watchdog", {"ops": "crew"}, Tripping(dev=removed))
    with pytest.raises(RuntimeError):
        hand_over(store, handover, T0 + 100)
    assert (store.outbox_shown(), store.incidents(0.0)) == before
