"""What a cycle loads of other targets that share a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, commit, incident, opened, over, plan
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.plan import Loaded
from watchdog.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as one:
        yield one


def of(target: str, name: str, **changes: Any) -> Incident:
    return replace(incident(name, state=State.FIRING), **{"target": target, "server": "4f2a", **changes})


def written(store: Store, *incidents: Incident) -> None:
    for one in incidents:
        commit(store, replace(plan(incidents=[one]), target=one.target))


def loaded(store: Store, target: str = "a", servers: tuple[str, ...] = ("4f2a",)) -> Loaded:
    with store.cycle() as transaction:
        return transaction.load(target, servers=servers)


def test_open_incidents_of_other_targets_about_the_same_server_are_twins(store: Store) -> None:
    b, c = of("b", "B"), of("c", "C", state=State.PENDING, fired_at=None)
    written(store, of("a", "A"), b, c, of("d", "D", server="other"), of("e", "E", server=""))
    assert loaded(store).twins == (b, c)


@pytest.mark.parametrize("servers", [(), ("unknown",)])
def test_a_target_that_shares_no_server_has_none(store: Store, servers: tuple[str, ...]) -> None:
    written(store, of("b", "B"))
    assert loaded(store, servers=servers).twins == ()


def test_one_that_ended_during_the_life_of_ours_is_among_them(store: Store) -> None:
    ended = replace(over(of("b", "B")), resolved_at=T0 + 50)
    written(store, ended)
    assert loaded(store).twins == ()
    written(store, of("a", "A", started_at=T0))
    assert loaded(store).twins == (ended,)


def test_what_explains_a_twin_in_its_own_target_comes_with_it(store: Store) -> None:
    cause = of("b", "X", rule="Cause", server="", inhibits=("Lost",))
    written(store, of("b", "B"), cause, of("c", "Y", rule="Cause", server="", inhibits=("Lost",)))
    assert loaded(store).twins_causes == (cause,)


def test_twins_are_found_by_an_index(store: Store) -> None:
    from watchdog.store import twins

    written(store, of("b", "B"))
    with store._file.writing() as connection:
        for sql in (twins._OPEN, twins._JUST_ENDED):
            given = {"servers": "[]", "target": "a", "since": 0.0}
            shown = "\n".join(str(row["detail"]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", given))
            assert "incidents_by_server" in shown
