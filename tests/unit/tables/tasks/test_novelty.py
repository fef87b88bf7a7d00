"""Which kinds of failure are new or have returned, and when nobody knows."""

from collections.abc import Iterable

from tests.builders.answers import NOW, a_failure
from tests.builders.cluster import healthy
from tests.builders.looks import Watch, gap, row
from watchdog.tables.tasks.novelty import MOST_KINDS, PAUSE_S, Sightings, sighted

DAY, HOUR = 86400.0, 3600.0
KIND = ("shop.pay", "ValueError")


def watched(until: float, *failures: float, pauses: Iterable[tuple[float, float]] = (), since: float = NOW) -> Sightings:
    """What is known after looks every half hour, without those within the pauses; failures of one kind happen at these times."""
    known, at = Sightings(), since
    left = sorted(failures)
    while at <= until:
        if not any(begin < at < end for begin, end in pauses):
            now = [(*KIND, when) for when in left if when <= at]
            left = [when for when in left if when > at]
            known = sighted(known, now, at)
        at += HOUR / 2
    return known


def novelty(known: Sightings, now: float) -> str | None:
    seen = known.of(*KIND)
    assert seen is not None
    return seen.novelty(now)


def test_what_is_first_seen_after_a_day_of_watching_is_new() -> None:
    assert novelty(watched(NOW + 2 * DAY, NOW + 2 * DAY), NOW + 2 * DAY) == "new"


def test_it_stays_new_for_a_day_however_often_it_occurs() -> None:
    known = watched(NOW + 3 * DAY, NOW + 2 * DAY, NOW + 2.5 * DAY, NOW + 2.9 * DAY)
    assert [novelty(known, NOW + days * DAY) for days in (2.99, 3.01)] == ["new", ""]


def test_on_the_first_day_nobody_knows() -> None:
    assert novelty(watched(NOW + HOUR, NOW + HOUR), NOW + HOUR) is None


def test_a_day_later_it_is_new_no_more_in_any_case() -> None:
    assert novelty(watched(NOW + HOUR, NOW + HOUR), NOW + 2 * DAY) == ""


def test_after_a_week_without_it_it_has_returned() -> None:
    assert novelty(watched(NOW + 9 * DAY, NOW + DAY, NOW + 8.5 * DAY), NOW + 9 * DAY) == "returned"


def test_after_less_than_a_week_it_has_not() -> None:
    assert novelty(watched(NOW + 9 * DAY, NOW + 2 * DAY, NOW + 8.5 * DAY), NOW + 9 * DAY) == ""


def test_a_week_that_nobody_watched_proves_no_return() -> None:
    pause = (NOW + 2 * DAY, NOW + 5 * DAY)
    assert novelty(watched(NOW + 9 * DAY, NOW + DAY, NOW + 8.5 * DAY, pauses=[pause]), NOW + 9 * DAY) is None


def test_after_a_pause_what_is_new_is_not_known_for_a_day() -> None:
    pause = (NOW + 2 * DAY, NOW + 2 * DAY + 2 * PAUSE_S)
    first = pause[1] + HOUR
    assert novelty(watched(first + HOUR, first, pauses=[pause]), first + HOUR) is None


def test_a_short_pause_changes_nothing() -> None:
    pause = (NOW + 2 * DAY, NOW + 2 * DAY + PAUSE_S)
    assert novelty(watched(NOW + 2.5 * DAY, NOW + 2.4 * DAY, pauses=[pause]), NOW + 2.5 * DAY) == "new"


def test_once_kinds_had_to_be_forgotten_nothing_is_called_new() -> None:
    known = watched(NOW + 2 * DAY)
    many = [("shop.pay", f"Error{nth}", NOW + 2 * DAY) for nth in range(MOST_KINDS + 1)]
    known = sighted(known, many, NOW + 2 * DAY + 1)
    known = sighted(known, [(*KIND, NOW + 2 * DAY + 2)], NOW + 2 * DAY + 2)
    assert novelty(known, NOW + 2 * DAY + 2) is None


# --- in the table -------------------------------------------------------------------------------------------------------


def test_a_first_look_does_not_know_what_is_new() -> None:
    cluster = healthy()
    cluster.tasks = [a_failure()]
    assert gap(Watch(cluster).look(0)["errors"], "", "novelty").startswith("failures have not been watched for long enough")


def test_a_kind_that_begins_after_a_day_of_watching_is_shown_as_new_since_then() -> None:
    cluster = healthy()
    watch = Watch(cluster)
    watch.look(0)
    for _ in range(50):
        watch.look(1800)
    cluster.tasks = [a_failure(at=cluster.now + 5)]
    watch.look(10)
    cells = row(watch.look(10)["errors"], "shop.pay", "ValueError", table="errors").cells
    assert (cells["novelty"], cells["known_s"]) == ("new", 15.0)
