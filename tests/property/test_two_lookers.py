"""Several lookers at one target, in any order and into each other, leave what one looker leaves that makes the committed looks."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.builders.lookers import Looker, World, left
from tests.builders.outbox import T0
from watchdog.core.history.frames import RecordedLook, looks_of
from watchdog.core.incidents.outcome import Delivered
from watchdog.core.incidents.payload import encode
from watchdog.store import Store

QUEUES = ("orders", "mails")
LENGTHS = st.sampled_from([0.0, 10.0, 60.0, 400.0, 600.0])
LEFT = (
    "incidents", "transitions", "messages", "notices", "told", "memories", "samples", "cycles", "looks", "changes",
    "history WHERE folded < 2",
)  # fmt: skip
"""What is compared row by row. Frames are compared by what they say: those after another's look are whole."""


class Step(Struct, frozen=True):
    """What there is to see, who looks, and who looks and commits while that one waits for its answer."""

    after_s: float
    lengths: tuple[float, ...]
    by: int
    meanwhile: int | None
    delivered: bool


steps = st.lists(
    st.builds(
        Step,
        after_s=st.sampled_from([1.0, 10.0, 10.0, 14.0, 40.0]),
        lengths=st.tuples(LENGTHS, LENGTHS),
        by=st.integers(0, 2),
        meanwhile=st.none() | st.integers(0, 2),
        delivered=st.booleans(),
    ),
    max_size=15,
)


class Scene:
    """A database, and who looks at what it is about."""

    def __init__(self, path: Path, number_of_lookers: int) -> None:
        self.world = World(lambda _: dict.fromkeys(QUEUES, 0.0), now=T0)
        self.stores = [Store.open(path) for _ in range(number_of_lookers)]
        self.lookers = [Looker(store, self.world, alone=number_of_lookers == 1) for store in self.stores]

    def look(self, step: Step, by: int, meanwhile: int | None) -> int:
        """How many looks were committed: one, whoever was faster, as long as the other one is another."""
        before = self.stores[0].last_cycle("prod")
        self.world.lengths = lambda _: dict(zip(QUEUES, step.lengths, strict=True))
        self.world.now += step.after_s
        overtaking = self.lookers[meanwhile] if meanwhile not in (None, by) else None
        self.world.meanwhile = overtaking.look if overtaking is not None else None
        done = self.lookers[by].look()
        assert (done is None) is (overtaking is not None)
        if step.delivered:
            self._deliver()
        return self.stores[0].last_cycle("prod") - before

    def _deliver(self) -> None:
        for receiver in ("ops", "boss"):
            while (claimed := self.stores[0].claim(receiver, self.world.now, "s", encode)) is not None:
                self.stores[0].settle(claimed.message.id, Delivered(), self.world.now)

    def rows(self) -> Sequence[RecordedLook]:
        """What each look saw, as it is kept."""
        return list(looks_of(self.stores[0].frames("prod", 0.0, self.world.now)))

    def close(self) -> None:
        for looker in self.lookers:
            looker.close()
        for store in self.stores:
            store.close()


@contextmanager
def scenes() -> Iterator[tuple[Scene, Scene]]:
    with tempfile.TemporaryDirectory() as folder:
        several, one = Scene(Path(folder) / "several.db", 3), Scene(Path(folder) / "one.db", 1)
        with closing(several), closing(one):
            yield several, one


@settings(max_examples=25)
@given(steps)
def test_they_leave_what_one_leaves_that_looks_as_often(course: list[Step]) -> None:
    with scenes() as (several, one):
        for step in course:
            assert several.look(step, step.by, step.meanwhile) == 1
            one.look(step, 0, None)
        assert left(several.stores[0], LEFT) == left(one.stores[0], LEFT)
        assert several.rows() == one.rows()
