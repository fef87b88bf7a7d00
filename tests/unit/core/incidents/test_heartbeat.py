import pytest

from watchdog.core.incidents.heartbeat import CyclesSeen, Ping, Reachability, ping

WELL = Ping()
OK = Reachability("ops")
IN_VAIN = [Reachability("a", off=True), Reachability("b", given_up=True), Reachability("c", waited_s=300.1)]


def seen(ended_at: float | None, failed: str = "", *, patience_s: float = 40.0, began_at: float = 0.0) -> CyclesSeen:
    return CyclesSeen(patience_s, began_at, ended_at, failed)


@pytest.mark.parametrize(
    ("cycles", "now", "pinged_at", "expected"),
    [
        pytest.param([None], 5, None, None, id="nothing before the first cycle has ended"),
        pytest.param([5], 5, None, WELL, id="the first ping once it has"),
        pytest.param([5, None], 5, None, None, id="and that of every target"),
        pytest.param([5, 9], 9, None, WELL, id="then at once"),
        pytest.param([60, 64], 64.9, 5, None, id="not twice a minute"),
        pytest.param([60, 64], 65, 5, WELL, id="once a minute is over"),
        pytest.param([60, 5], 65, 5, None, id="but not before every target has ended a cycle since the last ping"),
        pytest.param([300, 5], 300, 5, None, id="an overdue cycle silences it"),
        pytest.param([300, 259.9], 300, 5, None, id="even where that target has ended one since"),
        pytest.param([300, 260], 300, 5, WELL, id="to the second"),
        pytest.param([None], 41, None, None, id="overdue from the start"),
    ],
)
def test_when_something_is_said(cycles: list[float | None], now: float, pinged_at: float | None, expected: Ping | None) -> None:
    targets = {f"t{number}": seen(at) for number, at in enumerate(cycles)}
    assert ping(targets, [OK], now=now, pinged_at=pinged_at, every_s=60) == expected


def said(targets: dict[str, CyclesSeen], receivers: list[Reachability] | str) -> Ping | None:
    return ping(targets, receivers, now=10, pinged_at=None, every_s=60)


def test_a_last_cycle_that_failed_is_a_failure() -> None:
    assert said({"b": seen(9), "a": seen(9, "disk full")}, [OK]) == Ping("the last cycle of a failed: disk full")


def test_a_failure_is_not_said_while_another_target_hangs() -> None:
    assert said({"a": seen(9, "disk full"), "b": seen(None, began_at=-100)}, [OK]) is None


def test_while_the_database_is_away_nothing_is_said() -> None:
    assert said({"a": CyclesSeen(40.0, 0.0, 9, "no connection", away=True), "b": seen(9)}, [OK]) is None


def test_the_first_ping_may_be_a_failure() -> None:
    assert said({"a": seen(9, "disk full")}, []) == Ping("the last cycle of a failed: disk full")


def test_nothing_can_be_delivered_once_every_receiver_is_out_of_reach() -> None:
    assert said({"a": seen(9)}, IN_VAIN) == Ping("nothing can be delivered: a, b, c")


@pytest.mark.parametrize("one", IN_VAIN, ids=lambda telling: telling.name)
def test_one_receiver_that_is_told_is_enough(one: Reachability) -> None:
    assert said({"a": seen(9)}, [one, OK]) == WELL


def test_a_message_may_wait_for_five_minutes() -> None:
    assert said({"a": seen(9)}, [Reachability("c", waited_s=300)]) == WELL


def test_without_receivers_nothing_was_to_be_delivered() -> None:
    assert said({"a": seen(9)}, []) == WELL


def test_an_outbox_that_cannot_be_read_is_a_failure() -> None:
    assert said({"a": seen(9)}, "database locked") == Ping("database locked")
