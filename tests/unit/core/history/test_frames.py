"""Frames of looks: what was recorded is what is played, in few bytes."""

from collections.abc import Mapping, Sequence

from msgspec import msgpack
from msgspec.structs import replace

from watchdog.core.history.frames import Frame, Recorder, looks_of
from watchdog.core.model.rows import Reading, Row
from watchdog.tables import TABLES

READ = Reading(
    (Row({"name": "a", "length": 1.0}), Row({"name": "b", "length": 2.0}, {"consumers": "flower: refused"})), idle={"oldest_s": "why"}
)


def queues(*rows: Row) -> Reading:
    return replace(READ, rows=rows)


def recorded(readings: Sequence[Reading], every_s: float = 300.0) -> list[Frame]:
    """The frames of the looks, as a database returns them."""
    recorder, frames = Recorder(TABLES, every_s), []
    for number, reading in enumerate(readings):
        frames.append(msgpack.decode(msgpack.encode(recorder.frame({300.0: {"queues": reading}}, number * 10.0, 10.0)), type=Frame))
        recorder.written()
    return frames


def played(frames: Sequence[Frame]) -> list[tuple[float, Reading]]:
    return [(look.at, look.windows[300.0]["queues"]) for look in looks_of(frames)]


def by_name(reading: Reading) -> Mapping[object, Row]:
    return {row.cells["name"]: row for row in reading.rows}


def test_a_look_is_played_as_it_was_read() -> None:
    assert played(recorded([READ])) == [(0.0, READ)]


def test_rows_come_change_and_go() -> None:
    a, b, c = Row({"name": "a", "length": 1.0}), Row({"name": "b", "length": 2.0}), Row({"name": "c", "length": 3.0})
    looks = [queues(a, b), queues(c, b), queues(Row({"name": "b", "length": 5.0}), a), queues()]
    assert [by_name(reading) for _, reading in played(recorded(looks))] == [by_name(reading) for reading in looks]


def test_a_cell_that_is_gone_is_not_a_gap_and_a_gap_is_not_gone() -> None:
    looks = [
        queues(Row({"name": "a", "length": 1.0})),
        queues(Row({"name": "a"})),
        queues(Row({"name": "a", "length": None}, {"length": "?"})),
    ]
    assert [reading for _, reading in played(recorded(looks))] == looks


def test_what_a_table_says_beside_its_rows_is_kept() -> None:
    looks = [READ, Reading(unread="redis: refused"), Reading(partial="half", missing="some", forgotten=frozenset({("a",)})), READ]
    assert [reading for _, reading in played(recorded(looks))] == looks


def test_rows_of_the_same_key_are_kept_all() -> None:
    twice = queues(Row({"name": "a", "length": 1.0}), Row({"name": "a", "length": 2.0}))
    assert [reading for _, reading in played(recorded([READ, twice]))][1] == twice


def test_what_did_not_change_is_the_same_object_and_costs_no_row() -> None:
    frames = recorded([READ, replace(READ)])
    (_, first), (_, second) = played(frames)
    assert first is second
    assert frames[1].windows == {}


def test_the_first_look_of_every_span_is_whole() -> None:
    assert [frame.whole for frame in recorded([READ] * 5, every_s=20.0)] == [True, False, True, False, True]


def test_a_frame_that_was_not_written_is_not_missed() -> None:
    recorder, changed = Recorder(TABLES, 300.0), queues(Row({"name": "a", "length": 9.0}))
    frames = [recorder.frame({300.0: {"queues": READ}}, 0.0, 10.0)]
    recorder.written()
    recorder.frame({300.0: {"queues": changed}}, 10.0, 10.0)  # rolled back
    frames.append(recorder.frame({300.0: {"queues": changed}}, 20.0, 10.0))
    assert played(frames)[1] == (20.0, changed)


def test_after_a_damaged_frame_looks_are_left_out_until_a_whole_one() -> None:
    frames = recorded([READ] * 6, every_s=30.0)
    frames[1] = Frame(10.0, 0.0, whole=False, damaged=True)
    assert [at for at, _ in played(frames)] == [0.0, 30.0, 40.0, 50.0]


def by_two(lengths: Sequence[tuple[str, float]]) -> list[Frame]:
    """The frames of looks by these, one after the other."""
    recorders, frames = {by: Recorder(TABLES, 300.0) for by in "xy"}, []
    for number, (by, length) in enumerate(lengths):
        rows = queues(Row({"name": "a", "length": length}), Row({"name": "b", "length": 1.0}))
        frames.append(recorders[by].frame({300.0: {"queues": rows}}, number * 10.0, 10.0, by))
        recorders[by].written()
    return frames


def test_looks_by_several_are_played_in_their_order() -> None:
    looks = [("x", 1.0), ("y", 2.0), ("x", 1.0), ("y", 3.0), ("y", 1.0), ("x", 4.0)]
    frames = by_two(looks)
    assert [frame.whole for frame in frames] == [True, True, False, False, False, False]
    assert [reading.rows[0].cells["length"] for _, reading in played(frames)] == [length for _, length in looks]


def test_what_is_missing_of_one_leaves_out_nothing_of_the_other() -> None:
    frames = by_two([("x", 1.0), ("y", 2.0), ("x", 3.0), ("y", 4.0)])
    assert [at for at, _ in played(frames[1:])] == [10.0, 30.0]


def test_looks_whose_whole_one_was_deleted_are_left_out() -> None:
    assert [at for at, _ in played(recorded([READ] * 6, every_s=30.0)[1:])] == [30.0, 40.0, 50.0]
