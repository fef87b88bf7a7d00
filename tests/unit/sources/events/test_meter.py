"""How many events come, and what they take."""

from watchdog.sources.events.meter import Meter
from watchdog.sources.events.tasks.allowance import Spent


def measured(*spent: Spent) -> tuple[float, float] | None:
    meter = Meter()
    for one in spent:
        meter.notes(one)
    return meter.measured()


def test_a_first_note_measures_nothing() -> None:
    assert measured(Spent(0.0, 5.0, 100, 100)) is None


def test_events_and_cpu_are_of_the_time_between() -> None:
    assert measured(Spent(10.0, 5.0, 100, 100), Spent(20.0, 7.5, 300, 150)) == (25.0, 0.25)


def test_what_is_older_than_two_minutes_does_not_count() -> None:
    flood = [Spent(float(at), 1.0 * at, 1000 * at, 0) for at in range(0, 62, 2)]
    calm = [Spent(float(at), 60.0, 60_000, at) for at in range(62, 300, 2)]
    per_s, share = measured(*flood, *calm) or (0.0, 0.0)
    assert (per_s, share) == (1.0, 0.0)
