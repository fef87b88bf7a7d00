from msgspec.structs import replace

from tests.builders.looks import Watch, cell
from tests.builders.worker_states import WEB, watching, workers


def comes_and_goes(watch: Watch, *, restarts: bool = False) -> None:
    cluster, beat = watch.cluster, watch.cluster.beats[WEB]
    cluster.dies(WEB)
    watch.look()
    cluster.online[WEB] = True
    cluster.answering.add(WEB)
    if restarts:
        cluster.beats[WEB] = replace(beat, pid=(beat.pid or 0) + 1)
    watch.look()


def test_a_process_that_was_lost_and_is_heard_again_is_counted() -> None:
    watch = watching()
    for _ in range(2):
        comes_and_goes(watch)
    assert cell(workers(watch), WEB, "returns") == 2.0


def test_another_process_under_its_name_is_a_restart_instead() -> None:
    watch = watching()
    comes_and_goes(watch, restarts=True)
    reading = workers(watch)
    assert (cell(reading, WEB, "returns"), cell(reading, WEB, "restarts")) == (0.0, 1.0)


def test_a_worker_that_said_goodbye_did_not_get_lost() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    watch.look()
    watch.cluster.add(WEB)
    assert cell(workers(watch), WEB, "returns") == 0.0
