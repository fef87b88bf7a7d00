"""watchdog's own figures: as they are now, and nothing about a target that was never looked at."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.builders.metrics import looked_at, samples
from tests.builders.web import NOW, site
from watchdog import __version__
from watchdog.core.model.self_seen import ReceiverSeen, SelfSeen
from watchdog.store import Store
from watchdog.web.metrics.own import own_families
from watchdog.web.metrics.seen import own_readings
from watchdog.web.metrics.tables import table_families
from watchdog.web.site import Site


def of(given: Site, name: str) -> dict[str, float]:
    return samples(own_families(given, given.store.last_looks()), name)


@pytest.fixture
def unseen(tmp_path: Path) -> Site:
    """A site that has not been looked at."""
    return site(Store.open(tmp_path / "watchdog.db"))


def test_its_version_is_a_label(unseen: Site) -> None:
    (labels,) = of(unseen, "watchdog_build_info")
    assert f'version="{__version__}"' in labels


def test_a_target_that_was_never_looked_at_has_no_age(unseen: Site) -> None:
    assert of(unseen, "watchdog_last_look_age_seconds") == {}


def test_when_a_target_was_looked_at_is_told(tmp_path: Path) -> None:
    assert of(looked_at(tmp_path, {}, NOW - 7), "watchdog_last_look_timestamp_seconds") == {'target="prod"': NOW - 7}


def test_a_clock_that_was_set_back_makes_no_negative_age(tmp_path: Path) -> None:
    assert of(looked_at(tmp_path, {}, NOW + 60), "watchdog_last_look_age_seconds") == {'target="prod"': 0.0}


def test_the_cycle_that_does_not_finish_is_named(unseen: Site) -> None:
    stuck = replace(unseen, overdue=lambda: ["prod"])
    assert of(stuck, "watchdog_target_overdue") == {'target="prod"': 1.0, 'target="watchdog"': 0.0}


@pytest.mark.parametrize("works", [True, False])
def test_whether_messages_are_delivered_is_told(unseen: Site, works: bool) -> None:
    assert of(replace(unseen, delivering=lambda: works), "watchdog_delivering") == {"": float(works)}


@pytest.mark.parametrize("done", [True, False])
def test_whether_every_target_was_looked_at_is_told(unseen: Site, done: bool) -> None:
    assert of(replace(unseen, ready=lambda: done), "watchdog_ready") == {"": float(done)}


def own(seen: SelfSeen, name: str) -> dict[str, float]:
    return samples(table_families({"watchdog": own_readings(seen, NOW)}), name)


def test_the_outbox_is_that_of_now() -> None:
    waiting = SelfSeen(receivers=(ReceiverSeen("ops", pending=3, oldest_at=NOW - 40),))
    assert own(waiting, "watchdog_receivers_oldest_seconds") == {'name="ops",target="watchdog"': 40.0}


def test_late_cycles_are_a_counter() -> None:
    assert own(SelfSeen(late_cycles=4), "watchdog_self_late_cycles_total") == {'target="watchdog"': 4.0}
