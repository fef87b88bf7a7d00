"""What is said before an action, from a cluster as it is known; tests/integration/test_actions.py holds it against real workers."""

import pytest
from msgspec.structs import replace

from watchdog.core.actions.foresee import foresee
from watchdog.core.actions.request import Cluster, Foreseen, QueueKnown, Request, WorkerKnown

PREFORK = WorkerKnown(
    "celery@pre",
    answers=True,
    pool="prefork",
    size=4,
    queues=frozenset({"q"}),
    tasks=frozenset({"shop.pay"}),
    autoscales=False,
    restarts=True,
)
THREADS = replace(PREFORK, name="celery@thr", pool="threads", queues=frozenset({"q", "slow"}))
SOLO = replace(PREFORK, name="celery@sol", pool="solo", size=1)
GREEN = replace(PREFORK, name="celery@gre", pool="gevent")
EVERY = (PREFORK, THREADS, SOLO, GREEN)


def cluster(*workers: WorkerKnown, holders: dict[str, str] | None = None, silence: str = "", **lengths: int) -> Cluster:
    queues = {name: QueueKnown(name, {name: length}) for name, length in lengths.items()}
    return Cluster({worker.name: worker for worker in workers}, holders or {}, queues, silence=silence)


def foreseen(kind: str, on: Cluster, **given: object) -> Foreseen:
    return foresee(Request(kind=kind, target="prod", **given), on)  # type: ignore[arg-type]


def noted(said: Foreseen, words: str) -> list[str]:
    """The workers named by notes that say this."""
    notes = [note for note in said.notes if words in note]
    return sorted(worker.name for worker in EVERY if any(worker.name in note for note in notes))


def test_without_names_all_workers_are_meant() -> None:
    assert foreseen("grow", cluster(*EVERY), number=1).workers == ("celery@gre", "celery@pre", "celery@sol", "celery@thr")


def test_a_glob_means_those_that_match() -> None:
    assert foreseen("grow", cluster(*EVERY), number=1, workers=("celery@[ps]*",)).workers == ("celery@pre", "celery@sol")


def test_a_worker_that_is_not_there_is_refused_with_what_was_probably_meant() -> None:
    [fault] = foreseen("shutdown", cluster(*EVERY), workers=("celery@per",)).faults
    assert fault == 'no worker "celery@per" answers, nor was one seen a moment ago; did you mean "celery@pre"?'


def test_if_nobody_could_be_asked_nothing_is_sent() -> None:
    assert foreseen("grow", cluster(silence="redis: hangs"), number=1).faults == ("redis: hangs",)


def test_if_nobody_answers_nothing_is_sent() -> None:
    assert foreseen("grow", cluster(), number=1).faults == ("no worker answers, and none is known; nothing was sent",)


def test_a_worker_that_does_not_answer_is_named() -> None:
    said = foreseen("shutdown", cluster(WorkerKnown("celery@sol", answers=False)), workers=("celery@sol",))
    assert noted(said, "no answer now from") == ["celery@sol"]


def test_pools_that_cannot_terminate_are_named_before() -> None:
    assert noted(foreseen("revoke", cluster(*EVERY), task_id="x", terminate=True), "cannot terminate") == ["celery@sol", "celery@thr"]


def test_only_the_pool_that_runs_the_task_matters_for_its_termination() -> None:
    on = cluster(*EVERY, holders={"celery@pre": "active"})
    assert noted(foreseen("revoke", on, task_id="x", terminate=True), "cannot terminate") == []


def test_a_green_pool_is_said_to_report_a_terminated_task_as_succeeded() -> None:
    on = cluster(*EVERY, holders={"celery@gre": "active"})
    assert noted(foreseen("revoke", on, task_id="x", terminate=True), "reports it as succeeded") == ["celery@gre"]


def test_a_pool_that_is_not_known_is_said_to_be_so() -> None:
    unknown = replace(PREFORK, pool=None)
    assert noted(foreseen("revoke", cluster(unknown), task_id="x", terminate=True), "is not known") == ["celery@pre"]


def test_a_revoke_of_what_runs_already_is_said_to_need_terminate() -> None:
    on = cluster(PREFORK, holders={"celery@pre": "active"})
    assert any("add --terminate" in note for note in foreseen("revoke", on, task_id="x").notes)


def test_the_worker_that_runs_the_task_is_shown() -> None:
    on = cluster(PREFORK, holders={"celery@pre": "active"})
    assert "  runs on celery@pre" in foreseen("revoke", on, task_id="x").touches


def test_pools_without_a_restart_are_named_before() -> None:
    assert noted(foreseen("restart-pool", cluster(*EVERY)), "has no restart") == ["celery@gre", "celery@sol", "celery@thr"]


