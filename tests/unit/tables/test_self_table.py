"""`self`: how late watchdog was lately."""

from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.looks import a_look, a_self_seen
from watchdog.core.model.rows import Reading, Sample
from watchdog.tables.self_monitoring import SELF


def read(late: int, *earlier: tuple[float, float]) -> Reading:
    history = tuple(Sample(NOW - ago, {"": (count,)}) for ago, count in earlier)
    return SELF.read(replace(a_look(), self_seen=a_self_seen(late_cycles=late), history=history))


def test_cycles_that_were_late_within_the_window_are_counted() -> None:
    assert read(9, (400, 1.0), (290, 4.0), (10, 7.0)).rows[0].cells["late_lately"] == 5.0


def test_a_first_look_does_not_know_what_is_recent() -> None:
    assert read(9).idle == {"late_lately": "late_lately needs a second poll"}


def test_a_restart_of_watchdog_counts_from_zero() -> None:
    assert read(2, (200, 40.0), (100, 41.0)).rows[0].cells["late_lately"] == 3.0
