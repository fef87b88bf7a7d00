"""What is kept of the events of each worker."""

from typing import Any

from watchdog.core.model.replies import WorkerHeard
from watchdog.sources.events.heard import MOST_WORKERS, Memory
from watchdog.sources.events.messages import WorkerEvent

NOW = 1_800_000_000.0
NAME = "celery@web-1"


class Ears:
    """A memory that hears events at the times that a test names, in seconds since it was opened."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.memory.opens(0.0)

    def hear(self, kind: str, at: float, name: str = NAME, *, behind: float = 0.0, pid: int = 17, **fields: Any) -> None:
        event = WorkerEvent(name, f"worker-{kind}", pid, NOW + at - behind, 2.0, **fields)
        self.memory.hears(event, at, NOW + at)

    def beats(self, *times: float, **fields: Any) -> None:
        for at in times:
            self.hear("heartbeat", at, **fields)

    def of(self, at: float, name: str = NAME) -> WorkerHeard:
        return self.memory.heard(at).workers[name]


def test_it_says_how_long_ago_a_worker_was_heard_and_how_often() -> None:
    ears = Ears()
    ears.hear("online", 1)
    ears.beats(3, 5, active=1, processed=7, sw_ver="5.7.0")
    heard = ears.of(6.5)
    assert (heard.ago_s, heard.gone, heard.beat.heartbeats) == (1.5, False, (NOW + 1, NOW + 3, NOW + 5))
    assert (heard.beat.hellos, heard.beat.pulses, heard.beat.active, heard.beat.processed, heard.beat.version) == (1, 2, 1, 7, "5.7.0")


def test_a_goodbye_is_its_last_word_until_it_is_heard_again() -> None:
    ears = Ears()
    ears.beats(1, 3)
    ears.hear("offline", 4)
    left = ears.of(5)
    ears.hear("online", 6)
    assert (left.gone, left.beat.heartbeats, ears.of(7).gone) == (True, (), False)


def test_one_of_two_that_says_goodbye_does_not_take_the_other_with_it() -> None:
    ears = Ears()
    ears.beats(1, pid=17)
    ears.beats(2, pid=18)
    ears.hear("offline", 3, pid=17)
    assert not ears.of(3.5).gone


def test_an_earlier_process_that_is_heard_again_means_two() -> None:
    ears = Ears()
    ears.beats(1, pid=17)
    ears.beats(2, pid=18)
    before = ears.of(2.5).turned_s
    ears.beats(3, pid=17)
    assert (before, ears.of(4).turned_s) == (None, 1)


def test_a_restart_does_not_mean_two_even_if_the_process_gets_an_earlier_pid() -> None:
    ears = Ears()
    for at, pid in ((1, 17), (5, 18), (9, 17)):  # a crash each time: no goodbye
        ears.hear("online", at, pid=pid)
        ears.beats(at + 2, pid=pid)
    assert ears.of(12).turned_s is None


def test_a_worker_heard_while_it_works_is_no_solo_pool_until_it_starts_anew() -> None:
    ears = Ears()
    ears.beats(1, active=0)
    idle = ears.of(2).spoke_busy
    ears.beats(3, active=1)
    busy = ears.of(4).spoke_busy
    ears.hear("online", 5, pid=18)
    assert (idle, busy, ears.of(6).spoke_busy) == (False, True, False)


def test_its_clock_is_compared_with_ours_by_the_event_that_was_delayed_least() -> None:
    ears = Ears()
    ears.beats(1, behind=-60)
    first = ears.of(2).ahead_s
    ears.beats(3, behind=-30)  # half a minute late
    ears.beats(5, behind=-59)
    assert (first, ears.of(6).ahead_s) == (None, 60)


def test_what_was_heard_before_a_lost_connection_is_not_said_of_now() -> None:
    ears = Ears()
    ears.beats(1)
    ears.beats(2, name="celery@web-2")
    ears.memory.opens(10.0)
    ears.beats(11, name="celery@web-2")
    heard = ears.memory.heard(12)
    assert (heard.since_s, list(heard.workers), heard.workers["celery@web-2"].beat.pulses) == (2, ["celery@web-2"], 2)


def test_however_many_names_are_sent_only_so_many_are_kept_the_last_heard() -> None:
    ears = Ears()
    for number in range(MOST_WORKERS + 10):
        ears.beats(number, name=f"w{number}")
        ears.beats(number, name="celery@there")
    workers = ears.memory.heard(MOST_WORKERS + 10).workers
    assert (len(workers), "w0" in workers, "celery@there" in workers) == (MOST_WORKERS, False, True)


def test_however_many_processes_share_a_name_only_so_many_are_kept() -> None:
    ears = Ears()
    for number in range(1000):
        ears.beats(number, pid=number)
    assert len(ears.memory._workers[NAME].pids) == 4


def test_an_event_that_a_program_of_its_users_made_up_is_ignored() -> None:
    ears = Ears()
    ears.hear("cache-warmed", 1)
    assert ears.memory.heard(2).workers == {}


def test_a_worker_of_which_it_is_proven_speaks_while_it_works_until_another_process_says_hello() -> None:
    ears = Ears()
    ears.beats(1, 3, active=0)
    ears.memory.speaks_while_it_works(NAME)
    ears.memory.speaks_while_it_works("celery@nobody")
    proven = ears.of(4).spoke_busy
    ears.hear("online", 5, pid=18)
    assert (proven, ears.of(6).spoke_busy) == (True, False)