def test_workers_whose_restarts_are_off_are_named_with_the_setting() -> None:
    said = foreseen("restart-pool", cluster(replace(PREFORK, restarts=False)))
    assert noted(said, "worker_pool_restarts = True") == ["celery@pre"]


def test_pools_without_time_limits_are_named_before() -> None:
    assert noted(foreseen("time-limit", cluster(*EVERY), task="shop.pay", hard_s=9.0), "has no time limits") == ["celery@sol", "celery@thr"]


def test_green_pools_are_said_to_have_no_soft_limit() -> None:
    assert noted(foreseen("time-limit", cluster(*EVERY), task="shop.pay", soft_s=5.0), "has no soft limit") == ["celery@gre"]


def test_a_task_that_is_not_registered_is_named_with_what_was_probably_meant() -> None:
    said = foreseen("rate-limit", cluster(PREFORK), task="shop.pya", rate="1/s")
    assert any('no task "shop.pya" is registered there; did you mean "shop.pay"?' in note for note in said.notes)


def test_what_a_worker_holds_back_is_said_to_keep_to_the_old_limit() -> None:
    said = foreseen("rate-limit", cluster(PREFORK), task="shop.pay", rate="0")
    assert any("keeps to the old limit" in note for note in said.notes)


@pytest.mark.parametrize("kind", ["grow", "shrink"])
def test_pools_that_cannot_change_their_size_are_named(kind: str) -> None:
    assert noted(foreseen(kind, cluster(*EVERY), number=1), "cannot change its size") == ["celery@sol", "celery@thr"]


def test_an_autoscaled_pool_is_said_to_refuse_to_grow() -> None:
    assert noted(foreseen("grow", cluster(replace(PREFORK, autoscales=True)), number=1), "only `watchdog act autoscale`") == ["celery@pre"]


def test_a_pool_without_autoscale_is_said_to_refuse_its_limits() -> None:
    assert noted(foreseen("autoscale", cluster(PREFORK), lowest=1, highest=2), "started without --autoscale") == ["celery@pre"]


def test_the_new_size_of_a_pool_is_shown() -> None:
    assert foreseen("shrink", cluster(PREFORK), number=1).touches == ("celery@pre: minus 1 process, from 4 to 3",)


def test_a_queue_that_nobody_else_consumes_is_named_with_what_waits_there() -> None:
    said = foreseen("cancel-consumer", cluster(PREFORK, THREADS, slow=7), queue="slow", workers=("celery@thr",))
    assert "nobody else consumes slow, where 7 messages wait" in said.notes


def test_a_queue_that_another_worker_consumes_is_not() -> None:
    said = foreseen("cancel-consumer", cluster(PREFORK, THREADS, q=7), queue="q", workers=("celery@thr",))
    assert not any("nobody else" in note for note in said.notes)


def test_the_queues_that_a_shutdown_leaves_alone_are_named() -> None:
    said = foreseen("shutdown", cluster(PREFORK, THREADS, slow=7), workers=("celery@thr",))
    assert [note for note in said.notes if "nobody else" in note] == ["nobody else consumes slow, where 7 messages wait"]


def test_a_new_queue_that_nothing_is_known_of_may_be_a_typo() -> None:
    assert any('did you mean "slow"?' in note for note in foreseen("add-consumer", cluster(THREADS), queue="slwo").notes)


def test_a_purge_says_how_many_messages_are_deleted() -> None:
    assert foreseen("purge", cluster(q=12), queue="q").touches == ("q: 12 messages deleted for good",)


def test_lists_of_several_priorities_are_counted_each() -> None:
    found = QueueKnown("q", {"q": 1, "q\x06\x163": 0, "q\x06\x169": 4})
    said = foreseen("purge", Cluster(queues={"q": found}), queue="q")
    assert said.touches == ("q: 5 messages (priority 0: 1, priority 9: 4) deleted for good",)


def test_a_move_of_one_task_says_how_many_of_how_many() -> None:
    on = replace(cluster(PREFORK, q=12, slow=1), matching=3)
    said = foreseen("move", on, queue="q", other="slow", only="shop.pay")
    assert said.touches == ("q: 3 messages of shop.pay, of 12, moved to slow, where 1 message wait",)


def test_a_move_to_a_queue_that_nobody_consumes_says_so() -> None:
    said = foreseen("move", cluster(PREFORK, q=1, slow=0), queue="q", other="slow")
    assert "no worker that answered consumes slow" in said.notes


def test_a_queue_cannot_be_moved_to_itself() -> None:
    assert foreseen("move", cluster(q=1), queue="q", other="q").faults == ('expected another queue to move to, found "q" twice',)


def test_a_queue_that_could_not_be_read_is_left_alone() -> None:
    assert foreseen("purge", cluster(silence="redis: hangs"), queue="q").faults == ("redis: hangs",)
