from msgspec.structs import replace

from tests.builders.cluster import healthy
from tests.builders.looks import Watch, cell
from tests.builders.worker_states import WEB, restarts, watching, workers
from watchdog.core.model.rows import Reading


def test_a_restart_without_a_goodbye_is_a_crash() -> None:
    watch = watching(healthy())
    for pid in (101, 102, 103):
        restarts(watch, pid)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes")] == [3.0, 3.0]


def test_one_after_a_goodbye_is_none() -> None:
    watch = watching(healthy())
    restarts(watch, 101, goodbye=True)
    reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes")] == [1.0, 0.0]


def test_two_processes_under_one_name_do_not_restart() -> None:
    watch = watching(healthy())
    for pid in (101, 17, 101, 17, 101):
        restarts(watch, pid)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "duplicate")] == [1.0, True]


def test_two_processes_under_one_name_and_one_pid_do_not_restart() -> None:
    watch = watching(healthy())
    for processed in (500, 10, 501, 11, 502, 12):
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], processed=processed)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes", "duplicate")] == [0.0, 0.0, True]


def test_a_worker_that_flower_knows_by_its_tasks_alone_for_a_moment_is_no_second_worker() -> None:
    """Right after its restart it shows no pid."""
    watch = watching(healthy())
    beat = watch.cluster.beats[WEB]
    duplicates = []
    for pid in (None, beat.pid, beat.pid):
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=pid)
        duplicates.append(cell(workers(watch), WEB, "duplicate"))
    assert duplicates == [False] * 3


def beats_come(watch: Watch, more: int, looks: int) -> Reading:
    """So many heartbeats above the usual five come between one look and the next."""
    for _ in range(looks):
        beat = watch.cluster.beats[WEB]
        watch.cluster.beats[WEB] = replace(beat, pulses=(beat.pulses or 0) + more)
        reading = workers(watch)
    return reading


def test_heartbeats_that_come_twice_as_often_are_those_of_two_processes() -> None:
    assert cell(beats_come(watching(healthy()), 5, looks=4), WEB, "duplicate") is True


def test_heartbeats_that_were_held_up_are_no_second_worker() -> None:
    watch = watching(healthy())
    for _ in range(3):
        beats_come(watch, 0, looks=2)
        assert cell(beats_come(watch, 30, looks=1), WEB, "duplicate") is False


def test_a_count_that_was_kept_and_then_jumps_is_no_second_worker() -> None:
    watch = watching(healthy())
    for _ in range(4):
        for more in (-5, -5, 10):
            assert cell(beats_come(watch, more, looks=1), WEB, "duplicate") is False


def test_one_hello_that_was_lost_is_no_second_worker() -> None:
    watch = watching(healthy())
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], processed=3)
    assert cell(workers(watch), WEB, "duplicate") is False
