"""What a cycle loads of other targets that share a server."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, commit, incident, opened, over, plan
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.plan import Loaded
from watchdog.store import Store, twins
from watchdog.store.records import incident_from_cells
from watchdog.store.sql import DatabasePlace


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as one:
        yield one


def of(target: str, name: str, **changes: Any) -> Incident:
    return replace(incident(name, state=State.FIRING), **{"target": target, "server": "4f2a", **changes})


def written(store: Store, *incidents: Incident) -> None:
    for one in incidents:
        commit(store, replace(plan(incidents=[one]), target=one.target))


def loaded(store: Store, target: str = "a", servers: tuple[str, ...] = ("4f2a",)) -> Loaded:
    with store.cycle() as transaction:
        return transaction.load(target, servers=servers)


def named(store: Store, own: Incident) -> tuple[str, ...]:
    """The targets that have the incident, by what a cycle of its target loads."""
    return loaded(store, own.target).twins.targets(own)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the incidents that are decoded for being shared."""
    found: list[str] = []

    def counted(cells: Any) -> Incident:
        found.append(cells[0])
        return incident_from_cells(cells)

    monkeypatch.setattr(twins, "incident_from_cells", counted)
    return found


A = of("a", "A")


def test_open_incidents_of_other_targets_about_the_same_server_are_twins(store: Store) -> None:
    pending = of("c", "A", id="01C", state=State.PENDING, fired_at=None)
    written(store, A, of("b", "A", id="01B"), pending, of("d", "A", id="01D", server="other"), of("e", "A", id="01E", server=""))
    assert named(store, A) == ("a", "b", "c")


def test_a_target_that_shares_no_server_reads_nothing(store: Store, decoded: list[str]) -> None:
    written(store, of("b", "B"))
    assert (loaded(store, servers=()).twins.targets(A), decoded) == (("a",), [])


def test_one_that_ended_during_the_life_of_ours_is_named_at_its_end(store: Store) -> None:
    written(store, replace(over(of("b", "A", id="01B")), resolved_at=T0 + 50), A)
    assert named(store, over(A)) == ("a", "b")


def test_how_far_back_ends_are_read_follows_the_oldest_of_ours(store: Store) -> None:
    """Another target's cycle has read less of them before: its incident began later."""
    written(store, replace(over(of("b", "A", id="01B")), resolved_at=T0 + 50))
    later = of("c", "A", id="01C", started_at=T0 + 60)
    written(store, later)
    assert named(store, over(later)) == ("c",)
    written(store, A)
    assert named(store, over(A)) == ("a", "b")


def test_what_explains_a_twin_in_its_own_target_comes_with_it(store: Store) -> None:
    cause = of("b", "X", rule="Cause", server="", inhibits=("Lost",))
    written(store, of("b", "B"), cause)
    assert cause in loaded(store).twins_causes["b"]


def test_they_are_read_once_for_all_targets_and_then_only_what_has_changed(store: Store, decoded: list[str]) -> None:
    written(store, *(of(f"t{number}", "A", id=f"01T{number}") for number in range(20)))
    for number in range(20):
        loaded(store, f"t{number}")
    assert len(decoded) == 20
    written(store, of("t7", "A", id="01T7", summary="another"))
    for number in range(20):
        loaded(store, f"t{number}")
    assert decoded[20:] == ["01T7"]


def test_what_another_process_wrote_is_read(store: Store, place: DatabasePlace) -> None:
    written(store, A)
    assert named(store, A) == ("a",)
    with opened(place) as other:
        written(other, of("b", "A", id="01B"))
    assert named(store, A) == ("a", "b")


def test_what_was_rolled_back_is_no_twin(store: Store, place: DatabasePlace) -> None:
    """The next change may have the number of the one that never was."""
    written(store, A)
    with suppress(ZeroDivisionError), store.cycle() as transaction:
        transaction.commit(replace(plan(incidents=[of("b", "A", id="01B")]), target="b"))
        transaction.load("a", servers=("4f2a",))
        raise ZeroDivisionError
    with opened(place) as other:
        written(other, of("c", "A", id="01C"))
    assert named(store, A) == ("a", "c")


def test_one_that_is_about_that_server_no_more_is_no_twin(store: Store) -> None:
    """After a reload its target names another server."""
    written(store, A, of("b", "A", id="01B"))
    assert named(store, A) == ("a", "b")
    written(store, of("b", "A", id="01B", server="", inhibits=()))
    assert named(store, A) == ("a",)


def test_a_database_of_another_day_is_read_anew(store: Store) -> None:
    """Put back from a copy while watchdog runs, its changes have smaller numbers."""
    written(store, A, of("b", "A", id="01B"))
    assert named(store, A) == ("a", "b")
    with store._file.writing() as connection:
        connection.execute("DELETE FROM incidents WHERE id = '01B'")
        connection.execute("UPDATE changes SET number = 0")
    assert named(store, A) == ("a",)


def test_of_too_many_ends_none_is_remembered(store: Store, monkeypatch: pytest.MonkeyPatch, decoded: list[str]) -> None:
    monkeypatch.setattr(twins, "MOST_ENDED", 2)
    written(store, A, *(replace(over(of(f"t{number}", "A", id=f"01T{number}")), resolved_at=T0 + 50) for number in range(3)))
    assert [named(store, over(A)), named(store, over(A))] == [("a", "t0", "t1", "t2")] * 2
    assert len(decoded) == 8


def test_they_are_found_by_indexes(tmp_path: Path) -> None:
    given = {"server": "", "since": 0.0, "until": 1.0, "number": 0}
    wanted = {twins._OPEN: "incidents_open", twins._CHANGED: "incidents_by_change", twins._ENDED: "incidents_by_server"}
    with opened(tmp_path) as store, store._file.writing() as connection:
        for sql, index in wanted.items():
            shown = "\n".join(str(row["detail"]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", given))
            assert index in shown
