"""What the doctor promises to find, item by item, and the test that sees it: on a broken cluster, or on rows or answers."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FINDINGS, ON_A_CLUSTER, OF_AN_APP = "integration/test_doctor_findings.py", "e2e/test_doctor.py", "e2e/test_doctor_app.py"
BADLY, APP = "def test_what_is_set_up_badly_is_found", "def test_everything_that_can_be_wrong_with_an_app_is_found"
SCENARIOS = "../rules/doctor/scenarios"
ITEMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Flower is reached", FINDINGS, ("def test_a_flower_that_is_not_there_is_found",)),
    ("its version", FINDINGS, ("def test_a_flower_before_2_is_found",)),
    ("which of the two 401s", FINDINGS, ("it requires credentials", "it does not accept")),
    ("its API is off", FINDINGS, ("its API is switched off",)),
    ("events are missing", "e2e/test_events.py", ("def test_a_worker_that_says_nothing_of_its_tasks_leaves_their_counts_unknown",)),
    ("Flower is deaf", "unit/tables/workers/states/test_all_silent.py", ("def test_while_nobody_is_heard_they_are_asked_once_a_minute",)),
    ("max_tasks too small for its rate", FINDINGS, ("def test_a_flower_whose_max_tasks_is_too_small_for_its_rate_is_found",)),
    ("clocks and time zones differ", "scenes/plays/workers.py", ('"clocks", ("ClockDrift",)', '"zone", ("ClockDrift",)')),
    ("queue names never seen", ON_A_CLUSTER, (BADLY, '("QueueWithoutConsumer", "spare")')),
    ("queues nobody consumes", ON_A_CLUSTER, (BADLY, '("QueueNoConsumers", "indexng")')),
    ("priority steps in use but not configured", ON_A_CLUSTER, (BADLY, '("PriorityNotRead", "indexing")')),
    ("visibility timeout and limits", ON_A_CLUSTER, (BADLY, '("VisibilityTimeoutTooShort", "late@host")')),
    ("visibility timeout and what waits longer", OF_AN_APP, (APP, '"ScheduleRunsTwice"', '"RetryRunsTwice"')),
    ("eviction policy", ON_A_CLUSTER, (BADLY, '("BrokerMayEvict", "")')),
    ("maxmemory", ON_A_CLUSTER, (BADLY, '("NoMemoryLimit", "")')),
    ("persistence", FINDINGS, ("def test_what_redis_holds_in_memory_alone_has_an_age",)),
    ("persistence, after two hours", f"{SCENARIOS}/broker.toml", ('rule     = "MessagesNotSaved"',)),
    ("results without TTL", ON_A_CLUSTER, (BADLY, '("ResultsKeptForEver", "threads@host")')),
    ("duplicate worker names", "scenes/plays/workers.py", ('("DuplicateWorkerName",)',)),
    ("mixed versions", f"{SCENARIOS}/workers.toml", ("DifferentVersions",)),
    ("pools whose limits do nothing", ON_A_CLUSTER, (BADLY, '("LimitsDoNothing", "threads@host")')),
    ("acks_late with a killer task", ON_A_CLUSTER, (BADLY, '("KillerTaskComesBack", "late@host")')),
    ("receivers", ON_A_CLUSTER, ("def test_send_tries_every_receiver",)),
    ("watchdog's own clock", FINDINGS, ("def test_a_clock_that_differs_from_that_of_redis_is_found",)),
    ("an app: no time limits", OF_AN_APP, (APP, '"TaskWithoutTimeLimit"')),
    ("an app: retries without back-off", OF_AN_APP, (APP, '"RetriesWithoutBackoff"')),
    ("an app: routes to queues that nobody consumes", OF_AN_APP, (APP, '"SentToNobody"')),
    ("an app: schedules of tasks that do not exist", OF_AN_APP, (APP, '"ScheduleWithoutTask"')),
    ("an app: visibility timeout and limits", OF_AN_APP, (APP, '"TaskRunsTwice"')),
)


@pytest.mark.parametrize(("what", "file", "seen"), ITEMS, ids=[what for what, _, _ in ITEMS])
def test_what_the_doctor_promises_has_a_test(what: str, file: str, seen: tuple[str, ...]) -> None:
    text = (TESTS / file).read_text(encoding="utf-8")
    assert [one for one in seen if one not in text] == [], what
