"""`self`: how late watchdog was lately."""

from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.looks import a_look, a_self_seen
from watchdog.core.model.rows import Reading, Sample
from watchdog.tables.self_monitoring import SELF


def read(late: int, *earlier: tuple[float, float], cycles: int = 100) -> Reading:
    history = tuple(Sample(NOW - ago, {"": (count, cycles - ago / 10)}) for ago, count in earlier)
    return SELF.read(replace(a_look(), self_seen=a_self_seen(late_cycles=late, cycles=cycles), history=history))


def test_cycles_that_were_late_within_the_window_are_counted() -> None:
    assert read(9, (400, 1.0), (290, 4.0), (10, 7.0)).rows[0].cells["late_lately"] == 5.0


def test_a_first_look_does_not_know_what_is_recent() -> None:
    assert read(9).idle == {column: f"{column} needs a second poll" for column in ("late_lately", "late_share")}


def test_a_restart_of_watchdog_counts_from_zero() -> None:
    assert read(2, (200, 40.0), (100, 41.0)).rows[0].cells["late_lately"] == 3.0


def test_they_are_compared_with_all_cycles() -> None:
    assert read(9, (200, 4.0)).rows[0].cells["late_share"] == 0.25


def test_without_a_cycle_none_was_late() -> None:
    assert read(9, (0, 9.0)).rows[0].cells["late_share"] == 0.0
