"""Digests in the database: remembered and queued together, delivered as every message, and in nobody's way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.outbox import T0, attempt, commit, load, message, notice, opened, plan, unfinished_targets
from tests.builders.report import a_report
from tests.processes.command_line import watchdog
from watchdog.core.incidents.messages import Message
from watchdog.core.incidents.outcome import Later, Refused
from watchdog.core.incidents.payload import encode
from watchdog.core.model.target import SELF
from watchdog.core.report.schedule import Digested
from watchdog.store import Store
from watchdog.store.sql import DatabasePlace

PASSED = Digested("08:00 UTC", T0)


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def digest(name: str = "1", receiver: str = "ops") -> Message:
    return Message(f"01DIGEST{name}", receiver, SELF, T0, (), digest=a_report())


def queue(store: Store, *digests: Message) -> None:
    for one in digests:
        store.digest_passed(one.receiver, PASSED, one, T0)


def test_nothing_is_remembered_at_first(store: Store) -> None:
    assert store.digested() == {}


def test_a_moment_that_passed_is_remembered(store: Store) -> None:
    store.digest_passed("ops", Digested("08:00 UTC", T0 - 86400), None, T0)
    store.digest_passed("ops", PASSED, None, T0)
    assert store.digested() == {"ops": PASSED}


def test_a_digest_is_claimed_with_its_whole_report(store: Store) -> None:
    queue(store, digest())
    claimed = store.claim("ops", T0, "s1", encode)
    assert claimed is not None
    assert claimed.message.digest == a_report()


def test_a_digest_that_cannot_be_queued_is_not_remembered(store: Store) -> None:
    queue(store, digest())
    with pytest.raises(Exception, match=r"(?i)unique"):
        store.digest_passed("other", PASSED, digest(), T0)
    assert set(store.digested()) == {"ops"}


def test_a_digest_waits_for_another_attempt_like_any_message(store: Store) -> None:
    queue(store, digest())
    assert attempt(store, Later("503")) == "01DIGEST1"
    assert store.unfinished_messages("ops") == 1


def test_a_digest_holds_up_no_incident(store: Store) -> None:
    queue(store, digest())
    commit(store, plan(message("1")))
    attempt(store, Later("503"))
    assert attempt(store, Later("503")) == "01MESSAGE1"


def test_a_cycle_neither_merges_nor_withdraws_a_digest(store: Store) -> None:
    queue(store, digest())
    assert load(store, SELF).waiting == ()


def test_a_digest_keeps_no_target_unfinished(store: Store) -> None:
    queue(store, digest())
    assert unfinished_targets(store) == frozenset()


def test_a_digest_that_is_too_large_goes_with_fewer_rows(store: Store) -> None:
    queue(store, digest())
    attempt(store, Refused("413", too_large=True))
    claimed = store.claim("ops", T0, "s1", encode)
    assert claimed is not None
    assert claimed.message.digest is not None
    assert (len(claimed.message.digest.incidents), claimed.message.digest.incidents_in_all) == (1, 2)


def test_a_refused_digest_is_listed_and_sent_again_as_it_was(store: Store) -> None:
    queue(store, digest())
    attempt(store, Refused("403"))
    [entry] = store.outbox_shown().messages
    assert entry.digest == a_report()
    [retried] = store.retry([entry.id], T0 + 60)
    assert retried.digests == 1
    claimed = store.claim("ops", T0 + 60, "s1", encode)
    assert claimed is not None
    assert (claimed.message.digest, claimed.message.id != entry.id) == (a_report(), True)


def test_the_outbox_shows_what_a_digest_says(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        queue(store, digest())
    (tmp_path / "watchdog.toml").write_text('database = "watchdog.db"\n')
    listed = watchdog("outbox", cwd=tmp_path)
    shown = watchdog("outbox", "show", "01DIGEST1", cwd=tmp_path)
    assert "Report of 1d to Mon 23 Nov 00:00 UTC: 12,345 tasks" in listed.stdout
    assert "rules that notified nobody" in shown.stdout


def test_a_renamed_receiver_keeps_what_it_had(store: Store) -> None:
    queue(store, digest())
    with store.cycle() as transaction:
        transaction.rename_receiver("ops", "chat")
    assert store.digested() == {"chat": PASSED}


def test_receivers_without_a_digest_are_forgotten(store: Store) -> None:
    queue(store, digest("1"), digest("2", "chat"))
    store.forget_digests(["chat"])
    assert set(store.digested()) == {"chat"}


def test_retention_deletes_digests_that_were_delivered_long_ago(store: Store) -> None:
    from watchdog.core.incidents.outcome import Delivered

    queue(store, digest())
    attempt(store, Delivered())
    store.retention(T0 + 31 * 86400)
    assert store._file.connection().execute("SELECT count(*) FROM messages").fetchone()[0] == 0


def test_an_incident_in_front_of_a_digest_is_sent_as_ever(store: Store) -> None:
    commit(store, plan(message("1", notice("A"))))
    queue(store, digest())
    assert [attempt(store, Later("503")) for _ in range(2)] == ["01MESSAGE1", "01DIGEST1"]
