"""What fired before, as the database remembers it for flapping."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, commit, incident, opened, over, plan
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.store import Store
from watchdog.store.cycles import _FIRED_BEFORE
from watchdog.store.sql import DatabasePlace

HOUR = (T0 - 3600.0, T0)


@pytest.fixture
def store(place: DatabasePlace) -> Iterator[Store]:
    with opened(place) as store:
        yield store


def fired(name: str, at: float, **changes: object) -> Incident:
    """One of the queue `indexing` that fired and is over."""
    return replace(over(incident(name, started_at=at), at + 60), **{"fingerprint": "f00d", **changes})


def fired_before(store: Store, within: tuple[float, float] | None = HOUR) -> dict[str, list[float]]:
    with store.cycle() as transaction:
        loaded = transaction.load("prod", None, within)
    return {fingerprint: sorted(times) for fingerprint, times in loaded.fired.items()}


def test_what_fired_twice_is_loaded_with_its_times(store: Store) -> None:
    commit(store, plan(incidents=[fired("A", T0 - 1000.25), fired("B", T0 - 500.5)]))
    assert fired_before(store) == {"f00d": [T0 - 1000.25, T0 - 500.5]}


def test_without_a_window_nothing_is_read(store: Store) -> None:
    commit(store, plan(incidents=[fired("A", T0 - 1000), fired("B", T0 - 500)]))
    assert fired_before(store, None) == {}


@pytest.mark.parametrize(
    "other",
    [
        fired("B", T0 - 3700),
        fired("B", T0 + 100),
        fired("B", T0 - 500, target="staging"),
        fired("B", T0 - 500, fingerprint="beef"),
        fired("B", T0 - 500, state=State.DROPPED, fired_at=None),
        replace(incident("B", started_at=T0 - 500), fingerprint="f00d"),
    ],
    ids=["long ago", "in the future", "elsewhere", "another", "never fired", "still open"],
)
def test_only_what_fired_several_times_and_ended_counts(store: Store, other: Incident) -> None:
    commit(store, plan(incidents=[fired("A", T0 - 1000), other]))
    assert fired_before(store) == {}


def test_it_is_read_from_an_index_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        rows = store._file.connection().execute(f"EXPLAIN QUERY PLAN {_FIRED_BEFORE}", ("prod", *HOUR)).fetchall()
    assert [row["detail"] for row in rows if "SEARCH" in row["detail"]] == [
        "SEARCH incidents USING COVERING INDEX incidents_by_fire (target=? AND fired_at>? AND fired_at<?)"
    ]
