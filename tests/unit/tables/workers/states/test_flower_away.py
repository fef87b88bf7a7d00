from tests.builders.looks import gap, names
from tests.builders.worker_states import GPU, WEB, state, watching, workers


def test_while_flower_does_not_answer_no_state_is_known_and_no_row_goes() -> None:
    watch = watching()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    reading = workers(watch)
    assert (reading.unread, names(reading), gap(reading, WEB, "state")) == (
        "flower: connection refused",
        [GPU, WEB],
        "flower: connection refused",
    )


def test_after_flower_restarted_workers_are_unknown_for_10_seconds_and_then_online() -> None:
    watch = watching()
    beats, cache = watch.cluster.beats, watch.cluster.cache
    watch.cluster.restarts_flower()
    first = [state(watch, after=1), state(watch, after=4)]
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = beats, cache, {WEB: True, GPU: True}
    assert all("flower: up since" in str(s) for s in first)
    assert state(watch, after=4) == "online"


def test_a_worker_lost_while_flower_restarted_is_lost_10_seconds_later() -> None:
    watch = watching()
    watch.cluster.restarts_flower()
    watch.cluster.answering.clear()
    states = [state(watch, after=5), state(watch, after=5), state(watch, after=5)]
    assert states[2] == "lost"


def test_a_restarted_flower_that_lists_all_again_at_once_is_noticed_by_its_start() -> None:
    watch = watching()
    watch.cluster.flower_started_at = watch.cluster.now
    watch.cluster.dies(WEB)
    assert "flower: up since" in str(state(watch))


def test_one_restart_of_flower_counts_once_however_late_its_counters_show_it() -> None:
    watch = watching()
    beats, cache, started = watch.cluster.beats, watch.cluster.cache, watch.cluster.flower_started_at
    watch.cluster.restarts_flower()
    watch.cluster.flower_started_at = started
    workers(watch)
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = beats, cache, {WEB: False, GPU: True}
    watch.cluster.answering.discard(WEB)
    watch.cluster.flower_started_at = started + 86400
    assert [state(watch), state(watch)] == ["lost", "lost"]


def test_after_flower_was_down_silence_is_not_believed_for_10_seconds() -> None:
    watch = watching()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    workers(watch)
    del watch.cluster.gaps["flower"]
    watch.cluster.dies(WEB)
    assert [str(state(watch, after=5))[:16], str(state(watch, after=5))[:16], state(watch, after=5)] == [
        "unknown: flower:",
        "unknown: flower:",
        "lost",
    ]


def test_a_worker_left_behind_by_a_goodbye_stays_left_over_flowers_restart() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    beats, cache = watch.cluster.beats, watch.cluster.cache
    watch.cluster.restarts_flower()
    states = [state(watch, after=5)]
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = {GPU: beats[GPU]}, {GPU: cache[GPU]}, {GPU: True}
    assert [*states, state(watch), state(watch)] == ["left"] * 3
