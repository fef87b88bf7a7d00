"""What a process knows of shared incidents, by what changed, is what it would read anew; whoever wrote, and whatever was rolled back."""

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from tests.builders.outbox import T0, incident, plan
from watchdog.core.incidents.lifecycle import OPEN, Ended, Incident, State
from watchdog.store import Store
from watchdog.store.looks.row_cache import CachedTarget

TARGETS, SERVERS = ("a", "b", "c"), ("", "redis", "flower")


class Step(Struct, frozen=True):
    """One write, by the daemon or by a command beside it; and whether it was rolled back, after it had been read."""

    incident: Incident
    by_another: bool
    rolled_back: bool


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    target, number = draw(st.sampled_from(TARGETS)), draw(st.integers(0, 1))
    state = draw(st.sampled_from([State.PENDING, State.FIRING, State.RECOVERING, State.RESOLVED, State.DROPPED]))
    is_open, at = state in OPEN, T0 + draw(st.integers(0, 5))
    return replace(
        incident(f"{target}{number}", target=target, state=state, started_at=T0),
        rule=f"R{number}",
        key={"name": "redis"},
        server=draw(st.sampled_from(SERVERS)),
        inhibits=draw(st.sampled_from([(), ("R0",)])),
        fired_at=None if state in (State.PENDING, State.DROPPED) else at,
        resolved_at=None if is_open else at + 5,
        ended=None if is_open else Ended.RECOVERED,
    )


STEPS = st.lists(st.builds(Step, incidents(), st.booleans(), st.booleans()), max_size=12)


def shown(store: Store, target: str) -> list[object]:
    """What matters of it to this target, whose own incidents are of every kind."""
    with store.cycle() as transaction:
        loaded = transaction.load(target, CachedTarget(), servers=SERVERS[1:])
    own = [
        replace(incident("own", target=target, state=state, started_at=T0), rule=rule, key={"name": "redis"}, server=server)
        for state in (State.FIRING, State.RESOLVED)
        for rule in ("R0", "R1")
        for server in SERVERS[1:]
    ]
    twins = [(loaded.twins.targets(one) if one.open else (), list(loaded.twins.before(one)), loaded.twins.last_fired(one)) for one in own]
    mine = [loaded.twins.targets(one) for one in (*loaded.open, *loaded.unsettled) if one.server]
    causes = {name: {one.id: one for one in found} for name, found in loaded.twins_causes.items() if found}
    return [twins, mine, causes]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_what_changed_adds_up_to_what_is_there(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "watchdog.db"
        with Store.open(path) as daemon, Store.open(path) as command:
            for step in steps:
                with suppress(ZeroDivisionError), (command if step.by_another else daemon).cycle() as transaction:
                    transaction.commit(replace(plan(incidents=[step.incident]), target=step.incident.target))
                    if step.rolled_back:
                        transaction.load("a", servers=SERVERS[1:])
                        raise ZeroDivisionError
                with Store.open(path) as anew:
                    assert [shown(daemon, target) for target in TARGETS] == [shown(anew, target) for target in TARGETS]
