"""Where each rule was seen to fire on its real fault. Every other rule is proved on rows alone (tests/unit/test_shipped_rules.py).

A scene counts if its truth needs this rule and no other: the scene fails if nobody is notified of it. A test counts if it names the rule;
where it has the fixture `receiver`, the fixture fails it unless a message that said so arrived.
"""

from collections.abc import Iterable, Mapping

__all__ = ["SEEN", "claimed_of"]

_PACK = "tests/e2e/test_pack.py::test_"
_BROKER, _LOCK = f"{_PACK}a_broker_in_trouble", f"{_PACK}a_lock_that_nobody_releases_keeps_messages_from_being_delivered_again"
_BUSY, _TASKS = f"{_PACK}a_queue_whose_only_worker_is_busy", f"{_PACK}tasks_that_fail_are_killed_revoked_and_held"
_HANG = f"{_PACK}tasks_that_hang_a_queue_that_nobody_used_and_a_receiver_that_is_away"
_WORKERS = f"{_PACK}workers_that_come_and_go"
_CAUSE = "tests/e2e/test_one_cause.py::test_"

SEEN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("ResultBackendGrowth", "BrokerPersistenceFailing", "BrokerConnectionsHigh", "BrokerSlow"), (_BROKER,)),
    **dict.fromkeys(("UnackedRestoreStuck", "TaskNearVisibilityTimeout"), (_LOCK,)),
    **dict.fromkeys(("WorkerSaturated", "OldestMessageAge", "QueueDrainTime", "QueueGrowing", "QueueWaitHigh"), (_BUSY,)),
    **dict.fromkeys(("TaskFailedAny", "TimeLimitExceeded", "WorkerLostErrors", "TasksRevoked", "UnackedHigh"), (_TASKS,)),
    **dict.fromkeys(("WorkerLeft", "WorkerRestartedOften", "WorkerFlapping", "WorkerMemoryHigh"), (_WORKERS,)),
    **dict.fromkeys(("WorkerLoadHigh", "HeartbeatFailing"), (_WORKERS,)),
    **dict.fromkeys(("QueueStuck", "TaskRunningTooLong", "ProgressStalled", "QueueNeverSeen", "DeliveryFailing"), (_HANG,)),
    "NoWorkersOnline": (_WORKERS,),
    "ReceiverOff": ("tests/e2e/test_outbox.py::test_one_whose_address_is_gone_is_off_and_another_is_told_so",),
    "ConfigRejected": ("tests/e2e/test_run.py::test_a_reload_with_a_fault_keeps_the_old_configuration_and_says_so",),
    "Silenced": ("tests/e2e/test_tell_silences.py::test_the_start_and_the_end_of_a_silence_are_told_to_those_who_ask_and_whom_it_affects",),
    "EvaluationLate": (f"{_PACK}a_flower_that_hangs_makes_cycles_late",),
    "ObjectiveBurnsFast": ("tests/e2e/test_objectives.py::test_tasks_that_wait_too_long_burn_the_budget_and_are_told",),
    "TaskOverdue": ("tests/e2e/test_schedules.py::test_a_beat_that_dies_is_told_and_its_return_ends_it",),
    "EveryWorkerLost": (f"{_CAUSE}all_workers_that_die_are_one_message_and_one_when_they_are_back",),
    "HostLost": (f"{_CAUSE}a_host_that_dies_is_one_message_that_says_so_and_one_when_it_is_back",),
    "WorkerLost": (f"{_CAUSE}a_host_that_dies_is_one_message_that_says_so_and_one_when_it_is_back",),
    "WorkersBelowMinimum": (f"{_CAUSE}a_host_that_dies_is_one_message_that_says_so_and_one_when_it_is_back",),
    "ResultsUnreachable": (
        "tests/integration/test_results_place.py::test_results_on_a_server_of_their_own_are_found_once_results_names_it",
    ),
}
"""Rule -> tests, as pytest names them. Scenes are found by their needs."""

NOT_TOLD_HERE = ("WorkerLost", "WorkersBelowMinimum", "ReceiverOff")
"""Fired where `receiver` was not notified: another incident explained them, or it is what they report."""


def claimed_of(test: str) -> Iterable[str]:
    """The rules that a test says it saw, and was notified of."""
    return [rule for rule, tests in SEEN.items() if test in tests and rule not in NOT_TOLD_HERE]
