from watchdog.receivers.pace import MOST_ADDRESSES, Pace


class Stopwatch:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_pace() -> tuple[Pace, Stopwatch]:
    stopwatch = Stopwatch()
    return Pace(stopwatch), stopwatch


def test_the_first_turn_is_at_once() -> None:
    pace, _ = a_pace()
    assert pace.turn("a", 1.0) == 0.0


def test_turns_are_as_far_apart_as_the_pace_says() -> None:
    pace, _ = a_pace()
    assert [pace.turn("a", 4.0) for _ in range(3)] == [0.0, 0.25, 0.5]


def test_time_that_passed_anyway_is_not_waited_for_again() -> None:
    pace, stopwatch = a_pace()
    pace.turn("a", 1.0)
    stopwatch.now += 0.75
    assert pace.turn("a", 1.0) == 0.25


def test_no_turns_are_saved_up_for_a_burst() -> None:
    pace, stopwatch = a_pace()
    pace.turn("a", 1.0)
    stopwatch.now += 3600
    assert [pace.turn("a", 1.0), pace.turn("a", 1.0)] == [0.0, 1.0]


def test_another_address_has_turns_of_its_own() -> None:
    pace, _ = a_pace()
    pace.turn("a", 1.0)
    assert pace.turn("b", 1.0) == 0.0


def test_an_address_that_asks_for_a_pause_is_held_for_as_long() -> None:
    pace, stopwatch = a_pace()
    pace.hold("a", 30.0)
    stopwatch.now += 10.0
    assert (pace.held("a"), pace.held("b")) == (20.0, 0.0)


def test_an_address_gets_a_quarter_of_an_hour_at_most() -> None:
    pace, _ = a_pace()
    pace.hold("a", 86400.0)
    assert pace.held("a") == 900.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace, _ = a_pace()
    pace.hold("a", 60.0)
    pace.hold("a", 10.0)
    assert pace.held("a") == 60.0


def test_a_pause_ends_by_time_or_by_hand() -> None:
    pace, stopwatch = a_pace()
    pace.hold("a", 60.0)
    pace.hold("b", 60.0)
    pace.release("b")
    assert pace.held("b") == 0.0
    stopwatch.now += 60.0
    assert pace.held("a") == 0.0


def test_addresses_that_are_free_anyway_are_forgotten() -> None:
    pace, stopwatch = a_pace()
    for number in range(3 * MOST_ADDRESSES):
        pace.turn(str(number), 50.0)
        stopwatch.now += 1.0
    assert len(pace._turn_at) <= MOST_ADDRESSES
