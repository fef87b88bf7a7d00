"""The judge of the scenes, on made-up logs: each kind of wrong is counted, and as what it is."""

from tests.scenes.judge import Also, Look, Need, Told, Verdict, judge, last_due

STEPS = {"killed": 10.0, "restarted": 100.0}
KILLED = Need("killed", ("WorkerLost", "NoWorkersOnline"), "celery@a", within_s=60, mended="restarted", end_within_s=30)


def told(at: float, event: str = "first", rule: str = "WorkerLost", key: str = "celery@a") -> Told:
    return Told(at, event, rule, key)


def judged(*log: Told, looks: tuple[Look, ...] = (), also: tuple[Also, ...] = ()) -> Verdict:
    return judge(log, (KILLED,), also, looks, STEPS)


def counts(verdict: Verdict) -> tuple[int, int, int, int]:
    return len(verdict.false), len(verdict.missed), len(verdict.late), len(verdict.extra)


def test_what_is_told_in_time_and_ends_in_time_passes() -> None:
    verdict = judged(told(45), told(110, "resolved"))
    assert (verdict.passed, verdict.told, verdict.needed, counts(verdict)) == (True, 2, 2, (0, 0, 0, 0))


def test_what_nobody_told_is_missed_once() -> None:
    assert counts(judged()) == (0, 1, 0, 0)


def test_what_came_after_its_time_is_late() -> None:
    assert counts(judged(told(71), told(110, "resolved"))) == (0, 0, 1, 0)


def test_what_was_told_before_the_fault_is_false_and_does_not_count_as_told() -> None:
    assert counts(judged(told(5))) == (1, 1, 0, 0)


def test_another_key_is_false() -> None:
    assert counts(judged(told(45), told(46, key="celery@b"), told(110, "resolved"))) == (1, 0, 0, 0)


def test_a_true_message_that_repeats_the_cause_is_extra() -> None:
    also = (Also("killed", ("QueueNoConsumers",), "mail"),)
    assert counts(judged(told(45), told(70, rule="QueueNoConsumers", key="mail"), told(110, "resolved"), also=also)) == (0, 0, 0, 1)


def test_the_same_before_its_cause_is_false() -> None:
    also = (Also("killed", ("QueueNoConsumers",), "mail"),)
    assert counts(judged(told(9, rule="QueueNoConsumers", key="mail"), told(45), told(110, "resolved"), also=also)) == (1, 0, 0, 0)


def test_a_second_message_of_one_fault_is_extra() -> None:
    assert counts(judged(told(45), told(50, rule="NoWorkersOnline"), told(110, "resolved"))) == (0, 0, 0, 1)


def test_an_end_while_it_lasts_is_false() -> None:
    assert counts(judged(told(45), told(60, "resolved"))) == (1, 0, 0, 0)


def test_an_end_that_never_comes_is_missed() -> None:
    assert counts(judged(told(45))) == (0, 1, 0, 0)


def test_an_end_after_its_time_is_late() -> None:
    assert counts(judged(told(45), told(140, "resolved"))) == (0, 0, 1, 0)


def test_a_check_that_passes_and_should_not_is_missed() -> None:
    verdict = judged(told(45), told(110, "resolved"), looks=(Look(50, "broken", 0, (1, 3)),))
    assert counts(verdict) == (0, 1, 0, 0)


def test_a_check_that_fails_and_should_not_is_false() -> None:
    verdict = judged(told(45), told(110, "resolved"), looks=(Look(5, "healthy", 1, (0,)),))
    assert counts(verdict) == (1, 0, 0, 0)


def test_a_late_message_does_not_pass() -> None:
    assert not judged(told(71), told(110, "resolved")).passed


def test_what_is_due_last_is_the_latest_beginning_or_end() -> None:
    unmended = Need("killed", ("WorkerLost",), within_s=200)
    assert (last_due([], STEPS), last_due([KILLED], STEPS), last_due([KILLED, unmended], STEPS)) == (0.0, 130.0, 210.0)
