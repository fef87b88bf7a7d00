from watchdog.receivers.pace import Pace


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def a_pace() -> tuple[Pace, Time]:
    time = Time()
    return Pace(1.0, time.clock, time.sleep), time


def test_the_first_turn_is_at_once() -> None:
    pace, time = a_pace()
    assert (pace.wait_turn("a", 5.0), time.slept) == (0.0, [])


def test_turns_are_a_second_apart() -> None:
    pace, time = a_pace()
    for _ in range(3):
        assert pace.wait_turn("a", 5.0) == 0.0
    assert time.slept == [1.0, 1.0]


def test_time_that_passed_anyway_is_not_waited_for_again() -> None:
    pace, time = a_pace()
    pace.wait_turn("a", 5.0)
    time.now += 0.75
    pace.wait_turn("a", 5.0)
    assert time.slept == [0.25]


def test_another_address_has_turns_of_its_own() -> None:
    pace, time = a_pace()
    pace.wait_turn("a", 5.0)
    pace.wait_turn("b", 5.0)
    assert time.slept == []


def test_a_turn_too_far_away_is_not_taken() -> None:
    pace, time = a_pace()
    pace.hold("a", 30.0)
    assert [pace.wait_turn("a", 5.0), pace.wait_turn("a", 5.0)] == [30.0, 30.0]
    assert time.slept == []


def test_an_address_asks_for_a_quarter_of_an_hour_at_most() -> None:
    pace, _ = a_pace()
    pace.hold("a", 86400.0)
    assert pace.wait_turn("a", 5.0) == 900.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pace, _ = a_pace()
    pace.hold("a", 60.0)
    pace.hold("a", 10.0)
    assert pace.wait_turn("a", 5.0) == 60.0
